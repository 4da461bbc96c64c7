# SPDX-License-Identifier: MPL-2.0
"""Doing one thing to many from the command line, and saying what came of each."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

import typer

from sagsgang.site.operate._common import (
    filter_of,
    print_json,
    started,
    wrong,
)

if TYPE_CHECKING:
    from sagsgang.cases.operating import Operator
    from sagsgang.engine.acts import Act
    from sagsgang.engine.operations import Result

__all__ = ["do", "report", "run_all"]

_AT_ONCE = 250


def do(
    act: Act,
    ids: Sequence[int] | None,
    *,
    user: str,
    reason: str,
    dry_run: bool,
    as_json: bool,
    chosen: Mapping[str, Any],
) -> None:
    """Do it to the ids, or to what the filter leaves; say what came of each."""
    operator, now = started(user)
    if act.needs_reason and not reason.strip() and not dry_run:
        raise wrong("Skriv en begrundelse: --reason »...«. Den står i historikken og i sporet.")
    numbers = list(ids or ())
    if not numbers and not any(chosen.values()):
        raise wrong("Skriv instansernes numre, eller et filter som --process og --incident.")
    if numbers and any(chosen.values()):
        raise wrong("Skriv enten numre eller et filter, ikke begge dele.")
    if not numbers:
        numbers = operator.ids(filter_of(now, **chosen))
        if not numbers and not as_json:
            typer.echo("Ingen instanser passer til filteret; intet er gjort.")
            return
    results = (
        list(run_all(operator, act, numbers, now=now, reason=reason, quiet=as_json))
        if len(numbers) > _AT_ONCE and not dry_run
        else operator.perform(
            act, numbers, now=now, reason=reason or ("Forsøg" if dry_run else ""), dry_run=dry_run
        )
    )
    report(results, dry_run=dry_run, as_json=as_json)


def run_all(
    operator: Operator,
    act: Act,
    ids: Sequence[int],
    *,
    now: datetime,
    reason: str,
    quiet: bool,
) -> Iterator[Result]:
    """As a bulk run, which goes on if this command is stopped."""
    from sagsgang.cases import clock
    from sagsgang.engine import bulk
    from sagsgang.engine.operations import Result
    from sagsgang.site.commands import progress

    run = operator.start_run(act, ids, now=now, reason=reason)
    with progress(f"Kørsel {run.pk}") as advance:
        while run.done_at is None and run.stopped_at is None:
            run = operator.advance(run.pk, now=clock.now())
            if not quiet:
                advance(run.total - run.undone, run.total)
    refused = {item.instance_id: item for item in bulk.refusals(run)}
    for each in ids:
        item = refused.get(each)
        yield Result(each, code=item.code, fault=item.fault) if item else Result(each)


def report(results: Sequence[Result], *, dry_run: bool, as_json: bool) -> None:
    """Say what came of each instance.

    Raises:
        typer.Exit: With 1, where one was refused.
    """
    from sagsgang.cases.operating_words import STATUSES

    refused = [each for each in results if each.refused]
    if as_json:
        for each in results:
            print_json(
                {
                    "id": each.instance_id,
                    "business_key": each.business_key,
                    "done": not each.refused,
                    "status": each.status,
                    "elements": list(each.elements),
                    "code": each.code,
                    "fault": each.fault,
                }
            )
    else:
        if dry_run:
            for each in results[:50]:
                if not each.refused:
                    places = ", ".join(each.elements) or "ingenting"
                    status = STATUSES[each.status].lower()
                    typer.echo(f"{each.instance_id}: {status}, venter så ved {places}")
        for each in refused[:50]:
            typer.echo(f"{each.instance_id}: {each.fault}", err=True)
        if len(refused) > 50:
            typer.echo(f"... og {len(refused) - 50} mere. Se dem alle med --json.", err=True)
        would = "kan udføres; intet er gemt" if dry_run else "udført"
        typer.echo(f"{len(results) - len(refused)} {would}, {len(refused)} afvist.")
    if refused:
        raise typer.Exit(1)

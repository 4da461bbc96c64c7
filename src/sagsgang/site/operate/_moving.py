# SPDX-License-Identifier: MPL-2.0
"""``migrate`` and ``run``: many instances, a portion at a time."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from sagsgang.site.operate._common import (
    As,
    DryRun,
    Json,
    Reason,
    pair_of,
    print_json,
    started,
    wrong,
)
from sagsgang.site.operate._doing import report, run_all

__all__ = ["app"]

app = typer.Typer()


@app.command("migrate")
def migrate(
    process: Annotated[str, typer.Argument(help="Processens id.")],
    source: Annotated[int, typer.Option("--from", min=1, help="Fra version.")],
    target: Annotated[int, typer.Option("--to", min=1, help="Til version.")],
    mapped: Annotated[
        list[str] | None,
        typer.Option("--map", help="gammelt=nyt trin; »gammelt=-« er intet. Kan gentages."),
    ] = None,
    user: As = "system:cli",
    reason: Reason = "",
    *,
    dry_run: DryRun = False,
    as_json: Json = False,
) -> None:
    """Flyt åbne instanser til en anden version. Se forslaget og følgen med --dry-run."""
    operator, now = started(user)
    from sagsgang.cases.errors import CaseError
    from sagsgang.engine import migration
    from sagsgang.engine.acts import told
    from sagsgang.engine.errors import EngineError
    from sagsgang.engine.selection import Filter

    try:
        proposed = migration.pairs(process, source=source, target=target)
        chosen = {each.source: each.target for each in proposed}
        for each in mapped or ():
            old, new = pair_of(each, "Skriv --map gammelt=nyt.")
            chosen[old] = "" if new == "-" else new
        plan = migration.with_mapping(process, source, target, chosen)
        if dry_run:
            _show_plan(plan, migration.preview(plan), as_json=as_json)
            return
    except EngineError as error:
        raise CaseError(
            f"Processen {process} har ikke version {source} og {target}. Se: sagsgang operate "
            "instances --json"
            if error.code == "not-found"
            else told(error)
        ) from error
    if not reason.strip():
        raise wrong("Skriv en begrundelse: --reason »...«. Den står i historikken og i sporet.")
    ids = operator.ids(Filter(process=process, version=source, status="open"))
    if not ids:
        typer.echo(f"Ingen åbne instanser kører på version {source} af {process}.")
        return
    results = list(run_all(operator, plan, ids, now=now, reason=reason, quiet=as_json))
    report(results, dry_run=False, as_json=as_json)


def _show_plan(plan: Any, preview: Any, *, as_json: bool) -> None:
    if as_json:
        print_json(
            {
                "process": plan.process,
                "from": plan.source,
                "to": plan.target,
                "mapping": dict(plan.mapping),
                "unmapped": list(plan.unmapped),
                "ready": preview.ready,
                "refused": dict(preview.refused),
                "looked_at": preview.looked_at,
                "total": preview.total,
            }
        )
    else:
        for old, new in plan.mapping.items():
            if old != new:
                typer.echo(f"{old} -> {new}")
        for old in plan.unmapped:
            typer.echo(f"{old} -> intet")
        for fault, count in preview.refused.items():
            typer.echo(f"{count}: {fault}")
        typer.echo(
            f"{preview.ready} kan flyttes, {preview.staying} bliver stående "
            f"(set på {preview.looked_at} af {preview.total}). Intet er gemt."
        )
    if preview.refused:
        raise typer.Exit(1)


@app.command("run")
def run(
    number: Annotated[int, typer.Argument(help="Kørslens nummer.")],
    user: As = "system:cli",
    *,
    proceed: Annotated[
        bool, typer.Option("--continue", help="Kør videre, til den er slut.")
    ] = False,
    stop: Annotated[bool, typer.Option("--stop", help="Stop den her.")] = False,
    again: Annotated[bool, typer.Option("--again", help="Ny kørsel over det afviste.")] = False,
    undo: Annotated[bool, typer.Option("--undo", help="Flyt det flyttede tilbage.")] = False,
    as_json: Json = False,
) -> None:
    """Vis en kørsel over mange, kør den videre, stop den, eller tag resten igen."""
    operator, now = started(user)
    from sagsgang.cases import clock
    from sagsgang.engine import acts, bulk, migration

    if sum((proceed, stop, again, undo)) > 1:
        raise wrong("Vælg én af --continue, --stop, --again og --undo.")
    found = operator.run(number)
    if stop:
        found = operator.stop(number, now=now)
    elif again:
        found = operator.again(number, now=now)
    elif undo:
        act = acts.loads(found.act)
        if not isinstance(act, migration.MigrationPlan):
            raise wrong(f"Kørsel {number} har ikke flyttet noget til en anden version.")
        found = operator.start_run(
            migration.inverse(act),
            bulk.done_ids(found),
            now=now,
            reason=f"Tilbage efter kørsel {number}",
        )
    while (proceed or again or undo) and found.done_at is None and found.stopped_at is None:
        found = operator.advance(found.pk, now=clock.now())
    state = "slut" if found.done_at else "stoppet" if found.stopped_at else "i gang"
    if as_json:
        print_json(
            {
                "run": found.pk,
                "state": "done" if found.done_at else "stopped" if found.stopped_at else "going on",
                "total": found.total,
                "undone": found.undone,
                "failed": found.failed,
                "started_by": found.started_by,
            }
        )
    else:
        typer.echo(
            f"Kørsel {found.pk} er {state}: {found.total} valgt, "
            f"{found.total - found.undone - found.failed} udført, {found.failed} afvist, "
            f"{found.undone} mangler."
        )
        for item in bulk.refusals(found)[:50]:
            typer.echo(f"{item.instance_id}: {item.fault}", err=True)
    if found.failed:
        raise typer.Exit(1)

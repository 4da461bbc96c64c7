# SPDX-License-Identifier: MPL-2.0
"""``instances``, ``instance``, ``incidents``: what goes on."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer

from sagsgang.site.operate._common import (
    As,
    Code,
    Element,
    Json,
    Key,
    Limit,
    Older,
    Process,
    Status,
    Text,
    Version,
    filter_of,
    print_json,
    started,
)

if TYPE_CHECKING:
    from rich.console import Console

    from sagsgang.engine.inspection import InstanceView

__all__ = ["app"]

app = typer.Typer()

_NO_WIDTH = 10_000


@app.command("instances")
def instances(
    process: Process = "",
    version: Version = None,
    status: Status = "open",
    element: Element = "",
    incident: Code = "",
    older_than: Older = "",
    key: Key = "",
    text: Text = "",
    limit: Limit = 50,
    user: As = "system:cli",
    *,
    as_json: Json = False,
) -> None:
    """Vis instanser, de nyeste først."""
    operator, now = started(user)
    from sagsgang.cases.operating_words import STATUSES, ago
    from sagsgang.engine.models import ProcessDefinition

    wanted = filter_of(
        now,
        process=process,
        version=version,
        status=status,
        element=element,
        incident=incident,
        older_than=older_than,
        key=key,
        text=text,
    )
    rows = operator.find(wanted, limit=limit + 1)
    known = ProcessDefinition.objects.defer("xml").in_bulk({row.definition_id for row in rows})
    table: list[tuple[str, ...]] = []
    for row in rows[:limit]:
        definition = known[row.definition_id]
        if as_json:
            print_json(
                {
                    "id": row.pk,
                    "business_key": row.business_key,
                    "process": definition.key,
                    "version": definition.version,
                    "status": row.status,
                    "elements": row.elements.split(),
                    "incidents": row.incidents,
                    "started_at": row.started_at.isoformat(),
                }
            )
            continue
        table.append(
            (
                str(row.pk),
                row.business_key,
                f"{definition.key} v{definition.version}",
                "Gået i stå" if row.incidents else STATUSES[row.status],
                ago(row.started_at, now),
                ", ".join(row.elements.split()),
            )
        )
    if not as_json:
        _table(("Instans", "Nøgle", "Proces", "Status", "Alder", "Venter ved"), table)
        if len(rows) > limit:
            typer.echo(f"Der er flere end {limit}. Brug --limit, eller vælg snævrere.")


def _table(titles: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Print a table whose last column may take several lines; the others can be copied whole."""
    from rich.table import Table
    from rich.text import Text

    from sagsgang.audit.identifiers import scrub

    console = _console()
    if not rows:
        console.print("Ingen.")
        return
    table = Table(box=None, pad_edge=False)
    for title in titles:
        table.add_column(title, no_wrap=title != titles[-1])
    for row in rows:
        table.add_row(*(Text(scrub(each)) for each in row))
    console.print(table)


def _console() -> Console:
    """Where it is printed; what goes to a file or a pipe has no width."""
    from rich.console import Console

    from sagsgang.site.commands import console

    return console if console.is_terminal else Console(highlight=False, width=_NO_WIDTH)


@app.command("instance")
def instance(
    number: Annotated[int, typer.Argument(help="Instansens nummer.")],
    user: As = "system:cli",
    *,
    as_json: Json = False,
) -> None:
    """Vis én instans: tilstand, hvad den venter på, fejl, variabler uden indhold, historik."""
    operator, now = started(user)
    found = operator.inspect(number, now=now)
    if as_json:
        print_json(_as_json(found))
        return
    from sagsgang.audit.identifiers import scrub
    from sagsgang.cases.operating_words import STATUSES, ago, described, waiting_for
    from sagsgang.engine.variables import outline
    from sagsgang.site.commands import console

    row, definition = found.row, found.definition
    console.print(f"[bold]{scrub(row.business_key) or row.pk}[/] {definition.name}")
    console.print(
        f"Instans {row.pk}, {definition.key} version {definition.version}, "
        f"{STATUSES[row.status].lower()}, startet for {ago(row.started_at, now)} siden"
    )
    if row.parent_id:
        console.print(f"Kaldt af {row.parent_id}")
    console.print("\n[bold]Venter på[/]" if found.waits else "")
    for wait in found.waits:
        when = f", {wait.due:%d-%m-%Y %H:%M}" if wait.due else ""
        code = f" [{wait.code}]" if wait.code else ""
        line = f"  {wait.id}: {wait.name}: {waiting_for(wait)}{when}{code}"
        console.print(line, markup=False)
    console.print("\n[bold]Variabler[/] (uden indhold)")
    for name, shape in outline(found.variables):
        console.print(f"  {name}: {shape}", markup=False)
    console.print("\n[bold]Historik[/]")
    for entry in found.history[-50:]:
        console.print(
            f"  {entry.at:%d-%m-%Y %H:%M:%S}  {entry.actor}: {described(entry)}", markup=False
        )


def _as_json(found: InstanceView) -> dict[str, Any]:
    from sagsgang.audit.identifiers import scrub
    from sagsgang.engine.variables import outline

    row = found.row
    return {
        "id": row.pk,
        "business_key": row.business_key,
        "process": found.definition.key,
        "version": found.definition.version,
        "status": row.status,
        "started_at": row.started_at.isoformat(),
        "ended_at": row.ended_at.isoformat() if row.ended_at else None,
        "parent": row.parent_id,
        "called": [child.pk for child in found.children],
        "waits": [
            {
                "id": wait.id,
                "kind": str(wait.kind),
                "element": wait.element,
                "due": wait.due.isoformat() if wait.due else None,
                "awaited": wait.awaited,
                "status": wait.status,
                "attempts": wait.attempts,
                "code": wait.code,
                "text": scrub(wait.text),
            }
            for wait in found.waits
        ],
        "variables": dict(outline(found.variables)),
        "path": list(found.taken),
        "history": [
            {
                "revision": entry.revision,
                "at": entry.at.isoformat(),
                "actor": entry.actor,
                "command": entry.command,
                "events": [[record.event, record.element] for record in entry.events],
            }
            for entry in found.history
        ],
    }


@app.command("incidents")
def incidents(user: As = "system:cli", *, as_json: Json = False) -> None:
    """Vis, hvad der er gået i stå, samlet efter årsag, den hyppigste først."""
    operator, now = started(user)
    from rich.padding import Padding
    from rich.text import Text

    from sagsgang.audit.identifiers import scrub
    from sagsgang.cases.operating_words import ago
    from sagsgang.engine import overview

    found = overview.causes(operator.within())
    if as_json:
        for each in found:
            print_json(
                {
                    "code": each.code,
                    "process": each.process,
                    "version": each.version,
                    "element": each.element,
                    "instances": each.instances,
                    "since": each.since.isoformat(),
                    "text": scrub(each.text),
                }
            )
        return
    console = _console()
    if not found:
        console.print("Intet er gået i stå.")
    for each in found:
        place = f"{each.process} v{each.version}, {each.element}, i {ago(each.since, now)}"
        console.print(f"{each.instances:>5} × {each.code}: {place}", markup=False)
        # The sentence stands below, as long as it is: the codes above can be copied.
        console.print(Padding(Text(scrub(each.text)), (0, 0, 0, 8), expand=False))

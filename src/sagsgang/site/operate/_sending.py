# SPDX-License-Identifier: MPL-2.0
"""``send-messages`` and ``send-signals``: JSON Lines from a file or from what comes in."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from sagsgang.site.operate._common import As, DryRun, Json, print_json, started, wrong

if TYPE_CHECKING:
    from sagsgang.cases.lines import Line

__all__ = ["app"]

app = typer.Typer()

_SHOWN = 50
_LONGEST = 200
_MESSAGE = {
    "name": str,
    "message_id": str,
    "correlation_key": str,
    "variables": dict,
    "lifetime_seconds": int,
}
_SIGNAL = {"name": str, "signal_id": str, "variables": dict}
_LONGEST_LIFE = 2_592_000

File = Annotated[
    Path, typer.Argument(help="JSON-linjer; - læser fra stdin.", dir_okay=False, metavar="FIL")
]


@app.command("send-messages")
def send_messages(
    file: File,
    user: As = "system:cli",
    *,
    dry_run: DryRun = False,
    as_json: Json = False,
) -> None:
    """Send beskeder. Linje: {"name", "message_id", "correlation_key", "variables"}."""
    operator, now = started(user)
    from sagsgang.engine import InstanceRef, MessageItem

    def item(line: Mapping[str, Any]) -> MessageItem:
        return MessageItem(
            line["name"],
            line.get("correlation_key", ""),
            line.get("variables", {}),
            message_id=line["message_id"],
            lifetime=timedelta(seconds=line.get("lifetime_seconds", 3600)),
        )

    def send(lines: Sequence[Mapping[str, Any]]) -> Sequence[Any]:
        return operator.send_messages([item(each) for each in lines], now=now, dry_run=dry_run)

    results = _send(file, _MESSAGE, "message_id", send)
    delivered = sum(1 for _, found in results if isinstance(found, InstanceRef))
    refused = _refused(results)
    if as_json:
        for line, found in results:
            instance = str(found.id) if isinstance(found, InstanceRef) else None
            print_json({**_outcome(line, found), "instance": instance})
    else:
        would = "kan leveres; intet er sendt" if dry_run else "leveret"
        waiting = len(results) - delivered - len(refused)
        typer.echo(f"{delivered} {would}, {waiting} venter på en modtager, {len(refused)} afvist.")
    _end(refused, quiet=as_json)


@app.command("send-signals")
def send_signals(
    file: File,
    user: As = "system:cli",
    *,
    dry_run: DryRun = False,
    as_json: Json = False,
) -> None:
    """Send signaler til alle, der venter. Linje: {"name", "signal_id", "variables"}."""
    operator, now = started(user)
    from sagsgang.engine import SignalItem

    def item(line: Mapping[str, Any]) -> SignalItem:
        return SignalItem(line["name"], line.get("variables", {}), signal_id=line["signal_id"])

    def send(lines: Sequence[Mapping[str, Any]]) -> Sequence[Any]:
        return operator.send_signals([item(each) for each in lines], now=now, dry_run=dry_run)

    results = _send(file, _SIGNAL, "signal_id", send)
    refused = _refused(results)
    if as_json:
        for line, found in results:
            print_json(_outcome(line, found))
    else:
        would = "kan sendes; intet er sendt" if dry_run else "sendt"
        typer.echo(f"{len(results) - len(refused)} {would}, {len(refused)} afvist.")
    _end(refused, quiet=as_json)


Results = Sequence[tuple["Line", Any]]
"""Each line of the file with what came of it; a text is why it was refused."""


def _send(
    file: Path,
    known: Mapping[str, type],
    key: str,
    send: Callable[[Sequence[Mapping[str, Any]]], Sequence[Any]],
) -> Results:
    """Send the good lines of a file.

    Args:
        file: The file; ``-`` is what comes in.
        known: The fields of a line, and their types.
        key: The field that makes a line unique.
        send: Sends lines and returns what came of each.

    Raises:
        typer.Exit: With 2, where the file cannot be read; with 1, where the user may not send.
    """
    from sagsgang.cases import lines
    from sagsgang.engine import EngineError
    from sagsgang.engine.acts import told
    from sagsgang.site.commands import content_of

    try:
        content = content_of(file)
    except OSError as error:
        raise wrong(f"Filen {file} kan ikke læses: {error.strerror}.") from None
    read = list(lines.read(content, known, needed=("name", key)))
    if not read:
        raise wrong("Der er ingen linjer at sende. Skriv ét JSON-objekt på hver linje.")
    faults = {line.number: line.fault or _fault(line.fields, key) for line in read}
    good = [line for line in read if not faults[line.number]]
    sent = dict(
        zip((line.number for line in good), send([each.fields for each in good]), strict=True)
    )
    found = {**faults, **sent}
    return [
        (line, told(each) if isinstance(each, EngineError) else each)
        for line in read
        for each in [found[line.number]]
    ]


def _fault(fields: Mapping[str, Any], key: str) -> str:
    for name in ("name", key):
        if not fields[name].strip() or len(fields[name]) > _LONGEST:
            return f"Feltet {name} skal have 1 til {_LONGEST} tegn."
    if len(fields.get("correlation_key", "")) > _LONGEST:
        return f"Feltet correlation_key må højst have {_LONGEST} tegn."
    if not 1 <= fields.get("lifetime_seconds", 1) <= _LONGEST_LIFE:
        return f"Feltet lifetime_seconds skal være fra 1 til {_LONGEST_LIFE}."
    return ""


def _refused(results: Results) -> list[tuple[int, str]]:
    return [(line.number, found) for line, found in results if isinstance(found, str)]


def _outcome(line: Line, found: Any) -> dict[str, Any]:
    fault = found if isinstance(found, str) else ""
    return {"line": line.number, "done": not fault, "fault": fault}


def _end(refused: Sequence[tuple[int, str]], *, quiet: bool) -> None:
    """Say what was refused, and end with 1 where anything was."""
    if not refused:
        return
    if not quiet:
        for number, fault in refused[:_SHOWN]:
            typer.echo(f"Linje {number}: {fault}", err=True)
        if len(refused) > _SHOWN:
            typer.echo(f"... og {len(refused) - _SHOWN} mere. Se dem alle med --json.", err=True)
    raise typer.Exit(1)

# SPDX-License-Identifier: MPL-2.0
"""``sagsgang organisation``: import an extract from the command line."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Final

import django
import typer
from django.apps import apps

from sagsgang import wrong_use

__all__ = ["app"]

app = typer.Typer(no_args_is_help=True, help="Organisationen: enheder, personer og ansættelser.")

_NAMES: Final = {
    "units_created": "nye enheder",
    "units_changed": "ændrede enheder",
    "units_closed": "lukkede enheder",
    "joiners": "tiltrådte",
    "leavers": "fratrådte",
    "moves": "flyttede",
    "cancelled": "annullerede",
    "changed": "ændrede ansættelser",
    "historic": "tidligere ansættelser",
    "cpr_changed": "nye CPR-numre",
    "people_changed": "ændrede personer",
    "hours_changed": "kun ændret timetal",
    "unchanged": "uændrede",
    "skipped": "sprunget over",
    "malformed": "fejlramte",
}


@app.callback()
def _start() -> None:
    if not apps.ready:
        django.setup()


@app.command("import")
def import_(
    file: Annotated[Path, typer.Argument(help="Lønsystemets udtræk (ZLPE...xml).", dir_okay=False)],
    *,
    resume: Annotated[
        bool, typer.Option("--resume", help="Frigiv en tidligere indlæsning, der blev afbrudt.")
    ] = False,
    accept_large_change: Annotated[
        bool, typer.Option("--accept-large-change", help="Indlæs, selv om usædvanlig meget ændres.")
    ] = False,
) -> None:
    """Indlæs lønsystemets natlige udtræk."""
    from sagsgang.organisation.errors import ExtractError
    from sagsgang.organisation.zlpe import import_extract

    try:
        report = import_extract(
            file,
            now=datetime.now(UTC),
            resume=resume,
            accept_large_change=accept_large_change,
        )
    except ExtractError as refusal:
        for finding in refusal.findings:
            typer.echo(str(finding), err=True)
        typer.echo(str(refusal), err=True)
        raise typer.Exit(1) from None
    except OSError as fault:
        typer.echo(f"Filen {file} kan ikke læses: {wrong_use.unreadable(fault)}", err=True)
        raise typer.Exit(2) from None
    for finding in report.findings:
        typer.echo(str(finding))
    for name, count in report.counts().items():
        if count:
            typer.echo(f"{count:>7} {_NAMES[name]}")


@app.command()
def reencrypt() -> None:
    """Skriv CPR-numre igen med den nye nøgle, efter at nøglen er skiftet."""
    from sagsgang.audit.errors import UndecipherableError
    from sagsgang.organisation.rekeying import reencrypt as write_again

    try:
        count = write_again(datetime.now(UTC))
    except UndecipherableError as fault:
        typer.echo(str(fault), err=True)
        raise typer.Exit(1) from None
    typer.echo(f"{count} CPR-numre er krypteret med den nye nøgle.")

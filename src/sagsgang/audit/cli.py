# SPDX-License-Identifier: MPL-2.0
"""``sagsgang audit``: seal and verify the trail from the command line."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

import django
import typer
from django.apps import apps

__all__ = ["app"]

app = typer.Typer(no_args_is_help=True, help="Revisionssporet: forsegl det, og kontrollér det.")


@app.callback()
def _start() -> None:
    if not apps.ready:
        django.setup()


@app.command()
def seal() -> None:
    """Forsegl de hændelser, der er kommet siden sidst."""
    from sagsgang.audit.chain import seal as seal_entries

    count = seal_entries(datetime.now(UTC))
    typer.echo(f"{count} hændelser er forseglet.")


@app.command()
def verify(
    anchor: Annotated[
        str,
        typer.Option(help="En tidligere udskrevet kontrolværdi, gemt uden for systemet."),
    ] = "",
) -> None:
    """Kontrollér, at intet i revisionssporet er ændret, fjernet, indsat eller byttet om."""
    from sagsgang.audit.chain import Anchor
    from sagsgang.audit.chain import verify as verify_chain

    try:
        expected = Anchor.parse(anchor) if anchor else None
    except ValueError:
        typer.echo("Skriv kontrolværdien som nummer:hash, som den blev udskrevet.", err=True)
        raise typer.Exit(2) from None
    result = verify_chain(anchor=expected)
    for fault in result.faults:
        typer.echo(str(fault), err=True)
    typer.echo(
        f"{result.blocks} forseglinger, {result.entries} forseglede hændelser, "
        f"{result.unsealed} endnu ikke forseglede, {result.purged} slettede efter frist."
    )
    if result.head is not None:
        typer.echo(f"Kontrolværdi, der gemmes uden for systemet: {result.head}")
    if not result.intact:
        typer.echo(f"Revisionssporet er brudt: {len(result.faults)} fejl.", err=True)
        raise typer.Exit(1)
    typer.echo("Revisionssporet er ubrudt.")

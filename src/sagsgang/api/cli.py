# SPDX-License-Identifier: MPL-2.0
"""``sagsgang api-key``: keys of other programs, from the command line."""

from __future__ import annotations

from typing import Annotated, NoReturn

import django
import typer
from django.apps import apps
from django.utils import timezone
from rich.console import Console
from rich.table import Table

from sagsgang import wrong_use

__all__ = ["app"]

app = typer.Typer(
    no_args_is_help=True, help="Nøgler til API'et: lav dem, se dem, træk dem tilbage."
)

_ACTOR = "system:cli"


@app.callback()
def _start() -> None:
    if not apps.ready:
        django.setup()


@app.command()
def create(
    name: Annotated[str, typer.Argument(help="Hvem nøglen er til, fx robot-1.")],
    scope: Annotated[
        list[str],
        typer.Option(help="Hvad den åbner for: jobs, cases, messages, observe, operate, metrics."),
    ],
    task_type: Annotated[
        list[str] | None, typer.Option("--type", help="Opgavetype, den må hente.")
    ] = None,
    message: Annotated[
        list[str] | None, typer.Option(help="Besked eller signal, den må sende.")
    ] = None,
    user: Annotated[str, typer.Option("--as", help="Brugeren, den handler for.")] = "",
    days: Annotated[int, typer.Option(min=1, max=1826, help="Dage, den gælder.")] = 365,
    rate: Annotated[int, typer.Option(min=1, max=1_000_000, help="Kald i minuttet.")] = 600,
) -> None:
    """Lav en nøgle. Den vises kun denne ene gang."""
    from sagsgang.api import keys
    from sagsgang.cases import clock

    try:
        made = keys.create(
            name,
            scope,
            now=clock.now(),
            by=_ACTOR,
            task_types=task_type or (),
            messages=message or (),
            user=user,
            days=days,
            per_minute=rate,
        )
    except keys.WrongKeyError as fault:
        wrong_use.refuse(str(fault))
    except keys.KeyFault as fault:
        _refuse(fault)
    typer.echo(made.key)
    until = timezone.localtime(made.client.expires_at)
    typer.echo(f"Gælder til {until:%d-%m-%Y}. Gem nøglen nu: den kan ikke vises igen.", err=True)


@app.command("list")
def list_keys() -> None:
    """Vis nøglerne og hvad de åbner for; aldrig nøglerne selv."""
    from sagsgang.api.models import ApiClient
    from sagsgang.cases import clock

    now = clock.now()
    table = Table("Navn", "Åbner for", "Nævnte", "Som", "Gælder til", "Sidst brugt", box=None)
    for each in ApiClient.objects.select_related("user").order_by("name"):
        named = [*each.task_types, *each.messages]
        until = f"{timezone.localtime(each.expires_at):%d-%m-%Y}"
        state = until if each.is_open(now) else f"{until} (lukket)"
        used = each.last_used_at
        table.add_row(
            each.name,
            ", ".join(each.scopes),
            ", ".join(named),
            each.user.username if each.user is not None else "",
            state,
            f"{timezone.localtime(used):%d-%m-%Y %H:%M}" if used is not None else "aldrig",
        )
    Console(highlight=False).print(table)


@app.command()
def revoke(name: Annotated[str, typer.Argument(help="Nøglens navn.")]) -> None:
    """Træk en nøgle tilbage; den åbner intet fra næste kald."""
    from sagsgang.api import keys
    from sagsgang.cases import clock

    try:
        keys.revoke(name, now=clock.now(), by=_ACTOR)
    except keys.KeyFault as fault:
        _refuse(fault)
    typer.echo(f"Nøglen {name} er trukket tilbage.")


def _refuse(fault: Exception) -> NoReturn:
    typer.echo(str(fault), err=True)
    raise typer.Exit(1) from None

# SPDX-License-Identifier: MPL-2.0
"""What every command of ``sagsgang operate`` shares: its options, who asks, what is chosen."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from sagsgang.cases.operating import Operator
    from sagsgang.engine.selection import Filter

__all__ = [
    "As",
    "Code",
    "DryRun",
    "Element",
    "Ids",
    "Json",
    "Key",
    "Limit",
    "Older",
    "Process",
    "Reason",
    "Status",
    "Text",
    "Version",
    "age_of",
    "filter_of",
    "pair_of",
    "print_json",
    "started",
    "values_of",
    "wrong",
]

_UNITS = {"m": "minutes", "t": "hours", "h": "hours", "d": "days", "u": "weeks", "w": "weeks"}
_AGE = re.compile(r"(\d{1,5})([mthduw])")

Ids = Annotated[list[int] | None, typer.Argument(help="Instansernes numre; ellers et filter.")]
Process = Annotated[str, typer.Option(help="Processens id.")]
Version = Annotated[int | None, typer.Option(min=1, help="Processens version.")]
Status = Annotated[
    str, typer.Option(help="open, active, suspended, completed, cancelled, failed eller all.")
]
Element = Annotated[str, typer.Option(help="Id på det trin, der ventes ved.")]
Code = Annotated[str, typer.Option("--incident", help="Fejlkode; »any« er alle fejl.")]
Older = Annotated[str, typer.Option(help="Startet før: 30m, 12t, 3d, 2u.")]
Key = Annotated[str, typer.Option(help="Forretningsnøgle, fx et sagsnummer.")]
Text = Annotated[str, typer.Option(help="Nummer, begyndelsen af en nøgle, ord i fejlen.")]
As = Annotated[str, typer.Option("--as", help="Brugeren, der beder om det.")]
Reason = Annotated[str, typer.Option(help="Begrundelse; står i historikken og i sporet.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Vis, hvad der ville ske; gem intet.")]
Json = Annotated[bool, typer.Option("--json", help="Én JSON-linje for hver.")]
Limit = Annotated[int, typer.Option(min=1, max=10_000, help="Hvor mange der vises.")]


def wrong(sentence: str) -> typer.Exit:
    typer.echo(sentence, err=True)
    return typer.Exit(2)


def started(user: str) -> tuple[Operator, datetime]:
    """Load the platform; who asks, and now."""
    from sagsgang.site import commands

    commands.start()
    from sagsgang.cases import clock, operating
    from sagsgang.organisation.models import User

    now = clock.now()
    if user.startswith("system:"):
        return operating.everyone(user), now
    found = User.objects.filter(username=user, is_active=True).first()
    if found is None:
        raise wrong(f"Der er ingen aktiv bruger {user}. Skriv et brugernavn efter --as.")
    return operating.operator_of(found, now), now


def filter_of(
    now: datetime,
    *,
    process: str = "",
    version: int | None = None,
    status: str = "open",
    element: str = "",
    incident: str = "",
    older_than: str = "",
    key: str = "",
    text: str = "",
) -> Filter:
    from sagsgang.engine.selection import Filter

    known = {"open", "active", "suspended", "completed", "cancelled", "failed", "all"}
    if status not in known:
        raise wrong(f"{status} er ingen status. Vælg en af: {', '.join(sorted(known))}.")
    if version is not None and not process:
        raise wrong("En version hører til en proces: skriv også --process.")
    any_incident = incident == "any"
    return Filter(
        process=process or None,
        version=version,
        status=None if status == "all" else status,
        element=element or None,
        incident=True if any_incident else None,
        code=incident if incident and not any_incident else None,
        started_before=now - age_of(older_than) if older_than else None,
        business_key=key or None,
        text=text or None,
    )


def age_of(text: str) -> timedelta:
    found = _AGE.fullmatch(text.strip().lower())
    if found is None:
        raise wrong(f"»{text}« er ingen alder. Skriv fx 30m, 12t, 3d eller 2u.")
    return timedelta(**{_UNITS[found[2]]: int(found[1])})


def print_json(value: Mapping[str, Any]) -> None:
    typer.echo(json.dumps(value, ensure_ascii=False, default=str))


def pair_of(text: str, sentence: str) -> tuple[str, str]:
    left, sign, right = text.partition("=")
    if not (sign and left.strip() and right.strip()):
        raise wrong(sentence)
    return left.strip(), right.strip()


def values_of(texts: Sequence[str]) -> dict[str, Any]:
    from sagsgang.engine import variables

    found: dict[str, Any] = {}
    for text in texts:
        name, value = pair_of(
            text, 'Skriv navn=værdi, fx antal=3, navn="Ida", fra=date("2026-01-31")'
        )
        try:
            found[name] = variables.parse("feel", value)
        except ValueError:
            raise wrong(
                f"Værdien af {name} kan ikke læses. Skriv den som FEEL: "
                '3, "tekst", true, date("2026-01-31"), [1, 2] eller {a: 1}.'
            ) from None
    return found

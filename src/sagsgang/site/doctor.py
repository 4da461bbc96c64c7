# SPDX-License-Identifier: MPL-2.0
"""``sagsgang doctor``: what is wrong with an installation, and what to do about it."""

from __future__ import annotations

import shutil
import socket
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Literal
from urllib.parse import urlsplit

from django.conf import settings
from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor

_SPACE = 1024**3
"""Bytes that should be free: a month of a large municipality takes less than half of it."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was examined.

    Attributes:
        level: ``ok``, ``warning`` (works, but think about it) or ``fault`` (does not work).
        what: What was examined, in Danish.
        found: What was found, and what to do.
    """

    level: Literal["ok", "warning", "fault"]
    what: str
    found: str


def examine() -> Iterator[Finding]:
    """Examine the installation, one finding at a time."""
    yield from _database()
    yield from _workers()
    yield from _solutions()
    yield _payroll()
    yield from _danger()
    yield _space()
    yield _bundle()


def _database() -> Iterator[Finding]:
    from sagsgang.site import moving
    from sagsgang.site.errors import MovingError

    kind = "SQLite" if settings.SAGSGANG.embedded else "PostgreSQL"
    try:
        moving.require_finished()
        plan = MigrationExecutor(connection)
        missing = plan.migration_plan(plan.loader.graph.leaf_nodes())
    except DatabaseError as error:
        yield Finding("fault", "Database", f"{kind} svarer ikke: {str(error).strip()}.")
        return
    except MovingError as error:
        yield Finding("fault", "Database", str(error))
        return
    if missing:
        yield Finding("fault", "Database", "Tabellerne er ikke opdateret. Kør: sagsgang migrate")
        return
    yield Finding("ok", "Database", f"{kind} svarer, og tabellerne er opdateret.")


def _workers() -> Iterator[Finding]:
    from sagsgang.cases import clock
    from sagsgang.engine import metrics, workers

    now = clock.now()
    try:
        alive = workers.alive(now)
        last = workers.last_seen()
        keeps_up = metrics.health(now).keeps_up
    except DatabaseError:
        return
    if not alive:
        seen = "Der har aldrig kørt en worker."
        if last is not None:
            seen = f"Ingen worker har kørt i {_duration(now - last)}."
        late = "" if keeps_up else " Der ligger arbejde, som skulle være udført."
        yield Finding(
            "warning" if keeps_up else "fault",
            "Workere",
            f"{seen}{late} Start en: sagsgang worker",
        )
        return
    names = ", ".join(each.name for each in alive)
    yield Finding(
        "ok" if keeps_up else "warning",
        "Workere",
        f"{len(alive)} kører: {names}."
        + ("" if keeps_up else " De kan ikke følge med. Start flere: sagsgang worker"),
    )
    if len({each.version for each in alive}) > 1:
        versions = ", ".join(sorted({each.version for each in alive}))
        yield Finding("warning", "Workere", f"To versioner kører på samme tid: {versions}.")
    others = [each.name for each in alive if each.dispatch != settings.SAGSGANG_DISPATCH]
    if others:
        yield Finding(
            "warning",
            "Workere",
            f"SAGSGANG_DISPATCH er {settings.SAGSGANG_DISPATCH} her, men ikke hos "
            f"{', '.join(others)}.",
        )
    chosen = {queue for each in alive for queue in each.queues}
    if all(each.queues for each in alive):
        yield Finding(
            "warning",
            "Workere",
            f"Alle workere er kun til køerne {', '.join(sorted(chosen))}. Andre køer står stille.",
        )


def _duration(length: timedelta) -> str:
    minutes = int(length.total_seconds() // 60)
    if minutes < 120:
        return f"{minutes} minutter"
    return f"{minutes // 60} timer" if minutes < 48 * 60 else f"{minutes // 1440} døgn"


def _solutions() -> Iterator[Finding]:
    from sagsgang.cases.errors import SolutionError
    from sagsgang.cases.models import SolutionRelease
    from sagsgang.cases.solution import installed

    try:
        found = installed()
        released = set(
            SolutionRelease.objects.filter(state="active").values_list("solution", "version")
        )
    except SolutionError as error:
        yield Finding("fault", "Løsninger", str(error))
        return
    except DatabaseError:
        return
    for each in found.values():
        if (each.id, each.version) in released:
            yield Finding("ok", each.title, f"Version {each.version} er i drift.")
        else:
            yield Finding(
                "warning",
                each.title,
                f"Version {each.version} er ikke taget i brug. Kør: sagsgang deploy {each.id}",
            )


def _payroll() -> Finding:
    parts = urlsplit(settings.SAGSGANG.payroll_url)
    port = parts.port or (443 if parts.scheme == "https" else 80)
    try:
        with socket.create_connection((parts.hostname or "", port), timeout=3):
            return Finding("ok", "Lønsystem", f"{parts.hostname}:{port} svarer.")
    except OSError:
        return Finding(
            "warning",
            "Lønsystem",
            f"{parts.hostname}:{port} svarer ikke. Sager venter, til det svarer; intet går tabt.",
        )


def _danger() -> Iterator[Finding]:
    if settings.SAGSGANG.insecure_demo_users:
        yield Finding("warning", "Demobrugere", "Alle kan logge ind som demobruger. Kun til demo.")
    if settings.SAGSGANG.insecure_clock_offset:
        yield Finding("warning", "Ur", "Uret er stillet af demoen. Kun til demo.")
    if settings.DEBUG:
        yield Finding("warning", "Fejlvisning", "SAGSGANG_DEBUG er slået til. Kun til udvikling.")
    if not settings.SAGSGANG.https and not settings.SAGSGANG.insecure_demo_users:
        yield Finding(
            "warning",
            "Forbindelse",
            "Siderne tilbydes uden https. Sæt SAGSGANG_HTTPS=true bag en krypteret forbindelse.",
        )


def _space() -> Finding:
    folder = settings.SAGSGANG.data_dir
    free = shutil.disk_usage(folder if folder.exists() else folder.resolve().parent).free
    text = f"{free / 1024**3:.1f} GB ledig i {folder}.".replace(".", ",", 1)
    return Finding("ok" if free > _SPACE else "warning", "Plads", text)


def _bundle() -> Finding:
    from sagsgang.site.bundle import BundleMissingError, address

    try:
        address("style.css")
    except BundleMissingError:
        return Finding("fault", "Sidernes udseende", "Kør: make setup")
    return Finding("ok", "Sidernes udseende", "På plads.")

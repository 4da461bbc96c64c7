# SPDX-License-Identifier: MPL-2.0
"""One run of the import, from the file to the committed organisation."""

from __future__ import annotations

import hashlib
from datetime import datetime
from pathlib import Path
from typing import Final
from zoneinfo import ZoneInfo

from django.db import IntegrityError, transaction

from sagsgang.audit.trail import record
from sagsgang.organisation.errors import (
    ExtractBlockedError,
    ExtractError,
    ExtractOutdatedError,
    ExtractTooDifferentError,
)
from sagsgang.organisation.models import ExtractRun
from sagsgang.organisation.zlpe._apply import apply
from sagsgang.organisation.zlpe._reader import extract_time, read
from sagsgang.organisation.zlpe._records import Extract, Finding
from sagsgang.organisation.zlpe._report import Limits, Report, findings_as_json

__all__ = ["import_extract"]

_COPENHAGEN: Final = ZoneInfo("Europe/Copenhagen")


def import_extract(
    path: Path,
    *,
    now: datetime,
    actor: str = "system:zlpe",
    resume: bool = False,
    accept_large_change: bool = False,
    limits: Limits | None = None,
) -> Report:
    """Bring the organisation in line with an extract, in one transaction.

    Args:
        path: The file, under the name that payroll gave it.
        now: The instant, timezone-aware.
        actor: Who is recorded as doing it.
        resume: Release a run that crashed, which otherwise blocks this one.
        accept_large_change: A person has looked: take the extract although far more changes than
            usual.
        limits: How much may change without that.

    Returns:
        What changed and what was left out.

    Raises:
        ExtractNameError: The file name does not give the time.
        ExtractBlockedError: A run crashed or is going on.
        ExtractOutdatedError: This or a newer extract was imported already.
        ExtractUnreadableError: The content cannot be used.
        ExtractTooDifferentError: Far more would change than a day explains.
        OSError: The file cannot be read.
    """
    limits = limits or Limits()
    made_at = extract_time(path.name)
    with path.open("rb") as file:
        sha256 = hashlib.file_digest(file, "sha256").hexdigest()
    run = _claim(path.name, made_at, sha256, now=now, actor=actor, resume=resume)
    try:
        extract = read(path)
        if not accept_large_change:
            _check_malformed(extract, path.name, limits)
        with transaction.atomic():
            report = apply(
                extract,
                on=made_at.astimezone(_COPENHAGEN).date(),
                limits=limits,
                accept_large_change=accept_large_change,
            )
            run.state = ExtractRun.State.DONE
            run.ended_at = now
            run.counts = report.counts()
            run.report = report.details()
            run.save()
            record(
                "organisation.imported",
                actor=actor,
                at=now,
                subject_type="extract_run",
                subject_id=run.pk,
                data={"file": path.name, "sha256": sha256, "counts": run.counts},
            )
    except (ExtractError, OSError) as refusal:
        _fail(run, str(refusal), now=now, findings=getattr(refusal, "findings", ()))
        raise
    return report


def _claim(
    name: str, made_at: datetime, sha256: str, *, now: datetime, actor: str, resume: bool
) -> ExtractRun:
    """Note before anything changes that this run is going on: a crash leaves the note behind."""
    try:
        with transaction.atomic():
            crashed = ExtractRun.objects.filter(state=ExtractRun.State.RUNNING).first()
            if crashed is not None:
                if not resume:
                    raise ExtractBlockedError(
                        f"Indlæsningen af {crashed.file_name} blev aldrig færdig: find ud af "
                        "hvorfor, og kør så igen med --resume."
                    )
                _fail(crashed, "Afbrudt og frigivet igen.", now=now)
                record(
                    "organisation.import-released",
                    actor=actor,
                    at=now,
                    subject_type="extract_run",
                    subject_id=crashed.pk,
                    data={"file": crashed.file_name},
                )
            latest = (
                ExtractRun.objects.filter(state=ExtractRun.State.DONE)
                .order_by("-extract_time", "-id")
                .first()
            )
            if latest is not None and (
                made_at < latest.extract_time
                or (made_at == latest.extract_time and sha256 != latest.sha256)
            ):
                raise ExtractOutdatedError(
                    f"{name} er ikke nyere end {latest.file_name}, som er indlæst: indlæs den "
                    "nyeste fil."
                )
            return ExtractRun.objects.create(
                file_name=name,
                extract_time=made_at,
                sha256=sha256,
                state=ExtractRun.State.RUNNING,
                started_at=now,
            )
    except IntegrityError:
        raise ExtractBlockedError("En anden indlæsning er lige begyndt: vent på den.") from None


def _fail(
    run: ExtractRun, error: str, *, now: datetime, findings: tuple[Finding, ...] = ()
) -> None:
    run.state = ExtractRun.State.FAILED
    run.ended_at = now
    run.error = error
    run.counts = {}
    run.report = {"findings": findings_as_json(findings)}
    run.save()


def _check_malformed(extract: Extract, name: str, limits: Limits) -> None:
    malformed = [finding for finding in extract.findings if not finding.skipped]
    if limits.exceeded(len(malformed), len(extract.numbers)):
        raise ExtractTooDifferentError(
            f"{name} har fejl i {len(malformed)} af {len(extract.numbers)} ansættelser: få dem "
            "rettet i lønsystemet, eller godtag tabet med --accept-large-change.",
            extract.findings,
        )

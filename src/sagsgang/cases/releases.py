# SPDX-License-Identifier: MPL-2.0
"""Releases of solutions: what runs, in which version."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from sagsgang import engine
from sagsgang.audit import trail
from sagsgang.cases import fitting
from sagsgang.cases.errors import SolutionError, UnknownError
from sagsgang.cases.models import Queue, SolutionRelease
from sagsgang.cases.solution import Solution, installed
from sagsgang.engine.models import ProcessDefinition


def deploy(solution: Solution, *, now: datetime, user: str) -> SolutionRelease:
    """Release a solution: new cases run on it from now on; running cases stay on theirs.

    Releasing the same content again changes nothing.

    Args:
        solution: The loaded solution.
        now: The instant, aware.
        user: Who releases it.

    Returns:
        The active release.

    Raises:
        SolutionError: The version number has been used for other content, the flow calls a process
            that nobody has, or the engine refuses the model.
    """
    same = SolutionRelease.objects.filter(solution=solution.id, version=solution.version).first()
    if same is not None and same.sha256 != solution.sha256:
        fault = (
            f"version {solution.version} er allerede taget i brug med et andet indhold. "
            "Sæt versionsnummeret i solution.toml op."
        )
        raise SolutionError(solution.id, [fault])
    if same is not None and same.state == SolutionRelease.State.ACTIVE:
        return same
    missing = fitting.calls_nobody_has(solution, ())
    if missing:
        missing = fitting.calls_nobody_has(solution, _callable())
    if missing:
        raise SolutionError(solution.id, missing)
    with transaction.atomic():
        try:
            definition = engine.deploy(
                solution.process,
                solution=solution.id,
                version=solution.version,
                decisions=solution.decisions,
                process=solution.description.process,
                now=now,
            )
        except engine.DeploymentError as error:
            raise SolutionError(solution.id, [str(error)]) from error
        SolutionRelease.objects.filter(
            solution=solution.id, state=SolutionRelease.State.ACTIVE
        ).update(state=SolutionRelease.State.REPLACED)
        release, _ = SolutionRelease.objects.update_or_create(
            solution=solution.id,
            version=solution.version,
            defaults={
                "sha256": solution.sha256,
                "process": solution.description.process,
                "definition_version": definition.version,
                "state": SolutionRelease.State.ACTIVE,
                "released_at": now,
                "released_by": user,
            },
        )
        queues = {solution.description.queue: solution.title, **solution.description.queues}
        for code, title in queues.items():
            Queue.objects.update_or_create(code=code, defaults={"title": title})
        trail.record(
            "solution.released",
            actor=user,
            at=now,
            subject_type="solution",
            subject_id=solution.id,
            data={"version": solution.version, "sha256": solution.sha256},
        )
    return release


def _callable() -> set[str]:
    """Ids of the processes that are deployed, or come with an installed solution."""
    coming = {graph.process_id for each in installed().values() for graph in each.graphs}
    return coming | set(ProcessDefinition.objects.values_list("key", flat=True))


def active_release(solution: str) -> SolutionRelease:
    """The release that new cases run on.

    Raises:
        UnknownError: The solution has not been released here.
    """
    release = SolutionRelease.objects.filter(
        solution=solution, state=SolutionRelease.State.ACTIVE
    ).first()
    if release is None:
        message = f"Løsningen {solution} er ikke taget i brug. Kør: sagsgang deploy {solution}"
        raise UnknownError(message)
    return release

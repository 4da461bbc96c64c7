# SPDX-License-Identifier: MPL-2.0
"""``pause``, ``stop-process`` and their opposites: what holds for everybody."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from sagsgang.site.operate._common import (
    As,
    Reason,
    Version,
    started,
    wrong,
)

if TYPE_CHECKING:
    from sagsgang.cases.operating import GovernedAct

__all__ = ["app"]

app = typer.Typer()


@app.command("pause")
def pause(
    task_type: Annotated[str, typer.Argument(help="Opgavetypen, fx deliver-pay.")],
    user: As = "system:cli",
    reason: Reason = "",
) -> None:
    """Lad workerne lade en slags arbejde ligge, fx mens et system er nede."""
    _govern("pause-task-type", task_type, user, reason, f"{task_type} er sat på pause.")
    from sagsgang.engine import overview

    if task_type not in overview.task_types():
        typer.echo(
            f"Ingen proces bruger opgavetypen {task_type} nu. Er den stavet rigtigt?", err=True
        )


@app.command("unpause")
def unpause(
    task_type: Annotated[str, typer.Argument(help="Opgavetypen.")],
    user: As = "system:cli",
    reason: Reason = "",
) -> None:
    """Lad workerne tage en slags arbejde igen."""
    _govern("resume-task-type", task_type, user, reason, f"{task_type} er i gang igen.")


@app.command("stop-process")
def stop_process(
    process: Annotated[str, typer.Argument(help="Processens id.")],
    version: Version = None,
    user: As = "system:cli",
    reason: Reason = "",
) -> None:
    """Lad en proces ikke starte flere instanser; de åbne går videre."""
    key = process if version is None else f"{process}:{version}"
    _govern("suspend-definition", key, user, reason, f"{process} starter ikke flere.")


@app.command("start-process")
def start_process(
    process: Annotated[str, typer.Argument(help="Processens id.")],
    version: Version = None,
    user: As = "system:cli",
    reason: Reason = "",
) -> None:
    """Lad en proces starte instanser igen."""
    key = process if version is None else f"{process}:{version}"
    _govern("resume-definition", key, user, reason, f"{process} kan starte igen.")


def _govern(act: GovernedAct, key: str, user: str, reason: str, done: str) -> None:
    operator, now = started(user)
    if act in {"pause-task-type", "suspend-definition"} and not reason.strip():
        raise wrong("Skriv en begrundelse: --reason »...«. Den står i sporet.")
    operator.govern(act, key, now=now, reason=reason)
    typer.echo(done)

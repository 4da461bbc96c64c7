# SPDX-License-Identifier: MPL-2.0
"""What may be logged of a fault: where it was raised, never its text: that may quote a variable."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING

import structlog

if TYPE_CHECKING:
    from sagsgang.engine.handlers import JobContext

__all__ = ["frames_of", "unexpected"]

_log = structlog.get_logger(__name__)


def frames_of(error: BaseException) -> list[str]:
    """File, line and function of the innermost ten frames of an exception."""
    frames = []
    step = error.__traceback__
    while step is not None:
        code = step.tb_frame.f_code
        frames.append(f"{code.co_filename}:{step.tb_lineno} {code.co_name}")
        step = step.tb_next
    return frames[-10:]


def unexpected(context: JobContext, error: BaseException) -> str:
    """Log an unknown fault of a handler and return what may be stored and shown of it."""
    reference = uuid.uuid4().hex[:12]
    _log.error(
        "engine.handler_failed",
        reference=reference,
        instance=context.instance_id,
        element=context.element,
        task_type=context.task_type,
        attempt=context.attempt,
        error=type(error).__name__,
        frames=frames_of(error),
    )
    return (
        f"Uventet fejl i {context.task_type} ({type(error).__name__}, reference {reference}). "
        "Prøv igen, eller send referencen til den systemansvarlige."
    )

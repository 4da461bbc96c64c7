# SPDX-License-Identifier: MPL-2.0
"""What may be logged of a fault: where it was raised, never its text: that may quote a variable."""

from __future__ import annotations

import traceback
import uuid
from typing import TYPE_CHECKING

import structlog

from sagsgang.engine._limits import told_too_large
from sagsgang.engine.errors import EngineError, TooLargeError
from sagsgang.engine.handlers import safe_error

if TYPE_CHECKING:
    from sagsgang.engine.handlers import JobContext

__all__ = ["described", "frames_of", "unusable"]

_log = structlog.get_logger(__name__)


def frames_of(error: BaseException) -> list[str]:
    """File, line and function of the innermost ten frames of an exception."""
    return [
        f"{frame.f_code.co_filename}:{line} {frame.f_code.co_name}"
        for frame, line in traceback.walk_tb(error.__traceback__)
    ][-10:]


def described(context: JobContext, error: BaseException) -> tuple[str, str]:
    """Code and sentence of a fault; of unknown faults only the class: texts may be personal."""
    if safe_error(error):
        return str(getattr(error, "code", type(error).__name__))[:100], str(error)
    return "unexpected", _unexpected(context, error)


def unusable(task_type: str, error: EngineError) -> str:
    """What to say of a result that cannot be stored."""
    why = "Motoren afviste det. Prøv igen, eller se loggen."
    if isinstance(error, TooLargeError):
        why = told_too_large(error)
    _log.error("engine.result_refused", task_type=task_type, code=error.code, error=str(error))
    return f"Resultatet af {task_type!r} kan ikke gemmes. {why}"


def _unexpected(context: JobContext, error: BaseException) -> str:
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

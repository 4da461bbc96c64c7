# SPDX-License-Identifier: MPL-2.0
"""What may be logged of a fault: where it was raised, never its text: that may quote a variable."""

from __future__ import annotations

__all__ = ["frames_of"]


def frames_of(error: BaseException) -> list[str]:
    """File, line and function of the innermost ten frames of an exception."""
    frames = []
    step = error.__traceback__
    while step is not None:
        code = step.tb_frame.f_code
        frames.append(f"{code.co_filename}:{step.tb_lineno} {code.co_name}")
        step = step.tb_next
    return frames[-10:]

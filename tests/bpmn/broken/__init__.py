# SPDX-License-Identifier: MPL-2.0
"""Models that each break one rule of the standard, beside the valid model they come from.

A case is a valid model and an edit that makes it break exactly one rule. ``python -m
tests.bpmn.broken FOLDER`` writes them all as files, to be opened in any tool.
"""

from tests.bpmn.broken.case import Case

__all__ = ["Case", "cases"]


def cases() -> list[Case]:
    """Every case, in the order of the standard."""
    from tests.bpmn.broken import (
        activities,
        choreography,
        collaboration,
        compensation,
        data,
        diagram,
        events,
        execution,
        flows,
        foundation,
        gateways,
        schema,
    )

    modules = (
        schema,
        foundation,
        flows,
        gateways,
        activities,
        data,
        events,
        compensation,
        collaboration,
        choreography,
        diagram,
        execution,
    )
    return [each for module in modules for each in module.CASES]

# SPDX-License-Identifier: MPL-2.0
"""Which rules of BPMN 2.0 does a model break?

Structure first (elements, attributes, order, references), then what the text of the standard
demands beyond the schema. Extensions of vendors are left alone.
"""

from __future__ import annotations

from sagsgang.bpmn.model import Model
from sagsgang.bpmn.validation._context import Context, Violation
from sagsgang.bpmn.validation._data import check_data
from sagsgang.bpmn.validation._events import check_events
from sagsgang.bpmn.validation._flow import check_flow
from sagsgang.bpmn.validation._references import check_references
from sagsgang.bpmn.validation._schema import check_schema

__all__ = ["Violation", "check"]


def check(model: Model) -> list[Violation]:
    """Every rule of the standard that a model breaks, in the order of the file.

    Args:
        model: What ``load`` gave.

    Returns:
        The violations; an empty list for a model that keeps the standard.
    """
    context = Context(model)
    for look in (check_schema, check_references, check_flow, check_events, check_data):
        look(context)
    return sorted(context.found, key=lambda each: (each.line, each.rule, each.element))

# SPDX-License-Identifier: MPL-2.0
"""Which rules of BPMN 2.0 does a model break?

Structure first (elements, attributes, order, references), then what the text of the standard
demands beyond the schema. Extensions of vendors are left alone.
"""

from __future__ import annotations

from pathlib import Path

from sagsgang.bpmn.model import Model
from sagsgang.bpmn.validation._activities import check_activities
from sagsgang.bpmn.validation._choreography import check_choreography
from sagsgang.bpmn.validation._collaboration import check_collaboration
from sagsgang.bpmn.validation._compensation import check_compensation
from sagsgang.bpmn.validation._context import Context, Violation
from sagsgang.bpmn.validation._data import check_data
from sagsgang.bpmn.validation._diagram import check_diagram
from sagsgang.bpmn.validation._events import check_events
from sagsgang.bpmn.validation._execution import check_execution
from sagsgang.bpmn.validation._flow import check_flow
from sagsgang.bpmn.validation._gateways import check_gateways
from sagsgang.bpmn.validation._imports import check_imports
from sagsgang.bpmn.validation._references import check_references
from sagsgang.bpmn.validation._rules import Rule, Severity, rules
from sagsgang.bpmn.validation._schema import check_schema

__all__ = ["Rule", "Severity", "Violation", "check", "rules"]

# How many imported files are looked at.
_MAX_IMPORTS = 50
_CHECKS = (
    check_schema,
    check_imports,
    check_references,
    check_flow,
    check_gateways,
    check_events,
    check_compensation,
    check_activities,
    check_data,
    check_collaboration,
    check_choreography,
    check_diagram,
    check_execution,
)


def check(model: Model, *, deploy: bool = False, advice: bool = False) -> list[Violation]:
    """Every rule of the standard that a model breaks, in the order of the file.

    Args:
        model: What ``load`` gave.
        deploy: Hold every process that would be deployed to what execution needs, whether it says
            that it is executable or not, and tell also what hinders execution.
        advice: Tell everything, also what is legal but hardly meant.

    Returns:
        The findings; an empty list for a model that keeps the standard.
    """
    context = _looked_at(model, deploy=deploy, seen=set())
    wanted = {Severity.VIOLATION}
    if deploy or advice:
        wanted.add(Severity.EXECUTION)
    if advice:
        wanted.add(Severity.ADVICE)
    found = {each: None for each in context.found if each.severity in wanted}
    return sorted(found, key=lambda each: (each.line, each.rule, each.element))


def _looked_at(model: Model, *, deploy: bool, seen: set[Path]) -> Context:
    context = Context(model, deploy=deploy)
    for look in _CHECKS:
        look(context)
    if model.path is not None and len(seen) < _MAX_IMPORTS:
        seen.add(model.path.resolve())
        _imported(context, seen)
    return context


def _imported(context: Context, seen: set[Path]) -> None:
    """An imported model must keep the standard itself (8.2.2); each is looked at once."""
    for element in context.imports.elements:
        model = context.imports.read(element)
        if not isinstance(model, Model) or model.path is None or model.path.resolve() in seen:
            continue
        found = [
            each
            for each in _looked_at(model, deploy=False, seen=seen).found
            if each.severity is Severity.VIOLATION
        ]
        if found:
            context.add(
                element,
                "import-broken",
                f"{element.get('location')!r} bryder selv standarden {len(found)} steder, først: "
                f"{found[0]}",
            )

# SPDX-License-Identifier: MPL-2.0
"""Processes that call processes: started, ended and withdrawn in the transaction of the caller."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from sagsgang.bpmn.protocol import (
    Cancel,
    Command,
    Complete,
    Ended,
    Escalated,
    Fail,
    ThrowError,
    ThrowEscalation,
    Variables,
    Wait,
    WaitKind,
)
from sagsgang.engine import _store
from sagsgang.engine._instance import Instance
from sagsgang.engine.errors import NotActiveError, NotFoundError

if TYPE_CHECKING:
    from sagsgang.engine._unit import UnitOfWork

__all__ = ["HELD", "call", "escalate", "give_held", "report_end", "withdraw"]

HELD: Final = "held"
"""What the history calls that a suspended caller was told; it hears of it when it goes on."""
_ESCALATED: Final = "escalated"

_MAX_DEPTH = 50
_MAX_CALLS = 1_000


def call(unit: UnitOfWork, parent: Instance, wait: Wait) -> None:
    """Start the process that a call activity names; a fault is an incident of the caller."""
    if not unit.is_open(parent, wait.id):
        return
    parent.calls += 1
    if parent.depth >= _MAX_DEPTH or parent.calls > _MAX_CALLS:
        text = (
            f"Aktiviteten kalder processen {wait.task_type} uden ende. "
            "Ret modellen, så kaldene har en afslutning."
        )
        unit.step(parent, Fail(wait.id, "endless-calls", text))
        return
    try:
        unit.start(
            unit.latest(wait.task_type),
            variables=wait.inputs,
            business_key=parent.business_key,
            parent=parent,
            parent_wait=wait.id,
        )
    except (NotFoundError, NotActiveError):
        text = (
            f"Processen {wait.task_type}, som aktiviteten kalder, kan ikke startes. "
            "Idriftsæt den eller genoptag den, og prøv igen."
        )
        unit.step(parent, Fail(wait.id, "unknown-process", text))


def report_end(unit: UnitOfWork, child: Instance, end: Ended) -> None:
    """Tell the caller that the called process has ended."""
    _tell(unit, child, {"status": end.status, "code": end.error_code, "text": end.error_message})


def escalate(unit: UnitOfWork, child: Instance, effect: Escalated) -> None:
    """Give an escalation that nobody in the called process catches to its caller."""
    _tell(unit, child, {"status": _ESCALATED, "code": effect.code}, effect.variables)


def _tell(
    unit: UnitOfWork, child: Instance, what: Mapping[str, str], variables: Variables | None = None
) -> None:
    """Give the caller what its called process says; one that stands still gets it later."""
    assert child.parent_id is not None  # noqa: S101 - asked before
    assert child.parent_wait is not None  # noqa: S101 - written together
    try:
        parent = unit.get(child.parent_id)
    except NotFoundError:
        return
    if child.parent_wait not in parent.state.waits:
        return
    told = {"called": child.id, "wait": child.parent_wait, **what}
    if parent.status == "suspended":
        unit.note(parent, HELD, told)
    elif parent.status == "active":
        _give(unit, parent, told, child.state.root.variables if variables is None else variables)


def give_held(unit: UnitOfWork, parent: Instance) -> None:
    """Give a caller that goes on again what its called processes have said meanwhile.

    The history keeps no values: an escalation comes with the variables that the called process
    has by now.
    """
    if all(each.kind is not WaitKind.CALL for each in parent.state.waits.values()):
        return
    for told in unit.noted_since(parent, HELD, "suspend"):
        if not unit.is_open(parent, told["wait"]):
            continue
        try:
            child = unit.get(told["called"])
        except NotFoundError:
            _give(unit, parent, {**told, "status": "cancelled"}, {})
        else:
            _give(unit, parent, told, child.state.root.variables)


def _give(
    unit: UnitOfWork, parent: Instance, told: Mapping[str, Any], variables: Variables
) -> None:
    wait, variables, detail = told["wait"], dict(variables), {"called": told["called"]}
    command: Command
    match told["status"]:
        case "completed":
            command = Complete(wait, variables)
        case "failed":
            command = ThrowError(wait, told["code"], told["text"], variables)
        case status if status == _ESCALATED:
            command = ThrowEscalation(wait, told["code"], variables)
        case _:
            text = "Den kaldte proces er annulleret. Prøv igen, eller flyt sagen videre."
            command = Fail(wait, "called-process-cancelled", text)
    unit.step(parent, command, detail)


def withdraw(unit: UnitOfWork, parent: Instance, wait: int) -> None:
    """Cancel the called process of a call activity that is over."""
    found = _store.query(
        "SELECT id FROM engine_processinstance WHERE parent_id = %s AND parent_wait = %s "
        "AND status IN ('active', 'suspended')",
        [parent.id, wait],
    )
    ids = {row[0] for row in found}
    for each in unit.instances:
        if each.parent_id == parent.id and each.parent_wait == wait:
            ids.add(each.id)
    for child_id in sorted(ids):
        child = unit.get(child_id)
        if child.status in {"active", "suspended"}:
            unit.step(child, Cancel("Den kaldende aktivitet er afsluttet."))

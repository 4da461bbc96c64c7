# SPDX-License-Identifier: MPL-2.0
"""What an operator can do to instances, as JSON; each becomes an act of the engine."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field

from sagsgang.api.fields import Body, Line, Name, Variables
from sagsgang.engine import migration, operations
from sagsgang.engine.acts import Act

__all__ = ["ActIn", "MigrateIn", "act_of", "plan_of"]

Wait = Annotated[int, Field(ge=0, lt=2**31)]
Version = Annotated[int, Field(ge=1, lt=2**31)]


class RetryIn(Body):
    """Try again what an incident stopped, and bring delayed attempts forward."""

    kind: Literal["retry"]
    element: Line = ""
    code: Line = ""


class SkipIn(Body):
    """Go on as if a step had been done."""

    kind: Literal["skip"]
    element: Line = ""
    wait: Wait | None = None
    variables: Variables


class SimpleIn(Body):
    """Cancel, let stand still, let go on."""

    kind: Literal["cancel", "suspend", "resume"]


class SetVariablesIn(Body):
    """Set variables of the process, or of the scope of a wait."""

    kind: Literal["set-variables"]
    variables: dict[str, Any]
    wait: Wait | None = None
    retype: bool = False


class ModifyIn(Body):
    """Move, start and end tokens."""

    kind: Literal["modify"]
    move: Annotated[list[tuple[Name, Name]], Field(max_length=100)] = []
    start: Annotated[list[Name], Field(max_length=100)] = []
    end: Annotated[list[Name], Field(max_length=100)] = []


class MigrateIn(Body):
    """Move to another version of the process.

    Attributes:
        mapping: Element of the source to element of the target; as proposed where it is left out.
    """

    kind: Literal["migrate"]
    process: Name
    source: Version
    target: Version
    mapping: dict[str, str] | None = None


ActIn = Annotated[
    RetryIn | SkipIn | SimpleIn | SetVariablesIn | ModifyIn | MigrateIn,
    Field(discriminator="kind"),
]

_SIMPLE: dict[str, type[Any]] = {
    "cancel": operations.Cancel,
    "suspend": operations.Suspend,
    "resume": operations.Resume,
}


def act_of(body: Any) -> Act:
    """The engine's act.

    Raises:
        EngineError: A migration names a version or an element that there is not.
    """
    match body:
        case RetryIn():
            return operations.Retry(body.element, body.code)
        case SkipIn():
            return operations.Skip(body.element, body.wait, body.variables)
        case SetVariablesIn():
            return operations.SetVariables(body.variables, body.wait, body.retype)
        case ModifyIn():
            return operations.ModifyTokens(tuple(body.move), tuple(body.start), tuple(body.end))
        case MigrateIn():
            return plan_of(body)
        case _:
            made: Act = _SIMPLE[body.kind]()
            return made


def plan_of(body: MigrateIn) -> migration.MigrationPlan:
    """The plan of a migration, with the proposed mapping where none is given.

    Raises:
        EngineError: As ``act_of``.
    """
    if body.mapping is None:
        return migration.propose(body.process, source=body.source, target=body.target)
    return migration.with_mapping(body.process, body.source, body.target, body.mapping)

# SPDX-License-Identifier: MPL-2.0
"""The errors of the BPMN library.

::

    BpmnLibraryError
    ├── ModelError            a file that cannot be used
    │   ├── UnreadableModel   not XML, not safe XML, or not BPMN
    │   ├── InvalidModel      breaks rules of the standard; carries the list
    │   └── UnknownProcess    no process of that id in the file
    ├── StateError            stored state that cannot be read
    └── CommandError          a command that does not fit the state
        └── StaleCommand      the wait it names is over

    BpmnError                 raised by handlers to throw an error event of the model
    WorkFault                 raised by handlers and decisions for what a person must see to
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

__all__ = [
    "BpmnError",
    "BpmnLibraryError",
    "CommandError",
    "InvalidModel",
    "ModelError",
    "StaleCommand",
    "StateError",
    "UnknownProcess",
    "UnreadableModel",
    "WorkFault",
]


class BpmnLibraryError(Exception):
    """Base of every error that this library raises to its caller."""

    code = "bpmn"


class ModelError(BpmnLibraryError):
    """A model cannot be used."""

    code = "bpmn-model"


class UnreadableModel(ModelError):  # noqa: N818 - says what is wrong in the words of the domain
    """The source is not well-formed, safe BPMN 2.0 XML."""

    code = "bpmn-unreadable"


class InvalidModel(ModelError):  # noqa: N818 - says what is wrong in the words of the domain
    """The model breaks rules of the standard.

    Attributes:
        violations: All of them, not only the first.
    """

    code = "bpmn-invalid"

    def __init__(self, message: str, violations: Sequence[object] = ()) -> None:
        super().__init__(message)
        self.violations = tuple(violations)


class UnknownProcess(ModelError):  # noqa: N818 - says what is wrong in the words of the domain
    """The file holds no process of that id."""

    code = "bpmn-unknown-process"


class StateError(BpmnLibraryError):
    """Stored bytes are not a state that this version can read."""

    code = "bpmn-state"


class CommandError(BpmnLibraryError):
    """A command does not fit the state of the instance. The state is unchanged."""

    code = "bpmn-command"


class StaleCommand(CommandError):  # noqa: N818 - says what is wrong in the words of the domain
    """The wait that a command names is over or never was: somebody else came first."""

    code = "bpmn-stale"


class BpmnError(Exception):
    """A business error: raised by a handler to throw an error event that the model catches.

    Args:
        code: The error code that a boundary event or event sub-process names.
        message: One sentence for people.
        variables: Values for the scope that catches.
    """

    def __init__(
        self, code: str, message: str = "", variables: Mapping[str, Any] | None = None
    ) -> None:
        super().__init__(message or code)
        self.code = code
        self.message = message
        self.variables: Mapping[str, Any] = dict(variables or {})


class WorkFault(Exception):  # noqa: N818 - no error of the program: a person must see to it
    """What a step called, a handler or a decision, cannot be done; becomes an incident.

    Args:
        code: Stable code of the incident.
        message: What is wrong and what to do, one or two Danish sentences without personal data.
    """

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message

# SPDX-License-Identifier: MPL-2.0
"""What an operator can do to an instance, as data; and the port through which others hear of it.

An act is a value: it can be shown before it is done, tried in a transaction that is undone, applied
to one instance or to a hundred thousand, and stored with a bulk run. ``operations.perform`` is the
one place where acts are carried out.

Layers above take part through ``add_act_listener``: it is told of every act in the act's own
transaction. So nothing an operator does goes without a line in the audit trail, whichever way it
came in. The values of variables are in the act for the listener to judge; the engine stores only
their names.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from datetime import datetime
from typing import TYPE_CHECKING, Any, ClassVar, Protocol, TypeVar

from sagsgang.bpmn import codec
from sagsgang.engine._limits import told_too_large
from sagsgang.engine.errors import EngineError, RefusedError, TooLargeError

if TYPE_CHECKING:
    from sagsgang.engine._unit import Instance, UnitOfWork

__all__ = [
    "Act",
    "ActListener",
    "NotPossibleError",
    "OperatorAct",
    "add_act_listener",
    "cleaned",
    "dumps",
    "loads",
    "register",
    "remove_act_listener",
    "tell",
    "told",
]

Detail = Mapping[str, Any]


class NotPossibleError(RefusedError):
    """An operator asked for what cannot be done; the text is Danish, for the operator."""


class Act(Protocol):
    """Something that can be done to an instance."""

    kind: ClassVar[str]
    """Stable name, ``retry``."""

    needs_reason: ClassVar[bool]
    """Whether it is refused without a reason."""

    def apply(self, unit: UnitOfWork, instance: Instance, reason: str) -> Detail:
        """Do it to a locked instance; returns what there is to know of it besides.

        Raises:
            EngineError: It cannot be done; nothing may have been changed then.
        """


_kinds: dict[str, type[Any]] = {}
ActClass = TypeVar("ActClass", bound=type[Any])


def register(cls: ActClass) -> ActClass:
    """Let acts of a class be stored and read back."""
    _kinds[cls.kind] = cls
    return cls


def dumps(act: Act) -> str:
    """An act as JSON; every kind of process value is kept exactly."""
    values = {each.name: getattr(act, each.name) for each in fields(act)}  # type: ignore[arg-type]
    return codec.dumps({"kind": act.kind, **values}).decode()


def loads(text: str) -> Act:
    """Read what ``dumps`` wrote.

    Raises:
        ValueError: It is no act, or one of a newer program.
    """
    # Their modules register the kinds; they import this one.
    from sagsgang.engine import instance_acts, migration  # noqa: F401

    raw = codec.loads(text)
    cls = _kinds.get(raw.pop("kind", None))
    if cls is None:
        raise ValueError("The stored text is no operator's act that this program knows.")
    made: Act = cls(**{name: _tuples(value) for name, value in raw.items()})
    return made


def _tuples(value: Any) -> Any:
    """Lists as the tuples that they were; mappings stay."""
    return tuple(map(_tuples, value)) if isinstance(value, list) else value


# --- Telling others --------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class OperatorAct:
    """One thing that an operator has done, about to be committed.

    Attributes:
        kind: What: the kind of an act, or ``suspend-definition``, ``pause-task-type`` and so on.
        subject: What it was done to: ``instance``, ``process``, ``task-type`` or ``bulk-run``.
        subject_id: Its id or key.
        actor: Who.
        now: When, aware.
        reason: Why, as the operator said.
        business_key: Instances: what it is about.
        instance: Instances: as it is now; to be read only.
        detail: What the kind has to tell; variables stand here in clear.
    """

    kind: str
    subject: str
    subject_id: str
    actor: str
    now: datetime
    reason: str = ""
    business_key: str = ""
    instance: Instance | None = None
    detail: Detail = field(default_factory=dict)


ActListener = Callable[[Sequence[OperatorAct]], None]
"""Writes what belongs to a batch of acts, in their transaction; what it raises undoes them."""

_listeners: list[ActListener] = []


def add_act_listener(listener: ActListener) -> None:
    """Let a listener hear of every act from now on; adding it twice has no effect."""
    if listener not in _listeners:
        _listeners.append(listener)


def remove_act_listener(listener: ActListener) -> None:
    """Let a listener go."""
    if listener in _listeners:
        _listeners.remove(listener)


def tell(acts: Sequence[OperatorAct]) -> None:
    """Tell the listeners, inside the transaction of the acts."""
    if acts:
        for listener in tuple(_listeners):
            listener(acts)


# --- Reasons and refusals in words -----------------------------------------------------------

_SENTENCES: Mapping[str, str] = {
    "not-found": "Der er ingen instans med det nummer.",
    "not-open": "Trinet er allerede løst eller trukket tilbage.",
    "not-active": "Instansen er afsluttet eller sat på pause.",
    "lease-lost": "En worker har arbejdet netop nu. Vent et øjeblik, og prøv igen.",
    "conflict": "Andre ændrede instansen samtidig. Prøv igen om et øjeblik.",
    "unexpected": "Uventet fejl; se loggen.",
}


def cleaned(reason: str) -> str:
    """A reason as it is stored: one line of at most 500 characters that can be seen."""
    words = " ".join(reason.split())
    return "".join(each for each in words if each.isprintable())[:500]


def told(error: EngineError) -> str:
    """A refusal as a Danish sentence for the operator."""
    if isinstance(error, NotPossibleError):
        return str(error)
    if isinstance(error, TooLargeError):
        return told_too_large(error)
    return _SENTENCES.get(error.code, f"Motoren afviste det: {error}")

# SPDX-License-Identifier: MPL-2.0
"""What the operations pages share: who may come in, filters from the address, acts from forms."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, cast
from urllib.parse import urlencode

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, QueryDict

from sagsgang.audit.identifiers import scrub
from sagsgang.cases.errors import InvalidError, NotAllowedError
from sagsgang.cases.operating import Operator, operator_of
from sagsgang.cases.operating_words import AGES, STATUSES
from sagsgang.engine import operations, variables
from sagsgang.engine.acts import Act
from sagsgang.engine.selection import Filter
from sagsgang.organisation.models import User

__all__ = ["Chosen", "act_of", "chosen_of", "operator_at_desk", "printable", "whole_number"]


def operator_at_desk(request: HttpRequest, now: datetime, *, to_act: bool = False) -> Operator:
    """The signed-in user as an operator.

    Raises:
        PermissionDenied: The user has no such role, or only looks where acting is asked for.
    """
    try:
        operator = operator_of(cast("User", request.user), now)
    except NotAllowedError:
        raise PermissionDenied from None
    if to_act and not operator.may_act:
        raise PermissionDenied
    return operator


def whole_number(text: str) -> int | None:
    """The number in a text, or None."""
    return int(text) if text.isdecimal() and len(text) < 19 else None


def printable(text: str) -> str:
    """A text that may be looked for: PostgreSQL refuses to look for control characters."""
    return text if text.isprintable() else ""


@dataclass(frozen=True, slots=True)
class Chosen:
    """What is chosen in the list; all of it stands in the address.

    Attributes:
        process: Key of a process, or empty.
        version: A version, or None.
        status: A key of ``STATUSES``, or empty for all.
        element: Id of an element, or empty.
        code: Code of an incident, ``*`` for any, or empty.
        age: A key of ``AGES``, or empty.
        text: What is searched for.
    """

    process: str = ""
    version: int | None = None
    status: str = "open"
    element: str = ""
    code: str = ""
    age: str = ""
    text: str = ""

    @property
    def query(self) -> str:
        """The filters as an address has them."""
        values = {
            "proces": self.process,
            "version": self.version or "",
            "status": self.status,
            "trin": self.element,
            "fejl": self.code,
            "alder": self.age,
            "q": self.text,
        }
        return urlencode(
            {name: value for name, value in values.items() if value or name == "status"}
        )

    @property
    def narrowed(self) -> bool:
        """Whether anything else is chosen than at first."""
        return self != Chosen()

    def filter(self, now: datetime) -> Filter:
        """The engine's filter."""
        return Filter(
            process=self.process or None,
            version=self.version if self.process else None,
            status=self.status or None,
            element=self.element or None,
            incident=True if self.code == "*" else None,
            code=self.code if self.code not in {"", "*"} else None,
            started_before=now - AGES[self.age][1] if self.age else None,
            text=self.text or None,
        )


def chosen_of(query: Mapping[str, str]) -> Chosen:
    """The filters in an address; what is unknown there is passed over."""
    query = {name: printable(value) for name, value in query.items()}
    status = query.get("status", "open")
    age = query.get("alder", "")
    chosen = Chosen(
        process=query.get("proces", "")[:255],
        version=whole_number(query.get("version", "")),
        status=status if status in STATUSES else "",
        element=query.get("trin", "")[:255],
        code=query.get("fejl", "")[:100],
        age=age if age in AGES else "",
        text=query.get("q", "").strip()[:100],
    )
    # A CPR number is no business key; it must not be looked for, nor stand in the page again.
    return replace(chosen, text="") if scrub(chosen.text) != chosen.text else chosen


def act_of(kind: str, form: QueryDict) -> Act:
    """The act that a form asks for.

    Raises:
        InvalidError: The form lacks something, or a value is not of its type.
    """
    element = form.get("element", "")
    match kind:
        case "retry":
            return operations.Retry(element=element, code=form.get("code", ""))
        case "skip":
            return operations.Skip(element=element, wait=whole_number(form.get("wait", "")))
        case "cancel":
            return operations.Cancel()
        case "suspend":
            return operations.Suspend()
        case "resume":
            return operations.Resume()
        case "modify":
            return _modify(form)
        case "set-variables":
            return _set_variables(form)
        case _:
            raise InvalidError({"do": ["Vælg, hvad der skal ske."]})


def _modify(form: QueryDict) -> Act:
    source, target = form.get("source", ""), form.get("target", "")
    if source and target:
        return operations.ModifyTokens(move=((source, target),))
    if target:
        return operations.ModifyTokens(start=(target,))
    if source:
        return operations.ModifyTokens(end=(source,))
    raise InvalidError({"target": ["Vælg, hvor tokenet skal flyttes fra og til."]})


_EXAMPLES = {
    "number": " Skriv fx 1234,50. Et punktum efterfulgt af tre cifre kan læses på to måder.",
    "date": " Skriv fx 2026-01-31.",
    "time": " Skriv fx 12:30:00.",
    "date-time": " Skriv fx 2026-01-31T12:30:00.",
    "duration": " Skriv fx P3D for tre dage eller PT2H for to timer.",
    "boolean": " Skriv ja eller nej.",
    "list": " Skriv fx [1, 2].",
    "context": ' Skriv fx {navn: "Ida", antal: 2}.',
}


def _set_variables(form: QueryDict) -> Act:
    name, kind = form.get("name", "").strip(), form.get("kind", "")
    if not name:
        raise InvalidError({"name": ["Skriv variablens navn."]})
    if kind not in variables.KINDS:
        raise InvalidError({"kind": ["Vælg en type."]})
    try:
        value: Any = variables.parse(kind, form.get("value", ""))
    except ValueError:
        # What was written may be personal and goes back to nobody.
        sentence = f"Værdien er ikke af typen {variables.KINDS[kind]}.{_EXAMPLES.get(kind, '')}"
        raise InvalidError({"value": [sentence]}) from None
    return operations.SetVariables({name: value}, retype=form.get("retype") == "on")

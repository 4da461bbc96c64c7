# SPDX-License-Identifier: MPL-2.0
"""Expressions of a model: FEEL compiled once, texts kept as they are.

``=expr`` is FEEL where a text is also possible (the ``zeebe:`` way); conditions and scripts are
FEEL with or without the sign. What other tools write is read as FEEL when it is one after its
operators have been put in FEEL's spelling.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Protocol

from sagsgang import feel
from sagsgang.bpmn._functions import FUNCTIONS
from sagsgang.bpmn._respell import is_foreign, respell

__all__ = [
    "MISSING",
    "Clock",
    "Expression",
    "ExpressionFault",
    "Gathered",
    "Variable",
    "condition",
    "constant",
    "text_or_feel",
]

MISSING: Any = object()
"""What a data association gives when its source does not exist: nothing is then assigned."""


class Clock(Protocol):
    """Something that knows the present instant, for ``now()`` and ``today()``."""

    @property
    def now(self) -> datetime:
        """The instant, aware."""


class ExpressionFault(Exception):  # noqa: N818 - never leaves the package
    """An expression cannot be evaluated, or its value does not fit. Becomes an incident."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


class Expression:
    """A compiled expression, or a constant.

    Attributes:
        text: As the model has it.
        names: The variables that it reads.
        error: Why it is not FEEL; "" when all is well.
        value: The constant, where it is one.
    """

    __slots__ = ("_hidden", "error", "names", "program", "text", "value")

    def __init__(
        self,
        text: str,
        program: feel.Program | None = None,
        value: Any = None,
        error: str = "",
        hidden: tuple[str, ...] = (),
    ) -> None:
        self.text = text
        self.program = program
        self.value = value
        self.error = error
        self.names: tuple[str, ...] = tuple(sorted(program.free_names)) if program else ()
        # A variable that does not exist is null, also where a built-in function has its name.
        self._hidden = dict.fromkeys(each for each in hidden if each in self.names)

    @property
    def is_constant(self) -> bool:
        """Whether it needs no evaluation."""
        return self.program is None and not self.error

    def evaluate(self, context: Mapping[str, Any], clock: Clock | None = None) -> Any:
        """The value in a context of FEEL values.

        Raises:
            ExpressionFault: It is not FEEL, or it ran into a limit.
        """
        program = self.program
        if program is None:
            if self.error:
                raise ExpressionFault("expression-syntax", self.error)
            return self.value
        if self._hidden:
            context = {**self._hidden, **context}
        try:
            return program.run(context, clock=None if clock is None else lambda: clock.now)
        except feel.FeelError as error:
            raise ExpressionFault(
                "expression-limit", f"Udtrykket {self.text!r} kan ikke beregnes: {_danish(error)}"
            ) from None

    def why_null(self, context: Mapping[str, Any]) -> str:
        """The first reason why the value is null, in Danish; "" where there is none."""
        if self.program is None:
            return ""
        trace = feel.Trace()
        self.program.run({**self._hidden, **context} if self._hidden else context, trace)
        for warning in trace:
            return warning.danish.rstrip(".")
        return ""


class Variable(Expression):
    """Reads one variable whatever its name looks like; ``MISSING`` where there is none."""

    __slots__ = ()

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.names = (name,)

    @property
    def is_constant(self) -> bool:
        return False

    def evaluate(self, context: Mapping[str, Any], clock: object = None) -> Any:  # noqa: ARG002
        return context.get(self.text, MISSING)


class Gathered(Expression):
    """A list, or with keys a context, of the values of other expressions."""

    __slots__ = ("_keys", "_parts")

    def __init__(self, text: str, keys: list[str] | None, parts: list[Expression]) -> None:
        super().__init__(text)
        self._keys, self._parts = keys, parts
        self.names = tuple(sorted({name for each in parts for name in each.names}))

    @property
    def is_constant(self) -> bool:
        return False

    def evaluate(self, context: Mapping[str, Any], clock: Clock | None = None) -> Any:
        values = [each.evaluate(context, clock) for each in self._parts]
        return values if self._keys is None else dict(zip(self._keys, values, strict=True))


def constant(value: Any) -> Expression:
    """An expression that is always ``value``."""
    return Expression(str(value), value=value)


def text_or_feel(text: str, names: tuple[str, ...] = ()) -> Expression:
    """FEEL after ``=`` or inside ``${}``; any other text is itself."""
    stripped = text.strip()
    if stripped.startswith("="):
        return _compile(stripped[1:], text, names)
    inner = _inside_braces(stripped)
    if inner is not None:
        return _compile(respell(inner, words=True), text, names)
    return Expression(text, value=text)


def condition(text: str, names: tuple[str, ...] = ()) -> Expression:
    """FEEL, with or without ``=``, or inside ``${}``; or what says the same in other spellings."""
    stripped = text.strip()
    inner = _inside_braces(stripped)
    if inner is not None:
        return _compile(respell(inner, words=True), text, names)
    source = stripped.removeprefix("=")
    if is_foreign(source):
        spelled = _compile(respell(source), text, names)
        if not spelled.error:
            return spelled
    return _compile(source, text, names)


def _compile(source: str, text: str, names: tuple[str, ...]) -> Expression:
    hidden = _shadowed(source)
    try:
        program = feel.compile(source, names=(*names, *hidden), functions=FUNCTIONS)
        return Expression(text, program, hidden=hidden)
    except feel.FeelError as error:
        return Expression(text, error=f"Udtrykket {text!r} er ikke FEEL: {_danish(error)}")


_WORD = re.compile(r"(?<![.\w])[^\W\d]\w*(?!\w)")
_FUNCTIONS = frozenset(name for name in (*feel.STANDARD, *FUNCTIONS) if " " not in name)


def _shadowed(source: str) -> tuple[str, ...]:
    """Names of built-in functions that an expression reads as variables.

    A variable hides the function of its name (DMN 1.5, 10.3.2.10), but which variables a process
    will have is not known here: a name that is never called is taken for a variable.
    """
    found = set(_WORD.findall(source)) & _FUNCTIONS
    return tuple(name for name in found if not re.search(rf"(?<!\w){name}\s*\(", source))


def _danish(error: feel.FeelError) -> str:
    text = getattr(error, "danish", None)
    return text if isinstance(text, str) else str(error)


def _inside_braces(text: str) -> str | None:
    if len(text) > 3 and text[:2] in {"${", "#{"} and text.endswith("}"):
        inner = text[2:-1]
        if "${" not in inner and "#{" not in inner:
            return inner
    return None

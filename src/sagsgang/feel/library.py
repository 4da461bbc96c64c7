# SPDX-License-Identifier: MPL-2.0
"""Libraries of functions: declared with FEEL parameter names and types, found by FEEL name.

A library is declared once and given to :func:`sagsgang.feel.compile` by ``functions=``::

    rules = Library("rules")

    @rules.function("seniority(from: date, on: date) -> number")
    def _seniority(start: date, on: date) -> Decimal:
        "Whole years of employment on a day."
        ...

In a signature ``name?`` is a parameter that a call may leave out, ``type?`` one that takes null,
and ``name...`` one that takes any number of arguments. Several signatures of one name are tried
in the order they were declared.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final, TypeVar

from sagsgang.feel._messages import REASONS
from sagsgang.feel._parser import parse_type_text
from sagsgang.feel._run import Fault, Run
from sagsgang.feel.errors import FeelNameError
from sagsgang.feel.functions import FeelFunction, Parameter
from sagsgang.feel.trace import Site
from sagsgang.feel.types import (
    ANY,
    BOOLEAN,
    CONTEXT,
    DATE_AND_TIME,
    LIST,
    NUMBER,
    STRING,
    TIME,
    FeelType,
    RangeType,
    convert,
    kind_name,
)
from sagsgang.feel.values import DateTime, Range, Time

__all__ = ["Fault", "Function", "Library", "Signature", "call_library"]

_F = TypeVar("_F", bound=Callable[..., Any])
_PLAIN: Final[Mapping[FeelType, type]] = {
    NUMBER: Decimal,
    STRING: str,
    BOOLEAN: bool,
    LIST: list,
    CONTEXT: dict,
    RangeType(ANY): Range,
    DATE_AND_TIME: DateTime,
    TIME: Time,
}
_FREE_CHARACTERS: Final = 1024
_ABSENT: Final = object()


@dataclass(frozen=True, slots=True)
class _Parameter:
    name: str
    type: FeelType
    optional: bool
    nullable: bool


@dataclass(frozen=True, slots=True)
class Signature:
    """One way to call a function.

    Attributes:
        text: the signature as declared.
        parameters: its parameters.
        variadic: whether the last parameter takes any number of arguments.
        result: the type of the result.
        call: the Python callable that computes it.
        wants_run: whether ``call`` takes the running evaluation first.
        required: how many arguments a call must have.
        plain: per parameter the Python class that needs no conversion, None for any value.
        doc: what the function does, in one sentence.
    """

    text: str
    parameters: tuple[_Parameter, ...]
    variadic: bool
    result: FeelType
    call: Callable[..., Any]
    wants_run: bool
    required: int
    plain: tuple[type | None, ...]
    doc: str

    def bind(self, args: Sequence[Any], names: Sequence[str] | None) -> list[Any] | None:
        """The arguments by position, or None when their number or names do not fit."""
        parameters = self.parameters
        if names is None:
            if len(args) < self.required or (len(args) > len(parameters) and not self.variadic):
                return None
            return list(args)
        given = dict(zip(names, args, strict=True))
        if len(given) != len(args):
            return None
        bound = [given.pop(p.name, _ABSENT) for p in parameters]
        if given:
            return None
        while bound and bound[-1] is _ABSENT:
            bound.pop()
        if len(bound) < self.required:
            return None
        for index, value in enumerate(bound):
            if value is _ABSENT:
                if not parameters[index].optional:
                    return None
                bound[index] = None
        if self.variadic and len(bound) == len(parameters) and type(bound[-1]) is list:
            return [*bound[:-1], *bound[-1]]
        return bound

    def in_order(self, names: Sequence[str]) -> bool:
        """Whether the parameters begin with exactly these names."""
        return tuple(p.name for p in self.parameters[: len(names)]) == tuple(names)

    def convert(self, values: list[Any]) -> tuple[_Parameter, Any] | None:
        """Convert the arguments in place; the first that cannot be is returned."""
        parameters = self.parameters
        last = len(parameters) - 1
        for index, value in enumerate(values):
            parameter = parameters[min(last, index)]
            wanted = parameter.type
            if value is None:
                if parameter.nullable or (parameter.optional and index < len(values) - 1):
                    continue
                return parameter, value
            if wanted is ANY or self.plain[min(last, index)] is type(value):
                continue
            fits, converted = convert(value, wanted)
            if not fits or (converted is None and not parameter.nullable):
                return parameter, value
            values[index] = converted
        return None


class Function(FeelFunction):
    """A function of a library, with one or more signatures."""

    __slots__ = ("doc", "signatures")

    def __init__(self, name: str) -> None:
        """Make a function without signatures yet."""
        super().__init__(name, (), _uncallable)
        self.signatures: tuple[Signature, ...] = ()
        self.doc = ""

    def add(self, signature: Signature) -> None:
        """Add a way to call the function."""
        self.signatures = (*self.signatures, signature)
        if not self.parameters:
            self.parameters = tuple(
                Parameter(p.name, None if p.type is ANY else p.type, p.optional)
                for p in signature.parameters
            )
            self.result_type = None if signature.result is ANY else signature.result
            self.variadic = signature.variadic
            self.doc = signature.doc

    def apply(
        self, run: Run, args: Sequence[Any], names: Sequence[str] | None, site: Site | None
    ) -> Any:
        """Call the first signature that the arguments fit."""
        refused: tuple[_Parameter, Any] | None = None
        signatures: Sequence[Signature] = self.signatures
        if names is not None and len(signatures) > 1:
            # before(point, range) and before(range, point) differ by order alone
            signatures = sorted(signatures, key=lambda s: not s.in_order(names))
        for signature in signatures:
            values = signature.bind(args, names)
            if values is None:
                continue
            wrong = signature.convert(values)
            if wrong is not None:
                refused = refused or wrong
                continue
            for value in values:
                if type(value) is list:
                    run.spend(len(value))
                elif type(value) is str and len(value) > _FREE_CHARACTERS:
                    run.spend(len(value) // _FREE_CHARACTERS)
            try:
                if signature.wants_run:
                    return signature.call(run, *values)
                return signature.call(*values)
            except Fault as fault:
                run.warn(fault.code, site, **{"function": self.name, **fault.details})
            except (ArithmeticError, ValueError) as error:
                self.warn_error(run, site, error)
            return None
        if refused is not None:
            run.warn(
                "feel.argument",
                site,
                function=self.name,
                parameter=refused[0].name,
                expected=str(refused[0].type),
                actual=kind_name(refused[1]),
            )
        else:
            expected = " / ".join(s.text for s in self.signatures)
            run.warn("feel.arguments", site, function=self.name, expected=expected)
        return None

    def warn_error(self, run: Run, site: Site | None, error: Exception) -> None:
        """Keep that the function gave no result because of an error in Python."""
        known = type(error) is ValueError and str(error) in REASONS
        reason = str(error) if known else "there is no such result"
        run.warn("feel.value", site, function=self.name, reason=reason)


def _uncallable(*_: Any) -> None:
    """Stands where a plain function value has its body; ``apply`` never reaches it."""


class Library(Mapping[str, FeelFunction]):
    """A set of functions by FEEL name. Libraries can be merged with ``|``."""

    def __init__(self, name: str) -> None:
        """Make an empty library.

        Args:
            name: for documentation.
        """
        self.name = name
        self._functions: dict[str, FeelFunction] = {}

    def function(self, *texts: str, run: bool = False) -> Callable[[_F], _F]:
        """Declare a function under one or more signatures.

        Args:
            texts: signatures, see the module text.
            run: whether the callable takes the running evaluation as its first argument.

        Raises:
            FeelNameError: a text is not a signature.
        """

        def declare(call: _F) -> _F:
            for text in texts:
                name, signature = _signature(text, call, wants_run=run)
                existing = self._functions.get(name)
                if not isinstance(existing, Function):
                    existing = self._functions[name] = Function(name)
                existing.add(signature)
            return call

        return declare

    def __getitem__(self, name: str) -> FeelFunction:
        """The function of a name."""
        return self._functions[name]

    def __iter__(self) -> Iterator[str]:
        """The names."""
        return iter(self._functions)

    def __len__(self) -> int:
        """How many functions there are."""
        return len(self._functions)

    def __or__(self, other: Mapping[str, FeelFunction]) -> Library:
        """A library with the functions of both; the other's win."""
        merged = Library(f"{self.name}, {getattr(other, 'name', 'functions')}")
        merged._functions = {**self._functions, **other}
        return merged


def _class_of(parameter: _Parameter) -> type | None:
    if parameter.type is ANY and parameter.nullable:
        return None
    return _PLAIN.get(parameter.type, _Never)


class _Never:
    """The class of no value: such a parameter always goes the long way."""


def call_library(run: Run, function: Function, args: tuple[Any, ...], site: Site) -> Any:
    """Call a library function by position: short when no argument needs a conversion."""
    signature = function.signatures[0]
    plain = signature.plain
    if signature.required <= len(args) <= len(plain) and not signature.variadic:
        for value, wanted in zip(args, plain, strict=False):
            kind = type(value)
            if kind is not wanted and wanted is not None:
                break
            if kind is list:
                run.spend(len(value))
            elif kind is str and len(value) > _FREE_CHARACTERS:
                run.spend(len(value) // _FREE_CHARACTERS)
        else:
            run.spend(1)
            try:
                if signature.wants_run:
                    return signature.call(run, *args)
                return signature.call(*args)
            except Fault as fault:
                run.warn(fault.code, site, **{"function": function.name, **fault.details})
            except (ArithmeticError, ValueError) as error:
                function.warn_error(run, site, error)
            return None
    run.spend(1)
    return function.apply(run, args, None, site)


def _split(text: str) -> list[str]:
    parts, depth, current = [], 0, ""
    for character in text:
        if character == "," and depth == 0:
            parts.append(current.strip())
            current = ""
            continue
        depth += (character in "<(") - (character in ">)")
        current += character
    if current.strip():
        parts.append(current.strip())
    return parts


def _signature(text: str, call: Callable[..., Any], *, wants_run: bool) -> tuple[str, Signature]:
    head, _, result = text.partition(" -> ")
    name, opened, inner = head.partition("(")
    if not opened or not head.endswith(")") or not name.strip():
        raise FeelNameError(f"'{text}' is not a signature such as 'f(a: number) -> number'.")
    parameters = []
    variadic = False
    for part in _split(inner[:-1]):
        declared, _, kind = part.partition(":")
        declared, kind = declared.strip(), kind.strip() or "Any?"
        variadic = declared.endswith("...")
        optional = declared.endswith("?")
        nullable = kind.endswith("?")
        wanted = parse_type_text(kind.rstrip("?"))
        parameters.append(_Parameter(declared.rstrip("?."), wanted, optional, nullable))
    required = sum(not p.optional for p in parameters)
    doc = (call.__doc__ or "").strip().split("\n", maxsplit=1)[0]
    wanted_result = parse_type_text(result) if result else ANY
    return name.strip(), Signature(
        text,
        tuple(parameters),
        variadic,
        wanted_result,
        call,
        wants_run,
        required,
        tuple(_class_of(p) for p in parameters),
        doc,
    )

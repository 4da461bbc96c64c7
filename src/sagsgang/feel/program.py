# SPDX-License-Identifier: MPL-2.0
"""Programs: compiled FEEL expressions, and the ways to make them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Mapping
from functools import lru_cache
from typing import Any, Final

from sagsgang.feel import _tree as t
from sagsgang.feel._compiler import Compiled, compile_tree
from sagsgang.feel._json import adopt
from sagsgang.feel._parser import Kind, parse_text, parse_type_text
from sagsgang.feel._run import Clock, Run
from sagsgang.feel._standard import STANDARD
from sagsgang.feel.errors import FeelLimitError
from sagsgang.feel.functions import FeelFunction, Parameter
from sagsgang.feel.limits import DEFAULT, Limits
from sagsgang.feel.trace import Trace
from sagsgang.feel.types import FeelType

__all__ = ["Program", "compile", "evaluate", "parse", "parse_type"]

_new: Final = Run.__new__


class Program:
    """A compiled FEEL expression. Programs are immutable and may be shared between threads.

    Attributes:
        text: the source.
        kind: ``expression`` or ``unary-tests``.
        tree: the syntax tree.
        free_names: the names the expression reads from its context.
        limits: the bounds of each evaluation.
    """

    __slots__ = (
        "_declared",
        "_default",
        "_fast",
        "_functions",
        "_read",
        "_slow",
        "free_names",
        "kind",
        "limits",
        "text",
        "tree",
    )

    def __init__(
        self,
        text: str,
        kind: Kind,
        tree: t.Node,
        functions: Mapping[str, FeelFunction],
        declared: frozenset[str],
        limits: Limits,
    ) -> None:
        """Compile a tree; use :func:`compile`."""
        self.text = text
        self.kind = kind
        self.tree = tree
        self.limits = limits
        self._functions = functions
        self._declared = declared
        compiled = self._compile(fast=True)
        self._fast = compiled.run
        self._default = limits is DEFAULT
        self._slow: Callable[[Mapping[str, Any], Run], Any] | None = None
        self.free_names = compiled.free
        # A variable hides the function of its name (DMN 1.5, 10.3.2.10).
        self._read = compiled.free | compiled.hiding

    def _compile(self, *, fast: bool) -> Compiled:
        try:
            return compile_tree(self.tree, self.text, self._functions, self._declared, fast=fast)
        except RecursionError:
            raise FeelLimitError(
                "nesting", self.limits.nesting, "The expression is nested too deeply"
            ) from None

    def __call__(
        self,
        context: Mapping[str, Any] | None = None,
        trace: Trace | None = None,
        *,
        clock: Clock | dt.datetime | None = None,
    ) -> Any:
        """Evaluate.

        Args:
            context: values by name; Python values are converted (see :func:`adopt`). The input
                of unary tests is the name ``?``.
            trace: collects why something became null.
            clock: for ``now`` and ``today``: an aware datetime, or a callable that gives one.

        Returns:
            The FEEL value; None for null.

        Raises:
            FeelLimitError: a limit was reached.
            FeelValueError: a value of the context has no FEEL counterpart.
        """
        given = context or {}
        own = {name: adopt(given[name]) for name in self._read if name in given}
        return self.run(own, trace, clock=clock)

    def run(
        self,
        context: Mapping[str, Any],
        trace: Trace | None = None,
        *,
        clock: Clock | dt.datetime | None = None,
    ) -> Any:
        """Evaluate a context whose values are FEEL values already: faster, nothing is converted.

        Raises:
            FeelLimitError: a limit was reached.
        """
        if trace is None and clock is None and self._default:
            run = _new(Run)
        else:
            now = (lambda: clock) if isinstance(clock, dt.datetime) else clock
            run = Run(trace, now, self.limits)
        mark = trace.mark() if trace is not None else None
        try:
            return self._fast(context, run)
        except ArithmeticError:
            if trace is not None and mark is not None:
                trace.release(mark)
            return self._again(context, run)
        except RecursionError:
            raise FeelLimitError(
                "depth", self.limits.depth, "The expression calls itself too deeply"
            ) from None

    def _again(self, context: Mapping[str, Any], run: Run) -> Any:
        """Run without fast paths, so that an arithmetic fault becomes null where it happens."""
        if self._slow is None:
            self._slow = self._compile(fast=False).run
        return self._slow(context, Run(run.trace, run.clock, run.limits))

    def __repr__(self) -> str:
        """The source."""
        return f"<Program {self.text!r}>"


def _library(
    functions: Mapping[str, FeelFunction | Callable[..., Any]],
) -> Mapping[str, FeelFunction]:
    if not functions:
        return STANDARD
    merged: dict[str, FeelFunction] = dict(STANDARD)
    for name, function in functions.items():
        if isinstance(function, FeelFunction):
            merged[name] = function
        else:
            merged[name] = _wrapped(name, function)
    return merged


def _wrapped(name: str, call: Callable[..., Any]) -> FeelFunction:
    code = call.__code__ if hasattr(call, "__code__") else None
    names = code.co_varnames[: code.co_argcount] if code else ("value",)
    parameters = [Parameter(each.replace("_", " ")) for each in names]
    return FeelFunction(name, parameters, lambda *args: adopt(call(*args)))


def compile(  # noqa: A001 - the word of the field
    text: str,
    *,
    names: Iterable[str] = (),
    kind: Kind = "expression",
    functions: Mapping[str, FeelFunction | Callable[..., Any]] | None = None,
    types: Mapping[str, FeelType] | None = None,
    type_names: Mapping[str, FeelType] | None = None,
    limits: Limits = DEFAULT,
) -> Program:
    """Compile a FEEL text.

    Args:
        text: the source.
        names: the names known in the context, so that names with spaces and symbols are found;
            they come before library functions of the same name.
        kind: ``expression``, or ``unary-tests`` for an input cell of a decision table.
        functions: further functions, such as :data:`sagsgang.feel.municipal.MUNICIPAL`.
        types: types of names in the context; the entry names inside them are known in paths.
        type_names: own types (item definitions) by name, for ``instance of`` and parameters.
        limits: bounds on the text and on each evaluation.

    Raises:
        FeelSyntaxError: the text is not FEEL.
        FeelLimitError: the text is too long or nested too deeply.
    """
    library = _library(functions or {})
    known = [*names]
    tree = parse_text(
        text,
        names=known,
        builtins=library,
        kind=kind,
        types=types,
        type_names=type_names,
        limits=limits,
    )
    declared = frozenset(known) | frozenset(types or ())
    return Program(text, kind, tree, library, declared, limits)


def parse(
    text: str,
    *,
    names: Iterable[str] = (),
    kind: Kind = "expression",
    functions: Mapping[str, FeelFunction | Callable[..., Any]] | None = None,
    types: Mapping[str, FeelType] | None = None,
    type_names: Mapping[str, FeelType] | None = None,
    limits: Limits = DEFAULT,
) -> t.Node:
    """Parse a FEEL text to its syntax tree; arguments and errors as for :func:`compile`."""
    return parse_text(
        text,
        names=names,
        builtins=_library(functions or {}),
        kind=kind,
        types=types,
        type_names=type_names,
        limits=limits,
    )


def parse_type(text: str, type_names: Mapping[str, FeelType] | None = None) -> FeelType:
    """The type of a text such as ``list<number>``.

    Args:
        text: the source.
        type_names: own types by name; a name not found gives an ``UnknownType``.

    Raises:
        FeelSyntaxError: the text is not a type.
    """
    return parse_type_text(text, type_names)


@lru_cache(maxsize=1024)
def _cached(text: str, kind: Kind, names: frozenset[str]) -> Program:
    return compile(text, names=sorted(names), kind=kind)


def evaluate(
    text: str,
    context: Mapping[str, Any] | None = None,
    trace: Trace | None = None,
    *,
    kind: Kind = "expression",
    clock: Clock | dt.datetime | None = None,
) -> Any:
    """Compile (or take from a cache) and evaluate a FEEL text.

    Args:
        text: the source.
        context: values by name; their names are known, spaces or not.
        trace: collects why something became null.
        kind: ``expression`` or ``unary-tests``.
        clock: for ``now`` and ``today``.

    Raises:
        FeelSyntaxError: the text is not FEEL.
        FeelLimitError: a limit was reached.
        FeelValueError: a value of the context has no FEEL counterpart.
    """
    program = _cached(text, kind, frozenset(context or ()))
    return program(context, trace, clock=clock)

# SPDX-License-Identifier: MPL-2.0
"""One running evaluation: its trace, its clock, its limits, and how functions are called."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence
from typing import Any

from sagsgang.feel.errors import FeelLimitError
from sagsgang.feel.functions import FeelFunction
from sagsgang.feel.limits import DEFAULT, Limits
from sagsgang.feel.trace import Site, Trace
from sagsgang.feel.trace import Warning as Reason
from sagsgang.feel.types import conforms, convert, kind_name

__all__ = ["Clock", "Fault", "Run", "apply_function", "invoke"]

Clock = Callable[[], dt.datetime]


class Fault(Exception):  # noqa: N818 - never leaves the package; it becomes null and a warning
    """Raised inside a function when its result is null for a reason."""

    def __init__(self, code: str, **details: Any) -> None:
        """Make a fault from a code of ``_texts.TEXTS`` and the parts of its sentence."""
        self.code = code
        self.details = details
        super().__init__(code)


class Run:
    """The state of one evaluation.

    Attributes:
        trace: where warnings go, or None.
        clock: gives the present instant as an aware datetime, or None when time stands still.
        limits: the bounds of the evaluation.
        steps: how many steps are left.
        depth: how many function calls are open.
        regex_left: seconds left for regular expressions.
    """

    # The usual values stand on the class: a run without trace and clock costs one allocation
    trace: Trace | None = None
    clock: Clock | None = None
    limits: Limits = DEFAULT
    steps: int = DEFAULT.steps
    depth: int = 0
    regex_left: float = DEFAULT.regex_seconds

    def __init__(
        self, trace: Trace | None = None, clock: Clock | None = None, limits: Limits = DEFAULT
    ) -> None:
        """Start an evaluation."""
        self.trace = trace
        self.clock = clock
        if limits is not DEFAULT:
            self.limits = limits
            self.steps = limits.steps
            self.regex_left = limits.regex_seconds

    def warn(self, code: str, site: Site | None, **details: Any) -> None:
        """Keep the reason for a null."""
        if self.trace is not None:
            self.trace.add(Reason(code, site, details))

    def spend(self, steps: int) -> None:
        """Count steps.

        Raises:
            FeelLimitError: there are none left.
        """
        self.steps -= steps
        if self.steps < 0:
            raise FeelLimitError("steps", self.limits.steps, "The expression takes too many steps")

    def check_items(self, size: int) -> None:
        """Refuse a list that is too long.

        Raises:
            FeelLimitError: the size is above the limit.
        """
        if size > self.limits.items:
            raise FeelLimitError("items", self.limits.items, "A list becomes too long")

    def check_characters(self, size: int) -> None:
        """Refuse a string that is too long.

        Raises:
            FeelLimitError: the size is above the limit.
        """
        if size > self.limits.characters:
            raise FeelLimitError("characters", self.limits.characters, "A string becomes too long")


def invoke(
    run: Run,
    function: Any,
    args: Sequence[Any],
    names: Sequence[str] | None,
    site: Site | None = None,
) -> Any:
    """Call a FEEL function value.

    Args:
        run: the running evaluation.
        function: the value to call; anything but a function gives null.
        args: the arguments.
        names: the parameter names of named arguments, or None for arguments by position.
        site: where the call stands.
    """
    if not isinstance(function, FeelFunction):
        run.warn("feel.not-function", site, actual=kind_name(function))
        return None
    run.depth += 1
    if run.depth > run.limits.depth:
        run.depth -= 1
        raise FeelLimitError("depth", run.limits.depth, "Functions call each other too deeply")
    run.steps -= 1
    if run.steps < 0:
        run.spend(0)
    try:
        if names is None and function.closure == len(args):
            return function.call(run, *args)
        return function.apply(run, args, names, site)
    except RecursionError:
        raise FeelLimitError(
            "depth", run.limits.depth, "Functions call each other too deeply"
        ) from None
    finally:
        run.depth -= 1


def apply_function(
    run: Run,
    function: FeelFunction,
    args: Sequence[Any],
    names: Sequence[str] | None,
    site: Site | None,
) -> Any:
    """Bind the arguments of a user or host function, convert them, and call it."""
    parameters = function.parameters
    if names is not None:
        given = dict(zip(names, args, strict=True))
        wanted = {p.name for p in parameters}
        missing = any(p.name not in given and not p.optional for p in parameters)
        if missing or len(given) != len(args) or not wanted.issuperset(given):
            run.warn("feel.arguments", site, function=function.name, expected=_listed(function))
            return None
        values = [given.get(p.name) for p in parameters]
    else:
        values = list(args)
        required = sum(not p.optional for p in parameters)
        if len(values) < required - function.variadic or (
            len(values) > len(parameters) and not function.variadic
        ):
            run.warn("feel.arguments", site, function=function.name, expected=_listed(function))
            return None
    for index, value in enumerate(values):
        parameter = parameters[min(index, len(parameters) - 1)]
        if parameter.type is not None and not conforms(value, parameter.type):
            fits, converted = convert(value, parameter.type)
            if not fits:
                run.warn(
                    "feel.argument",
                    site,
                    function=function.name,
                    parameter=parameter.name,
                    expected=str(parameter.type),
                    actual=kind_name(value),
                )
                return None
            values[index] = converted
    try:
        result = function.call(run, *values) if function.wants_run else function.call(*values)
    except Fault as fault:
        details = {"function": function.name, **fault.details}
        run.warn(fault.code, site, **details)
        return None
    wanted_result = function.result_type
    if wanted_result is not None and not conforms(result, wanted_result):
        fits, converted = convert(result, wanted_result)
        if not fits:
            run.warn("feel.result", site, actual=kind_name(result), expected=str(wanted_result))
        return converted
    return result


def _listed(function: FeelFunction) -> str:
    return ", ".join(p.name for p in function.parameters) or "none"

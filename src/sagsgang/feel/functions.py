# SPDX-License-Identifier: MPL-2.0
"""Functions as FEEL values."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

__all__ = ["FeelFunction", "Parameter"]


@dataclass(frozen=True, slots=True)
class Parameter:
    """A formal parameter of a function.

    Attributes:
        name: the FEEL name, spaces allowed.
        type: a :class:`~sagsgang.feel.FeelType`, or None for Any.
        optional: whether a call may leave it out.
    """

    name: str
    type: Any = None
    optional: bool = False


class FeelFunction:
    """A function as a FEEL value.

    A host makes one from any Python callable that takes FEEL values::

        double = FeelFunction("double", [Parameter("n", NUMBER)], lambda n: n * 2)

    Attributes:
        name: for messages; empty for a function without a name.
        parameters: the formal parameters.
        result_type: the type of the result, or None for Any.
        variadic: whether the last parameter takes any number of arguments.
        closure: the number of parameters of a function written in FEEL without types, else -1.
    """

    __slots__ = ("call", "closure", "name", "parameters", "result_type", "variadic", "wants_run")

    def __init__(
        self,
        name: str,
        parameters: Sequence[Parameter],
        call: Callable[..., Any],
        *,
        result_type: Any = None,
        variadic: bool = False,
        wants_run: bool = False,
    ) -> None:
        """Make a function value.

        Args:
            name: for messages.
            parameters: the formal parameters, in order.
            call: what computes the result, called with the arguments by position; an optional
                parameter that was left out is not passed (trailing) or passed as None.
            result_type: the result is coerced to this type.
            variadic: the last parameter takes any number of arguments.
            wants_run: ``call`` takes the running evaluation (:class:`sagsgang.feel.Run`) first.
        """
        self.name = name
        self.parameters = tuple(parameters)
        self.call = call
        self.result_type = result_type
        self.variadic = variadic
        self.wants_run = wants_run
        self.closure = -1

    @classmethod
    def of_closure(
        cls, parameters: tuple[Parameter, ...], call: Callable[..., Any]
    ) -> FeelFunction:
        """The value of a function definition in FEEL, called the short way when it can be.

        Args:
            parameters: the formal parameters.
            call: the compiled body; takes the running evaluation and the arguments.
        """
        made = cls("", parameters, call, wants_run=True)
        if all(each.type is None for each in parameters):
            made.closure = len(parameters)
        return made

    def apply(self, run: Any, args: Sequence[Any], names: Sequence[str] | None, site: Any) -> Any:
        """Bind and convert the arguments and call; used by the evaluator."""
        from sagsgang.feel._run import apply_function

        return apply_function(run, self, args, names, site)

    def __call__(self, *args: Any) -> Any:
        """Call the function from Python with FEEL values; a failing call gives None."""
        from sagsgang.feel._run import Run, invoke

        return invoke(Run(), self, args, None)

    def __repr__(self) -> str:
        """The name and parameters."""
        return f"<FeelFunction {self.name}({', '.join(p.name for p in self.parameters)})>"

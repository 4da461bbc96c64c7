# SPDX-License-Identifier: MPL-2.0
"""FEEL, the expression language of DMN 1.5: complete, compiled, safe to run on untrusted text.

>>> from sagsgang.feel import evaluate
>>> evaluate("sum(for line in lines return line.hours * 2)", {"lines": [{"hours": 3}]})
Decimal('6')

An error inside an expression gives null and a :class:`Trace` tells why; only a text that is not
FEEL, or one that asks for too much, raises.
"""

from __future__ import annotations

from sagsgang.feel import _tree as tree
from sagsgang.feel import types, values
from sagsgang.feel._comparison import compare, feel_equal, range_contains
from sagsgang.feel._json import adopt, from_json, to_json
from sagsgang.feel._run import Fault, Run, invoke
from sagsgang.feel._standard import STANDARD
from sagsgang.feel._text import to_string
from sagsgang.feel._tree import Node
from sagsgang.feel._unparse import unparse
from sagsgang.feel.errors import (
    FeelError,
    FeelLimitError,
    FeelNameError,
    FeelSyntaxError,
    FeelValueError,
)
from sagsgang.feel.functions import FeelFunction, Parameter
from sagsgang.feel.library import Library
from sagsgang.feel.limits import DEFAULT, Limits
from sagsgang.feel.program import Program, compile, evaluate, parse, parse_type  # noqa: A004
from sagsgang.feel.trace import Site, Trace, Warning  # noqa: A004
from sagsgang.feel.types import FeelType, coerce, conforms, convert, type_of
from sagsgang.feel.values import DateTime, DaysTimeDuration, Range, Time, YearsMonthsDuration

__all__ = [
    "DEFAULT",
    "STANDARD",
    "DateTime",
    "DaysTimeDuration",
    "Fault",
    "FeelError",
    "FeelFunction",
    "FeelLimitError",
    "FeelNameError",
    "FeelSyntaxError",
    "FeelType",
    "FeelValueError",
    "Library",
    "Limits",
    "Node",
    "Parameter",
    "Program",
    "Range",
    "Run",
    "Site",
    "Time",
    "Trace",
    "Warning",
    "YearsMonthsDuration",
    "adopt",
    "coerce",
    "compare",
    "compile",
    "conforms",
    "convert",
    "evaluate",
    "feel_equal",
    "from_json",
    "invoke",
    "parse",
    "parse_type",
    "range_contains",
    "to_json",
    "to_string",
    "tree",
    "type_of",
    "types",
    "unparse",
    "values",
]

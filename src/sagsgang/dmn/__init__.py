# SPDX-License-Identifier: MPL-2.0
"""DMN: read decision models, evaluate them fast, explain what they decided, and find their faults.

>>> from sagsgang.dmn import load
>>> decisions = load("overtime.dmn").compile()  # doctest: +SKIP
>>> decisions.evaluate("Overtime rate", {"Hours": 9}).value  # doctest: +SKIP
Decimal('1.5')

Built on :mod:`sagsgang.feel` and, like it, free of Django, clocks and the network.
Source: Decision Model and Notation (DMN) 1.5, OMG.
"""

from __future__ import annotations

from sagsgang.dmn.checks import check
from sagsgang.dmn.decisions import Decisions, Result
from sagsgang.dmn.errors import (
    DmnError,
    DmnModelError,
    DmnTestKitError,
    DmnXmlError,
    UnknownElementError,
)
from sagsgang.dmn.explanation import Explanation, Step
from sagsgang.dmn.findings import Cell, Finding
from sagsgang.dmn.model import Model, load

__all__ = [
    "Cell",
    "Decisions",
    "DmnError",
    "DmnModelError",
    "DmnTestKitError",
    "DmnXmlError",
    "Explanation",
    "Finding",
    "Model",
    "Result",
    "Step",
    "UnknownElementError",
    "check",
    "load",
]

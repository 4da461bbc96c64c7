# SPDX-License-Identifier: MPL-2.0
"""Running folders of the DMN Technology Compatibility Kit (DMN-TCK).

A folder of the kit holds models and files of test cases (namespace
``http://www.omg.org/spec/DMN/20160719/testcase``): inputs and the results expected. A test case
passes when every result it names is as expected. Nothing is skipped: what cannot be run has failed.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any

from lxml import etree

from sagsgang.dmn._xml import line_of, parse_xml, text_of
from sagsgang.dmn.decisions import Decisions
from sagsgang.dmn.elements import BusinessKnowledgeModel, Decision, DecisionService
from sagsgang.dmn.errors import DmnError, DmnTestKitError
from sagsgang.dmn.model import load
from sagsgang.feel import FeelFunction, compare, evaluate, feel_equal, to_string

__all__ = ["CaseResult", "Failure", "Summary", "run", "run_file"]

_NAMESPACE = "{http://www.omg.org/spec/DMN/20160719/testcase}"
_XSI = "{http://www.w3.org/2001/XMLSchema-instance}"
_NOW = dt.datetime(2026, 1, 15, 12, 0, tzinfo=dt.UTC)
_TOLERANCE = Decimal("1E-8")
_CONSTRUCTORS = {
    "date": "date",
    "dateTime": "date and time",
    "time": "time",
    "duration": "duration",
    "dayTimeDuration": "duration",
    "yearMonthDuration": "duration",
}
_NUMBERS = frozenset(
    {
        "decimal",
        "double",
        "float",
        "integer",
        "int",
        "long",
        "short",
        "byte",
        "nonNegativeInteger",
        "positiveInteger",
        "negativeInteger",
        "nonPositiveInteger",
        "unsignedInt",
        "unsignedLong",
        "unsignedShort",
        "unsignedByte",
    }
)


@dataclass(frozen=True, slots=True)
class Failure:
    """A result that was not as expected.

    Attributes:
        node: the decision asked for.
        expected: what the kit expects, as text.
        actual: what came, as text.
        reason: why it came so, where that is known.
    """

    node: str
    expected: str
    actual: str
    reason: str = ""


@dataclass(frozen=True, slots=True)
class CaseResult:
    """One test case.

    Attributes:
        file: the file of test cases.
        case: its id.
        failures: empty when the case passed.
    """

    file: Path
    case: str
    failures: tuple[Failure, ...]

    @property
    def passed(self) -> bool:
        """Whether every result was as expected."""
        return not self.failures

    def __str__(self) -> str:
        """Return one line for each failure."""
        return "\n".join(
            f"{self.file.name} [{self.case}] {failure.node}: expected {failure.expected}, "
            f"got {failure.actual}" + (f" ({failure.reason})" if failure.reason else "")
            for failure in self.failures
        )


@dataclass(frozen=True, slots=True)
class Summary:
    """How a run went.

    Attributes:
        passed: number of test cases passed.
        failed: number of test cases failed.
        failures: the cases that failed.
    """

    passed: int
    failed: int
    failures: tuple[CaseResult, ...]

    def __str__(self) -> str:
        """Return ``N passed, M failed``."""
        return f"{self.passed} passed, {self.failed} failed"

    @classmethod
    def of(cls, results: Iterable[CaseResult]) -> Summary:
        """Count the results of a run."""
        passed = 0
        failed: list[CaseResult] = []
        for result in results:
            if result.passed:
                passed += 1
            else:
                failed.append(result)
        return cls(passed, len(failed), tuple(failed))


def run(folders: Iterable[str | Path], *, now: dt.datetime | None = None) -> Iterator[CaseResult]:
    """Run every test case in every folder below the ones given, in the order of their names.

    Args:
        folders: folders of the kit, or files of test cases.
        now: the instant that ``now()`` and ``today()`` give; default a fixed one.

    Yields:
        One result for each test case; a file that cannot be read gives one failed result.

    Raises:
        DmnTestKitError: a folder does not exist.
    """
    for folder in folders:
        path = Path(folder)
        if path.is_file():
            files = [path]
        elif path.is_dir():
            files = sorted(path.rglob("*.xml"))
        else:
            raise DmnTestKitError("There is no such folder.", file=str(folder))
        for file in files:
            yield from run_file(file, now=now)


def run_file(file: Path, *, now: dt.datetime | None = None) -> Iterator[CaseResult]:
    """Run the test cases of one file; a file that is not of the kit's kind gives nothing."""
    try:
        root = parse_xml(file.read_bytes(), file=file.name).getroot()
    except (DmnError, OSError) as error:
        yield _broken(file, str(error))
        return
    if root.tag != _NAMESPACE + "testCases":
        return
    cases = list(root.iterchildren(_NAMESPACE + "testCase"))
    try:
        decisions = _model_of(root, file)
    except Exception as error:  # noqa: BLE001 - one broken model must not stop the run
        for number, case in enumerate(cases, 1):
            yield CaseResult(
                file,
                case.get("id") or str(number),
                (Failure("model", "a model", "an error", f"{type(error).__name__}: {error}"),),
            )
        return
    for number, case in enumerate(cases, 1):
        name = case.get("id") or str(number)
        try:
            failures = tuple(_run_case(case, decisions, now or _NOW))
        except Exception as error:  # noqa: BLE001 - one crash must not stop the run
            reason = f"{type(error).__name__}: {error}"
            failures = (Failure("case", "a result", "an error", reason),)
        yield CaseResult(file, name, failures)


def _broken(file: Path, reason: str) -> CaseResult:
    return CaseResult(file, "file", (Failure("file", "test cases", "an error", reason),))


def _model_of(root: etree._Element, file: Path) -> Decisions:
    name = (root.findtext(_NAMESPACE + "modelName") or "").strip()
    if not name:
        raise DmnTestKitError("The test cases name no model.", file=file.name)
    path = file.parent / name
    if not path.is_file():
        path = file.parent / f"{name}.dmn"
    return load(path).compile()


def _run_case(case: etree._Element, decisions: Decisions, now: dt.datetime) -> Iterator[Failure]:
    inputs: dict[Any, Any] = {}
    for node in case.iterchildren(_NAMESPACE + "inputNode"):
        name = _name(node)
        value = _value(node)
        namespace = node.get("namespace")
        if namespace and namespace != decisions.model.definitions.namespace:
            inputs[(namespace, name)] = value
        else:
            inputs[name] = value
    kind = case.get("type", "decision")
    invocable = case.get("invocableName")
    for node in case.iterchildren(_NAMESPACE + "resultNode"):
        name = _name(node)
        foreign = decisions.graph.path_of(node.get("namespace", "").strip())
        # A result that only has to be an error counts as null.
        expected_node = node.find(_NAMESPACE + "expected")
        expected = None if expected_node is None else _value(expected_node)
        if foreign:
            result = decisions.evaluate(foreign + name, inputs, now=now)
            actual, reasons = result.value, [message.text for message in result.errors]
        else:
            actual, reasons = _evaluate(decisions, kind, invocable, name, inputs, now)
        if not _matches(expected, actual):
            yield Failure(name, _show(expected), _show(actual), "; ".join(reasons))


def _evaluate(
    decisions: Decisions,
    kind: str,
    invocable: str | None,
    name: str,
    inputs: dict[Any, Any],
    now: dt.datetime,
) -> tuple[Any, list[str]]:
    if kind == "decisionService":
        result = decisions.evaluate_service(invocable or name, inputs, now=now)
        service = decisions.model.element(invocable or name)
        value = result.value
        many = isinstance(service, DecisionService) and len(service.output_decisions) > 1
        if many and isinstance(value, dict) and name in value:
            value = value[name]
    elif kind == "bkm":
        result = decisions.invoke(invocable or name, inputs, now=now)
        value = result.value
    else:
        element = decisions.model.element(name)
        if isinstance(element, DecisionService):
            result = decisions.evaluate_service(name, inputs, now=now)
        elif isinstance(element, BusinessKnowledgeModel):
            result = decisions.invoke(name, inputs, now=now)
        elif isinstance(element, Decision):
            result = decisions.evaluate(name, inputs, now=now)
        else:
            return inputs.get(name), []
        value = result.value
    return value, [message.text for message in result.errors]


def _name(node: etree._Element) -> str:
    return " ".join((node.get("name") or "").split())


# -- values of the kit


def _value(node: etree._Element) -> Any:
    """Read a ``valueType``: a value, components or a list."""
    if _is_nil(node):
        return None
    components = list(node.iterchildren(_NAMESPACE + "component"))
    if components:
        if len(components) == 1 and _is_nil(components[0]) and components[0].get("name") is None:
            return None
        return {_name(part): _value(part) for part in components}
    items = node.find(_NAMESPACE + "list")
    if items is not None:
        if _is_nil(items):
            return None
        return [_value(item) for item in items.iterchildren(_NAMESPACE + "item")]
    value = node.find(_NAMESPACE + "value")
    return None if value is None else _scalar(value)


def _is_nil(node: etree._Element) -> bool:
    return node.get(_XSI + "nil", "false").strip() in ("true", "1")


def _scalar(node: etree._Element) -> Any:
    if _is_nil(node):
        return None
    text = text_of(node)
    declared = node.get(_XSI + "type")
    kind = None if declared is None else declared.rpartition(":")[2]
    if kind in (None, "string", "anySimpleType", "anyURI", "normalizedString", "token"):
        return text
    text = text.strip()
    if kind == "boolean":
        return text in ("true", "1")
    if kind in _NUMBERS:
        try:
            number = Decimal(text)
        except InvalidOperation:
            number = Decimal("NaN")
        if not number.is_finite():
            raise DmnTestKitError(f'"{text}" is not a number.', line=line_of(node))
        return number
    constructor = _CONSTRUCTORS.get(kind or "")
    if constructor is None:
        raise DmnTestKitError(f"The value type {declared} is unknown.", line=line_of(node))
    value = evaluate(f"{constructor}(text)", {"text": text})
    if value is None:
        raise DmnTestKitError(f'"{text}" is not a {declared}.', line=line_of(node))
    return value


def _matches(expected: Any, actual: Any) -> bool:
    """Compare as the kit means it: by value, contexts by the entries expected, functions never."""
    if expected is None or actual is None:
        return expected is None and actual is None
    if isinstance(expected, dict):
        return (
            isinstance(actual, dict)
            and expected.keys() == actual.keys()
            and all(_matches(part, actual[name]) for name, part in expected.items())
        )
    if isinstance(expected, list):
        return (
            isinstance(actual, list)
            and len(expected) == len(actual)
            and all(_matches(e, a) for e, a in zip(expected, actual, strict=True))
        )
    if isinstance(expected, Decimal) and isinstance(actual, Decimal):
        # The kit writes irrational results with few digits.
        return expected == actual or abs(expected - actual) < _TOLERANCE
    return type(expected) is type(actual) and (
        feel_equal(expected, actual) is True or compare(expected, actual) == 0
    )


def _show(value: Any) -> str:
    if value is None:
        return "null"
    if isinstance(value, str):
        return f'"{value}"'
    if isinstance(value, FeelFunction):
        return "a function"
    if isinstance(value, dict):
        return "{" + ", ".join(f"{name}: {_show(part)}" for name, part in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(_show(part) for part in value) + "]"
    return str(to_string(value))

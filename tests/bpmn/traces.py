# SPDX-License-Identifier: MPL-2.0
"""Expected traces of the feature models: how they are read and compared (see models/README.md)."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sagsgang.bpmn import codec

FOLDER = Path(__file__).parent / "models"
MODELS = sorted(FOLDER.rglob("*.bpmn"))

Happening = tuple[str, str]
"""What an element did: ``completed`` or ``terminated``, and its id."""

Part = Happening | frozenset[tuple[int, "Order"]]
Order = tuple[Any, ...]
"""Parts one after the other; a part is a happening, or branches whose order is not fixed."""


@dataclass(frozen=True)
class Expected:
    """What a model must do.

    Attributes:
        process: The process to start; None starts what the command would.
        variables: To start with.
        answers: What people and the outside say.
        order: What must happen.
        result: The last line: status, waiting, error (code and element), variables.
        breaks: Rules of the standard that the model breaks, as people's models do.
    """

    process: str | None
    variables: dict[str, Any]
    answers: dict[str, Any]
    order: Order
    result: dict[str, Any]
    breaks: frozenset[str]


def name_of(path: Path) -> str:
    return path.relative_to(FOLDER).with_suffix("").as_posix()


def expected(model: Path) -> Expected:
    """Read the trace beside a model."""
    lines = model.with_suffix(".trace").read_text(encoding="utf-8").splitlines()
    head, *body, last = map(json.loads, lines)
    return Expected(
        process=head.get("process"),
        variables=head.get("vars", {}),
        answers=head.get("answers", {}),
        order=_order(body),
        result=last,
        breaks=frozenset(head.get("breaks", ())),
    )


def _order(lines: Iterable[Mapping[str, Any]]) -> Order:
    return tuple(
        ("branches", *map(_order, line["branches"]))
        if "branches" in line
        else (line["event"], line["element"])
        for line in lines
    )


def happened(lines: Iterable[Mapping[str, Any]]) -> list[Happening]:
    """What the elements of a run did, from the lines of the command."""
    return [
        (line["event"], line["element"])
        for line in lines
        if line.get("event") in {"completed", "terminated"} and "element" in line
    ]


def difference(order: Order, done: list[Happening]) -> str:
    """Why a run does not follow an order; "" where it does."""
    left = {order}
    for index, each in enumerate(done):
        following = {rest for state in left for rest in _after(state, each)}
        if not following:
            wanted = sorted({first for state in left for first in _firsts(state)})
            return f"after {done[:index]} came {each}, expected one of {wanted or 'nothing'}"
        left = following
    if () in left:
        return ""
    return f"after {done} nothing came, expected one of {sorted(_firsts(min(left, key=len)))}"


def _after(order: Order, happening: Happening) -> set[Order]:
    """What is left of an order once something has happened; nothing where it may not happen."""
    if not order:
        return set()
    head, rest = order[0], order[1:]
    if head[0] != "branches":
        return {rest} if head == happening else set()
    found = set()
    branches = head[1:]
    for index, branch in enumerate(branches):
        for after in _after(branch, happening):
            others = [*branches[:index], *([after] if after else []), *branches[index + 1 :]]
            found.add((("branches", *others), *rest) if others else rest)
    return found


def _firsts(order: Order) -> set[Happening]:
    if not order:
        return set()
    head = order[0]
    if head[0] != "branches":
        return {head}
    return {first for branch in head[1:] for first in _firsts(branch)}


def result_difference(wanted: Mapping[str, Any], last: Mapping[str, Any]) -> str:
    """How the last line differs from what is wanted; "" where it does not.

    The order of what is waited for is not fixed; of an error its code and element are compared.
    """
    error = last["error"]
    got = {
        "status": last["status"],
        "waiting": sorted(last["waiting"]),
        "error": error and {"code": error["code"], "element": error["element"]},
        "variables": json.loads(codec.dumps(last["variables"])),
    }
    want = {**wanted, "waiting": sorted(wanted["waiting"])}
    if want["status"] == "failed":
        # Where a run fails, what else was waited for is not the question.
        got["waiting"] = want["waiting"]
        assert error, "a failed run says why"
        assert len(error["message"]) > 10, error
    return "" if got == want else f"{got} is not {want}"

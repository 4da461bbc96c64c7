# SPDX-License-Identifier: MPL-2.0
"""Orders that come together, from another program or as lines of a file: by the rules of one."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from sagsgang.cases import ordering, releases, solution
from sagsgang.cases.errors import NotAllowedError
from sagsgang.cases.models import Case, Submission
from sagsgang.cases.ordering import Order, Prepared
from tests.world import NOW

pytestmark = pytest.mark.django_db

EXAMPLE = (
    Path(__file__).resolve().parents[2] / "docs" / "examples" / "external-worker" / "equipment"
)


def install(monkeypatch: pytest.MonkeyPatch, made: solution.Solution) -> None:
    others = solution.installed()
    monkeypatch.setattr(solution, "installed", lambda: {**others, made.id: made})


@pytest.fixture
def equipment(monkeypatch: pytest.MonkeyPatch) -> solution.Solution:
    """A solution that nothing but its form checks."""
    made = solution.load(EXAMPLE)
    install(monkeypatch, made)
    releases.deploy(made, now=NOW, user="system:test")
    return made


def screen(**more: Any) -> dict[str, Any]:
    return {"item": "screen", "count": 1, **more}


def place(*orders: Order, **more: Any) -> ordering.Report:
    return ordering.place_all("equipment", orders, user="system:test", now=NOW, key="k", **more)


def told(report: ordering.Report) -> Mapping[str, set[str]]:
    return {each.item: {each.field} for each in report.faults}


def test_orders_are_checked_by_their_form_as_one_alone_is(equipment: solution.Solution) -> None:
    report = place(Order("a", screen()), Order("b", screen(count=0)), Order("c", {"count": 2}))
    assert list(report.cases) == ["a"]
    assert told(report) == {"b": {"count"}, "c": {"item"}}
    assert (report.received, report.accepted, report.refused) == (3, 1, 2)
    case = Case.objects.get()
    assert (case.item, case.data) == ("a", screen())


def test_the_same_orders_again_are_not_placed_again(equipment: solution.Solution) -> None:
    first = place(Order("a", screen()))
    again = place(Order("a", screen()), Order("b", screen()))
    assert again.cases["a"] == first.cases["a"]
    assert Case.objects.count() == 2
    assert Submission.objects.count() == 1


def test_orders_that_are_only_tried_leave_nothing(equipment: solution.Solution) -> None:
    report = place(Order("a", screen()), Order("b", {}), dry_run=True)
    assert (report.accepted, report.refused) == (1, 1)
    assert not Case.objects.exists()
    assert not Submission.objects.exists()


def test_an_order_whose_flow_cannot_start_is_refused_alone(
    equipment: solution.Solution, monkeypatch: pytest.MonkeyPatch
) -> None:
    module = ModuleType("handlers")

    def prepare(orders: Sequence[Order], _preparation: object) -> list[Prepared]:
        return [Prepared({**order.data, "scan": "x" * order.data["size"]}) for order in orders]

    module.__dict__["prepare"] = prepare
    install(monkeypatch, replace(equipment, handlers=module))
    sizes = {"a": 1, "b": 5_000_000, "c": 1}
    report = place(*(Order(item, screen(size=size)) for item, size in sizes.items()))
    assert list(report.cases) == ["a", "c"]
    [fault] = report.faults
    assert (fault.item, "4 MB" in fault.message) == ("b", True)
    assert Case.objects.count() == 2


def lines(*rows: Any) -> bytes:
    texts = [row if isinstance(row, str) else json.dumps(row) for row in rows]
    return "\n".join(texts).encode()


def test_a_solution_without_a_reader_of_files_takes_json_lines(
    equipment: solution.Solution,
) -> None:
    content = lines(
        {"item": "a", "data": screen()},
        "",
        {"data": screen(item="phone")},
        {"item": "a", "data": screen()},
        {"item": "d", "data": screen(count=0)},
        {"item": "e", "date": screen()},
        {"item": 6, "data": screen()},
        "[1, 2",
        '{"data": {"item": "\\u0000"}}',
    )
    report, submission = ordering.place_file(
        "equipment", "x.jsonl", content, user="system:test", now=NOW
    )
    assert submission is not None
    assert list(report.cases) == ["a", "3"]
    assert sorted((each.row, each.field) for each in report.faults) == [
        (4, "item"),
        (5, "count"),
        (6, ""),
        (7, ""),
        (8, ""),
        (9, ""),
    ]
    assert (report.received, report.refused) == (8, 6)
    again, _ = ordering.place_file("equipment", "x.jsonl", content, user="system:test", now=NOW)
    assert again.cases == report.cases
    assert Case.objects.count() == 2


def test_other_files_are_refused_with_what_to_send_instead(equipment: solution.Solution) -> None:
    with pytest.raises(NotAllowedError, match=r"\.jsonl"):
        ordering.place_file("equipment", "x.csv", b"x", user="system:test", now=NOW)

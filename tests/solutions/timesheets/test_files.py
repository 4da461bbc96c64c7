# SPDX-License-Identifier: MPL-2.0
"""Files of time sheets: what becomes of each row."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from typing import Any

import pytest

from sagsgang.cases import ordering
from sagsgang.cases.errors import NotAllowedError
from sagsgang.cases.models import Case, RegisterEntry, Submission, Task
from sagsgang.solutions.timesheets import handlers
from tests.solutions.timesheets.conftest import Service, shifts
from tests.world import NOW

pytestmark = pytest.mark.django_db

HEADER = "Timeseddel;Medarbejdernummer;Dato;Start;Slut;Retter"
Row = tuple[str, str, str, str, str]


def file_of(*rows: Row) -> bytes:
    return "\n".join([HEADER, *(";".join((*row, "")) for row in rows)]).encode()


def send(service: Service, *rows: Row, **more: Any) -> ordering.Report:
    report, _ = ordering.place_file(
        "timesheets",
        "timesedler.csv",
        file_of(*rows),
        user=service.world.caseworker.username,
        now=service.clock.now(),
        **more,
    )
    service.work()
    return report


def reasons(report: ordering.Report, item: str) -> list[str]:
    tasks = Task.objects.filter(case__number=report.cases[item])
    return [reason["reason"] for task in tasks for reason in task.facts.get("reasons", ())]


def item_of(report: ordering.Report, row: int) -> str:
    return next(item for item, rows in report.rows.items() if row in rows)


def sheets(count: int) -> Sequence[Row]:
    return [
        (f"S{day}", "10001", f"2025-09-{day:02d}", "08:00", "12:00") for day in range(1, count + 1)
    ]


def test_a_file_becomes_a_case_for_each_sheet(service: Service) -> None:
    report = send(
        service,
        ("A", "10001", "2025-09-01", "08:00", "12:00"),
        ("A", "10001", "2025-09-02", "08:00", "12:00"),
        ("B", "10001", "2025-09-03", "08:00", "12:00"),
    )
    assert (report.received, report.accepted, report.refused) == (2, 2, 0)
    assert sorted(shifts(case) for case in Case.objects.all()) == [1, 2]
    assert set(Case.objects.values_list("origin", flat=True)) == {"file"}


def test_numbers_follow_the_order_of_the_file(service: Service) -> None:
    report = send(service, *sheets(5))
    in_file = [report.cases[item_of(report, row)] for row in range(2, 7)]
    assert in_file == sorted(in_file)


def test_the_report_names_the_row_and_field_of_each_fault(service: Service) -> None:
    report = send(
        service,
        ("A", "10001", "2025-09-01", "08:00", "12:00"),
        ("B", "10001", "2025-09-02", "8.75", "12:00"),
        ("C", "77777", "2025-09-03", "08:00", "12:00"),
    )
    assert (report.received, report.accepted, report.refused) == (3, 1, 2)
    assert sorted(fault.row for fault in report.faults) == [3, 4]
    assert all(fault.message for fault in report.faults)
    (unknown,) = [fault for fault in report.faults if fault.row == 4]
    assert unknown.field == "employment"


def test_the_report_as_a_spreadsheet_has_a_line_for_each_row(service: Service) -> None:
    report = send(
        service,
        ("A", "10001", "2025-09-01", "08:00", "12:00"),
        ("C", "77777", "2025-09-03", "08:00", "12:00"),
    )
    text = ordering.report_csv(report).decode("utf-8-sig")
    _, *lines = csv.reader(io.StringIO(text), delimiter=";")
    assert [line[0] for line in lines] == ["2", "3"]
    assert lines[0][3:] == ["Modtaget", Case.objects.get().number]
    assert lines[1][4] == ""


def test_a_cell_that_a_spreadsheet_would_run_is_made_harmless() -> None:
    report = ordering.Report(faults=[ordering.Fault(2, "", "Fejl.", '=HYPERLINK("x")')])
    assert "'=HYPERLINK" in ordering.report_csv(report).decode("utf-8-sig")


def test_a_dry_run_says_what_would_happen_and_keeps_nothing(service: Service) -> None:
    rows: list[Row] = [
        ("A", "10001", "2025-09-01", "08:00", "12:00"),
        ("C", "77777", "2025-09-03", "08:00", "12:00"),
    ]
    tried = send(service, *rows, dry_run=True)
    assert (tried.received, tried.accepted, tried.refused) == (2, 1, 1)
    assert not Case.objects.exists()
    assert not Submission.objects.exists()
    assert not RegisterEntry.objects.filter(kind="shift").exists()
    real = send(service, *rows)
    assert [fault.message for fault in real.faults] == [fault.message for fault in tried.faults]


def test_the_same_file_again_gives_the_first_report_and_makes_nothing(service: Service) -> None:
    rows = [*sheets(3), ("X", "77777", "2025-09-03", "08:00", "12:00")]
    first = send(service, *rows)
    again = send(service, *rows)
    assert again.cases == first.cases
    assert again.faults == first.faults
    assert (again.received, again.accepted) == (first.received, first.accepted)
    assert Case.objects.count() == 3
    assert Submission.objects.count() == 1


def test_the_same_sheet_twice_in_a_file_is_a_duplicate(service: Service) -> None:
    report = send(
        service,
        ("A", "10001", "2025-09-01", "08:00", "12:00"),
        ("B", "10001", "2025-09-01", "08:00", "12:00"),
    )
    assert "duplicate" not in reasons(report, item_of(report, 2))
    assert "duplicate" in reasons(report, item_of(report, 3))


def test_the_same_sheet_in_another_file_is_a_duplicate(service: Service) -> None:
    send(service, ("A", "10001", "2025-09-01", "08:00", "12:00"))
    report = send(service, ("B", "10001", "2025-09-01", "08:00", "12:00"))
    assert "duplicate" in reasons(report, item_of(report, 2))


@pytest.mark.parametrize("apart", [False, True])
def test_overlaps_are_found_within_a_file_and_across_files(service: Service, apart: bool) -> None:
    first: Row = ("A", "10001", "2025-09-01", "08:00", "12:00")
    second: Row = ("B", "10001", "2025-09-01", "11:00", "14:00")
    if apart:
        send(service, first)
        report = send(service, second)
    else:
        report = send(service, first, second)
    assert reasons(report, next(reversed(list(report.cases)))) == ["overlap"]


def test_duties_that_only_meet_do_not_overlap(service: Service) -> None:
    report = send(
        service,
        ("A", "10001", "2025-09-01", "08:00", "12:00"),
        ("B", "10001", "2025-09-01", "12:00", "14:00"),
    )
    assert reasons(report, item_of(report, 3)) == []


def test_a_duplicate_is_found_across_batches(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ordering, "BATCH", 1)
    report = send(
        service,
        ("A", "10001", "2025-09-01", "08:00", "12:00"),
        ("B", "10001", "2025-09-01", "08:00", "12:00"),
    )
    assert "duplicate" in reasons(report, item_of(report, 3))


def test_a_submission_cut_short_goes_on_where_it_stopped(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ordering, "BATCH", 2)
    prepare = handlers.prepare
    batches = 0

    def cut_short(orders: Any, preparation: Any) -> Any:
        nonlocal batches
        batches += 1
        if batches == 2:
            raise TimeoutError
        return prepare(orders, preparation)

    monkeypatch.setattr(handlers, "prepare", cut_short)
    with pytest.raises(TimeoutError):
        send(service, *sheets(5))
    assert Case.objects.count() == 2
    monkeypatch.setattr(handlers, "prepare", prepare)
    report = send(service, *sheets(5))
    assert (report.received, report.accepted) == (5, 5)
    assert Case.objects.count() == 5
    assert Submission.objects.get().accepted == 5


def test_progress_is_told_by_the_batch(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ordering, "BATCH", 2)
    told: list[tuple[int, int]] = []
    send(service, *sheets(5), progress=lambda done, of: told.append((done, of)))
    assert told == [(2, 5), (4, 5), (5, 5)]


def test_a_file_that_is_no_table_is_refused_as_a_whole(service: Service) -> None:
    report, _ = ordering.place_file(
        "timesheets",
        "x.pdf",
        b"%PDF-1.7",
        user=service.world.caseworker.username,
        now=NOW,
    )
    assert report.accepted == 0
    assert [fault.row for fault in report.faults] == [0]


def test_one_who_may_not_order_sends_no_file(service: Service) -> None:
    with pytest.raises(NotAllowedError):
        ordering.place_file("timesheets", "x.csv", file_of(*sheets(1)), user="ingen", now=NOW)
    assert not Submission.objects.exists()


def test_two_who_send_the_same_file_at_once_make_each_case_once(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ordering, "BATCH", 2)
    others: list[ordering.Report] = []

    def meanwhile(_done: int, _of: int) -> None:
        if not others:
            others.append(ordering.Report())
            others[0] = send(service, *sheets(5))

    report = send(service, *sheets(5), progress=meanwhile)
    assert Case.objects.count() == 5
    assert report.cases == others[0].cases

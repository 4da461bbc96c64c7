# SPDX-License-Identifier: MPL-2.0
"""A month of time sheets with realistic faults, and what must become of each of them.

Everything follows from a seed. Most sheets are fine and on the shift plan (vagtplan); about three
in ten need a person, each for a known reason, and a few are refused at the door. The expected
outcome goes with every sheet, so that a run can be checked against it.

The expectations assume that earlier payroll periods than the month are closed, that the month's
own is open, and that the sheets are sent within a month after it.
"""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from random import Random
from typing import Any, Final, Protocol

import orjson

from sagsgang.solutions.timesheets.pay import (
    Duty,
    Rulebook,
    Terms,
    TimeSheet,
    calculate,
    standard_rulebook,
)
from sagsgang.solutions.timesheets.pay.days import clock_change

__all__ = [
    "Employed",
    "Expected",
    "Month",
    "PlannedShift",
    "Row",
    "Sent",
    "generate",
    "write_csv",
    "write_jsonl",
    "write_xlsx",
]

HEADER: Final = (
    "Timeseddel",
    "Medarbejdernummer",
    "Enhed",
    "Dato",
    "Start",
    "Slut",
    "Pause (minutter)",
    "Tjenestetype",
    "Bemærkning",
)
_UNKNOWN: Final = "99999999"
_MOST_A_WEEK: Final = 38 * 60
_TRIES: Final = 400
_FAULTY: Final = 0.32

_SPANS: Final = (
    ("07:00", "15:00", 0),
    ("08:00", "14:30", 30),
    ("09:15", "13:45", 0),
    ("12:00", "16:00", 0),
    ("15:00", "23:00", 0),
    ("16:30", "21:00", 0),
    ("23:00", "07:00", 0),
    ("07:30", "15:10", 30),
)
_NOTES: Final = ("", "", "", "", "Vikar for kollega", "Aftalt med leder", "Sygdom i afdelingen")


class Employed(Protocol):
    """What is needed to know of an employment."""

    @property
    def number(self) -> str: ...
    @property
    def unit(self) -> str: ...
    @property
    def agreement(self) -> str: ...
    @property
    def hourly_rate(self) -> Decimal: ...
    @property
    def hourly_paid(self) -> bool: ...
    @property
    def starts(self) -> date: ...
    @property
    def ends(self) -> date | None: ...


class Expected(StrEnum):
    """What must become of a sheet."""

    AUTOMATIC = "automatic"
    """Straight through: no person touches it."""
    APPROVAL = "approval"
    """Only the manager approves it."""
    CASEWORKER = "caseworker"
    """A caseworker must look at it."""
    REFUSED = "refused"
    """No case; the sender is told why."""


@dataclass(frozen=True, slots=True)
class Row:
    """One duty as it stands in the file."""

    day: date
    start: str
    end: str
    break_minutes: int = 0
    kind: str = "normal"
    note: str = ""


@dataclass(frozen=True, slots=True)
class Sent:
    """One time sheet as sent in, and the truth about it.

    Attributes:
        reference: The sender's id of the sheet.
        employment: Employment number.
        unit: External id of the unit.
        rows: Its duties.
        expected: What must become of it.
        reasons: Reason codes that must be among those given; empty when it goes straight through
            or is refused.
        fault: Short name of the fault that was put in; empty for none.
    """

    reference: str
    employment: str
    unit: str
    rows: tuple[Row, ...]
    expected: Expected = Expected.AUTOMATIC
    reasons: tuple[str, ...] = ()
    fault: str = ""


@dataclass(frozen=True, slots=True)
class PlannedShift:
    """One row of the shift plan (vagtplan): hours that a manager has booked."""

    employment: str
    unit: str
    start: datetime
    end: datetime


@dataclass(frozen=True, slots=True)
class Month:
    """The sheets of a month, in the order in which they are sent, and the plan."""

    first: date
    sheets: tuple[Sent, ...]
    plan: tuple[PlannedShift, ...]

    def counts(self) -> Mapping[Expected, int]:
        """Return how many sheets are expected to end in each way."""
        return Counter(sheet.expected for sheet in self.sheets)


@dataclass(slots=True)
class _Calendar:
    """Days of one employment that are still free."""

    free: list[date]
    weeks: Counter[tuple[int, int]] = field(default_factory=Counter)
    closed: bool = False


def generate(
    seed: int,
    *,
    month: date,
    employments: Iterable[Employed],
    sheets: int = 2500,
    rulebook: Rulebook | None = None,
) -> Month:
    """Return a month of time sheets.

    Args:
        seed: Decides everything.
        month: Any date of the month.
        employments: The employments that exist; hourly-paid ones send sheets.
        sheets: How many sheets. Default: 2,500.
        rulebook: The agreements with local figures, which decide what can be calculated.
            Default: the agreements as they come.

    Raises:
        ValueError: There are too few hourly-paid employments for so many sheets.
    """
    return _Generator(seed, month, employments, rulebook or standard_rulebook()).run(sheets)


class _Generator:
    def __init__(
        self, seed: int, month: date, employments: Iterable[Employed], rulebook: Rulebook
    ) -> None:
        self.chance = Random(seed)  # noqa: S311  # a demo, not a secret
        self.first = month.replace(day=1)
        self.last = _next_month(self.first) - timedelta(days=1)
        everyone = sorted(employments, key=lambda each: each.number)
        self.monthly = [each for each in everyone if not each.hourly_paid and self._here(each)]
        self.hourly = [each for each in everyone if each.hourly_paid and self._here(each)]
        newest = self.first - timedelta(days=150)
        self.outside = [
            each for each in everyone if each.hourly_paid and newest < each.starts <= self.last
        ]
        self.unknown = [each for each in self.hourly if each.agreement not in rulebook.codes]
        self.elsewhere: set[str] = set()
        self.rulebook = rulebook
        self.known: dict[tuple[str, str, str, date], bool] = {}
        self.calendars: dict[str, _Calendar] = {}
        self.sent: list[Sent] = []
        self.plan: list[PlannedShift] = []
        self.open: list[Employed] = list(self.hourly)
        self.nights = [
            each - timedelta(days=1)
            for each in _days(self.first + timedelta(days=1), self.last)
            if clock_change(each)
        ]

    # --- the month -----------------------------------------------------------------------------

    def run(self, count: int) -> Month:
        for fault, share in self._shares(count).items():
            for _ in range(round(count * share)):
                self._make(fault)
        while len(self.sent) < count:
            self._make("")
        groups: list[list[Sent]] = []
        for sheet in self.sent[:count]:
            # What repeats or overlaps another sheet comes after it.
            if sheet.fault in ("overlap", "duplicate"):
                groups[-1].append(sheet)
            else:
                groups.append([sheet])
        self.chance.shuffle(groups)
        sheets = (sheet for group in groups for sheet in group)
        numbered = tuple(
            replace(sheet, reference=f"TS-{self.first:%Y-%m}-{number:05}")
            for number, sheet in enumerate(sheets, start=1)
        )
        self.plan.sort(key=lambda shift: (shift.employment, shift.start))
        return Month(self.first, numbered, tuple(self.plan))

    def _shares(self, count: int) -> dict[str, float]:
        # These end the sheets of an employment, because more hours would make other faults of it.
        lone = {"overlap": 0.03, "duplicate": 0.03, "long_duty": 0.03, "long_week": 0.01}
        room = min(1.0, len(self.hourly) / (10 * count * sum(lone.values())))
        shares = {
            **{fault: share * room for fault, share in lone.items()},
            "outside_employment": min(0.02, len(self.outside) / (2 * count)),
            "period_closed": min(0.025, len(self.hourly) / (8 * count)),
            "too_old": min(0.015, len(self.hourly) / (8 * count)),
            "parameter_missing": 0.03,
            "agreement_unknown": min(0.005, len(self.unknown) / count),
            "clock_change": min(0.015, len(self.hourly) / (20 * count)) if self.nights else 0.0,
            "monthly_paid": min(0.01, len(self.monthly) / (2 * count)),
            "unknown_employment": 0.008,
            "unknown_type": 0.007,
            "impossible_time": 0.005,
        }
        # A fault that cannot happen in this month leaves its share to the most common one.
        return {**shares, "not_on_plan": _FAULTY - sum(shares.values())}

    def _make(self, fault: str) -> None:
        maker: Callable[[], bool] = getattr(self, f"_{fault or 'fine'}")
        for _ in range(_TRIES):
            if maker():
                return
        raise ValueError(
            f"{len(self.hourly)} hourly-paid employments are too few for so many time sheets with "
            f"the fault {fault or 'none'}: give more employments or ask for fewer sheets."
        )

    # --- building blocks -------------------------------------------------------------------------

    def _here(self, each: Employed) -> bool:
        return each.starts <= self.first and (each.ends is None or each.ends >= self.last)

    def _pick(self, agreements: Sequence[str] = ()) -> Employed | None:
        while self.open:
            index = self.chance.randrange(len(self.open))
            each = self.open[index]
            calendar = self._calendar(each)
            if calendar.closed or not calendar.free:
                self.open[index] = self.open[-1]
                self.open.pop()
                continue
            if agreements and each.agreement not in agreements:
                return None
            return each
        return None

    def _calendar(self, each: Employed) -> _Calendar:
        calendar = self.calendars.get(each.number)
        if calendar is None:
            days = list(_days(self.first, self.last - timedelta(days=1)))
            self.chance.shuffle(days)
            calendar = self.calendars[each.number] = _Calendar(days)
        return calendar

    def _computable(self, each: Employed, row: Row) -> bool:
        key = (each.agreement, row.start, row.end, row.day)
        known = self.known.get(key)
        if known is None:
            on = Terms(
                agreement=each.agreement, hourly_rate=each.hourly_rate, pension_qualified=True
            )
            duty = Duty.local(row.day, row.start, row.end)
            sheet = TimeSheet(employment=each.number, duties=(duty,))
            known = self.known[key] = calculate(sheet, on, self.rulebook).complete
        return known

    def _rows(self, each: Employed, count: int) -> tuple[Row, ...]:
        """Return duties on free days that can be calculated and keep the week within bounds."""
        calendar = self._calendar(each)
        rows: list[Row] = []
        tried: list[date] = []
        while calendar.free and len(rows) < count:
            day = calendar.free.pop()
            tried.append(day)
            for start, end, pause in self.chance.sample(_SPANS, 4):
                row = Row(day, start, end, pause, note=self.chance.choice(_NOTES))
                week = day.isocalendar()[:2]
                minutes = _duty(row).elapsed_minutes
                if calendar.weeks[week] + minutes > _MOST_A_WEEK:
                    continue
                if end < start and day + timedelta(days=1) not in calendar.free:
                    continue
                if not self._computable(each, row):
                    continue
                if end < start:
                    calendar.free.remove(day + timedelta(days=1))
                calendar.weeks[week] += minutes
                rows.append(row)
                break
        return tuple(sorted(rows, key=lambda row: row.day))

    def _send(
        self,
        each: Employed,
        rows: Iterable[Row],
        expected: Expected = Expected.AUTOMATIC,
        fault: str = "",
        reasons: tuple[str, ...] = (),
        *,
        employment: str = "",
        planned: bool = True,
    ) -> bool:
        rows = tuple(rows)
        self.sent.append(
            Sent("", employment or each.number, each.unit, rows, expected, reasons, fault)
        )
        if planned:
            for row in rows:
                duty = _duty(row)
                self.plan.append(PlannedShift(each.number, each.unit, duty.start, duty.end))
        return True

    def _count(self) -> int:
        return self.chance.choice((2, 3, 3, 3, 4))

    def _good(self, *, fresh: bool = False) -> tuple[Employed, tuple[Row, ...]] | None:
        """Return an employment and duties of it without any fault, or ``None`` to try again."""
        each = self._pick()
        if each is None or (fresh and self._calendar(each).weeks):
            return None
        rows = self._rows(each, self._count())
        return (each, rows) if rows else None

    # --- sheets ----------------------------------------------------------------------------------

    def _fine(self) -> bool:
        found = self._good()
        return found is not None and self._send(*found)

    def _not_on_plan(self) -> bool:
        found = self._good()
        if found is None:
            return False
        each, rows = found
        self._send(each, rows, Expected.APPROVAL, "not_on_plan", ("not_on_plan",), planned=False)
        for row in rows[1:]:
            duty = _duty(row)
            self.plan.append(PlannedShift(each.number, each.unit, duty.start, duty.end))
        return True

    def _overlap(self) -> bool:
        found = self._good(fresh=True)
        if found is None:
            return False
        each, rows = found
        self._send(each, rows)
        first = rows[0]
        begins = _duty(first).start + timedelta(minutes=90)
        late = Row(begins.date(), f"{begins:%H:%M}", first.end, note=first.note)
        self._calendar(each).closed = True
        return self._send(
            each, (late,), Expected.CASEWORKER, "overlap", ("overlap",), planned=False
        )

    def _duplicate(self) -> bool:
        found = self._good(fresh=True)
        if found is None:
            return False
        each, rows = found
        self._send(each, rows)
        self._calendar(each).closed = True
        return self._send(
            each, rows, Expected.CASEWORKER, "duplicate", ("duplicate",), planned=False
        )

    def _outside_employment(self) -> bool:
        each = self.chance.choice(self.outside)
        if each.number in self.elsewhere:
            return False
        self.elsewhere.add(each.number)
        row = Row(each.starts - timedelta(days=self.chance.randrange(1, 20)), "08:00", "12:00")
        reasons = ("outside_employment",)
        return self._send(each, (row,), Expected.CASEWORKER, "outside_employment", reasons)

    def _agreement_unknown(self) -> bool:
        each = self.chance.choice(self.unknown)
        calendar = self._calendar(each)
        if not calendar.free:
            return False
        row = Row(calendar.free.pop(), "08:00", "12:00")
        reasons = ("parameter_missing",)
        return self._send(each, (row,), Expected.CASEWORKER, "agreement_unknown", reasons)

    def _long_duty(self) -> bool:
        found = self._good(fresh=True)
        if found is None:
            return False
        each, rows = found
        self._calendar(each).closed = True
        long = Row(rows[0].day, "07:00", "21:30", 30)
        reasons = ("long_duty",)
        return self._send(each, (long, *rows[1:]), Expected.CASEWORKER, "long_duty", reasons)

    def _long_week(self) -> bool:
        each = self._pick()
        if each is None or self._calendar(each).weeks:
            return False
        monday = self.first + timedelta(days=(7 - self.first.weekday()) % 7 + 7)
        self._calendar(each).closed = True
        rows = [Row(monday + timedelta(days=n), "06:30", "16:30") for n in range(5)]
        return self._send(each, rows, Expected.CASEWORKER, "long_week", ("long_week",))

    def _earlier(self, months: int, fault: str, reasons: tuple[str, ...]) -> bool:
        each = self._pick()
        if each is None or each.number in self.elsewhere:
            return False
        day = self.first
        for _ in range(months):
            day = (day - timedelta(days=1)).replace(day=1)
        if each.starts > day:
            return False
        self.elsewhere.add(each.number)
        day += timedelta(days=self.chance.randrange(2, 20))
        rows = [Row(day, "08:00", "14:00"), Row(day + timedelta(days=2), "08:00", "14:00")]
        return self._send(each, rows, Expected.CASEWORKER, fault, reasons)

    def _period_closed(self) -> bool:
        return self._earlier(1, "period_closed", ("period_closed",))

    def _too_old(self) -> bool:
        return self._earlier(5, "too_old", ("too_old", "period_closed"))

    def _parameter_missing(self) -> bool:
        found = self._good()
        if found is None:
            return False
        each, rows = found
        # Being on call is not verified in any agreement.
        unknown = replace(rows[-1], kind="rådighed", break_minutes=0)
        reasons = ("parameter_missing",)
        return self._send(
            each, (*rows[:-1], unknown), Expected.CASEWORKER, "parameter_missing", reasons
        )

    def _clock_change(self) -> bool:
        each = self._pick(("KL-79.01",))
        if each is None:
            return False
        calendar = self._calendar(each)
        night = self.chance.choice(self.nights)
        week = night.isocalendar()[:2]
        if night not in calendar.free or calendar.weeks[week] + 540 > _MOST_A_WEEK:
            return False
        if night + timedelta(days=1) not in calendar.free and night + timedelta(1) <= self.last:
            return False
        calendar.free = [day for day in calendar.free if abs((day - night).days) > 1]
        calendar.weeks[week] += 540
        rows = (Row(night, "23:00", "07:00"), *self._rows(each, 2))
        reasons = ("clock_change",)
        return self._send(
            each, sorted(rows, key=lambda row: row.day), Expected.CASEWORKER, "clock_change",
            reasons,
        )  # fmt: skip

    def _monthly_paid(self) -> bool:
        each = self.chance.choice(self.monthly)
        if each.number in self.elsewhere:
            return False
        self.elsewhere.add(each.number)
        row = Row(self.first + timedelta(days=self.chance.randrange(20)), "08:00", "12:00")
        reasons = ("monthly_paid",)
        return self._send(each, (row,), Expected.CASEWORKER, "monthly_paid", reasons)

    def _refused(self, fault: str, **changes: Any) -> bool:
        found = self._good()
        if found is None:
            return False
        each, (row, *rest) = found
        bad = replace(row, **{key: value for key, value in changes.items() if key != "number"})
        return self._send(
            each, (bad, *rest), Expected.REFUSED, fault, employment=changes.get("number", ""),
            planned=False,
        )  # fmt: skip

    def _unknown_employment(self) -> bool:
        return self._refused("unknown_employment", number=_UNKNOWN)

    def _unknown_type(self) -> bool:
        return self._refused("unknown_type", kind="nattevagtt")

    def _impossible_time(self) -> bool:
        return self._refused("impossible_time", end="25:00")


def _next_month(day: date) -> date:
    return (day.replace(day=1) + timedelta(days=32)).replace(day=1)


def _days(first: date, last: date) -> Iterator[date]:
    for number in range((last - first).days + 1):
        yield first + timedelta(days=number)


def _duty(row: Row) -> Duty:
    return Duty.local(row.day, row.start, row.end)


# --- files ---------------------------------------------------------------------------------------


def _cells(sheet: Sent) -> Iterator[tuple[str, ...]]:
    for row in sheet.rows:
        yield (
            sheet.reference,
            sheet.employment,
            sheet.unit,
            f"{row.day:%d-%m-%Y}",
            row.start,
            row.end,
            str(row.break_minutes or ""),
            row.kind,
            row.note,
        )


def write_csv(month: Month) -> bytes:
    """Return the sheets as Excel writes CSV in Denmark: UTF-8 with BOM, semicolons."""
    out = io.StringIO()
    writer = csv.writer(out, delimiter=";", lineterminator="\r\n")
    writer.writerow(HEADER)
    for sheet in month.sheets:
        writer.writerows(_cells(sheet))
    return b"\xef\xbb\xbf" + out.getvalue().encode("utf-8")


def write_xlsx(month: Month) -> bytes:
    """Return the sheets as a workbook."""
    from openpyxl import Workbook

    book = Workbook(write_only=True)
    table = book.create_sheet("Timesedler")
    table.append(HEADER)
    for sheet in month.sheets:
        for row, cells in zip(sheet.rows, _cells(sheet), strict=True):
            table.append([*cells[:3], row.day, *cells[4:]])
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def write_jsonl(month: Month) -> bytes:
    """Return the sheets as JSON lines, one whole sheet a line."""
    return b"".join(
        orjson.dumps(
            {
                "employment": sheet.employment,
                "reference": sheet.reference,
                "unit": sheet.unit,
                "lines": [
                    {
                        "date": row.day.isoformat(),
                        "start": row.start,
                        "end": row.end,
                        "break_minutes": row.break_minutes,
                        "kind": row.kind,
                        "note": row.note,
                    }
                    for row in sheet.rows
                ],
            }
        )
        + b"\n"
        for sheet in month.sheets
    )

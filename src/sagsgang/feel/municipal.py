# SPDX-License-Identifier: MPL-2.0
"""Functions that municipal rules need and FEEL lacks, as a library of their own.

Give it to :func:`sagsgang.feel.compile`::

    compile("add working days(received, 7)", names=["received"], functions=MUNICIPAL)

Working days leave out Saturdays, Sundays and the Danish public holidays (helligdage); further
closing days (lukkedage) are an argument, because they differ from one municipality to the next.
Points in time without a zone are Danish local time.
"""

from __future__ import annotations

import datetime as dt
import decimal
import re
from decimal import Decimal
from functools import lru_cache
from typing import Any, Final

from stdnum import ean, iban
from stdnum.dk import cpr, cvr
from stdnum.exceptions import ValidationError

from sagsgang.feel._arithmetic import add_months
from sagsgang.feel._calendar import NANOS_PER_DAY, NANOS_PER_SECOND, zone_offset
from sagsgang.feel._numbers import CONTEXT, integer
from sagsgang.feel._run import Fault
from sagsgang.feel.library import Library
from sagsgang.feel.values import DateTime, FarDate, Range, Time

__all__ = ["MUNICIPAL", "is_working_day", "public_holidays"]

MUNICIPAL: Final = Library("municipal")
"""The municipal functions by FEEL name."""

_ZONE: Final = "Europe/Copenhagen"
_FIRST_YEAR, _LAST_YEAR = 1950, 2099
_MAX_DAYS: Final = 10_000
_MAX_INTERVAL_DAYS: Final = 3_660
_SATURDAY: Final = 5
_ONE_DAY: Final = dt.timedelta(days=1)
_NANOS_PER_HOUR: Final = 3600 * NANOS_PER_SECOND
_OERE: Final = Decimal("0.01")
_KRONE: Final = Decimal(1)
_CPR: Final = re.compile(r"([0-9]{2})([0-9]{2})([0-9]{2})-?([0-9]{4}|[0-9A-Za-z]{4})\Z", re.ASCII)
_DIGITS: Final = re.compile(r"[0-9]+\Z", re.ASCII)
_P_NUMBER_LENGTH: Final = 10
_REPLACEMENT_DAYS: Final = 60

_Date = dt.date | FarDate


# ---- the calendar


@lru_cache(maxsize=256)
def public_holidays(year: int) -> frozenset[dt.date]:
    """The Danish public holidays (helligdage) of a year.

    Sundays among them are included. Great Prayer Day (store bededag) is one until 2023
    (law 214 of 6 March 2023).

    Args:
        year: 1950 to 2099.

    Raises:
        Fault: the year is outside what the calendar knows.
    """
    if not _FIRST_YEAR <= year <= _LAST_YEAR:
        raise Fault("feel.value", reason="the calendar goes from 1950 to 2099")
    import holidays

    return frozenset(holidays.country_holidays("DK", years=year))


def is_working_day(day: dt.date, closed: frozenset[dt.date] = frozenset()) -> bool:
    """Whether a day is neither weekend, public holiday nor a closing day of the municipality."""
    return day.weekday() < _SATURDAY and day not in public_holidays(day.year) and day not in closed


def _known(day: _Date) -> dt.date:
    if not isinstance(day, dt.date):
        raise Fault("feel.value", reason="the calendar goes from 1950 to 2099")
    return day


def _closing(days: list[Any] | None) -> frozenset[dt.date]:
    return frozenset(days or ())


def _count(number: Decimal) -> int:
    found = integer(number)
    if found is None or abs(found) > _MAX_DAYS:
        raise Fault("feel.value", reason="the count must be a whole number, at most 10000")
    return found


def _forward(day: dt.date, closed: frozenset[dt.date], step: dt.timedelta = _ONE_DAY) -> dt.date:
    while not is_working_day(day, closed):
        day += step
    return day


@MUNICIPAL.function("public holidays(year: number) -> list<date>")
def _public_holidays(year: Decimal) -> list[dt.date]:
    """The public holidays of a year, in order."""
    return sorted(public_holidays(_count(year)))


@MUNICIPAL.function("is public holiday(date: date) -> boolean")
def _is_public_holiday(date: _Date) -> bool:
    """Whether a day is a public holiday; an ordinary Sunday is not."""
    day = _known(date)
    return day in public_holidays(day.year)


@MUNICIPAL.function("is working day(date: date, closed?: list<date>?) -> boolean")
def _is_working_day(date: _Date, closed: list[Any] | None = None) -> bool:
    """Whether a day is neither weekend, public holiday nor closing day."""
    return is_working_day(_known(date), _closing(closed))


@MUNICIPAL.function("next working day(date: date, closed?: list<date>?) -> date")
def _next_working_day(date: _Date, closed: list[Any] | None = None) -> dt.date:
    """The day itself when it is a working day, otherwise the first after it."""
    return _forward(_known(date), _closing(closed))


@MUNICIPAL.function("previous working day(date: date, closed?: list<date>?) -> date")
def _previous_working_day(date: _Date, closed: list[Any] | None = None) -> dt.date:
    """The day itself when it is a working day, otherwise the last before it."""
    return _forward(_known(date), _closing(closed), -_ONE_DAY)


@MUNICIPAL.function("add working days(date: date, days: number, closed?: list<date>?) -> date")
def _add_working_days(date: _Date, days: Decimal, closed: list[Any] | None = None) -> dt.date:
    """The day a number of working days later; the first counted is the day after.

    This is how the deadline of seven working days for access to documents runs
    (offentlighedsloven section 36). A negative number goes back; none gives the next working day.
    """
    day, closing = _known(date), _closing(closed)
    left = _count(days)
    if left == 0:
        return _forward(day, closing)
    step = _ONE_DAY if left > 0 else -_ONE_DAY
    for _ in range(abs(left)):
        day = _forward(day + step, closing, step)
    return day


@MUNICIPAL.function("working days between(from: date, to: date, closed?: list<date>?) -> number")
def _working_days_between(start: _Date, end: _Date, closed: list[Any] | None = None) -> Decimal:
    """The number of working days after one day up to and with another, negative backwards."""
    first, last, closing = _known(start), _known(end), _closing(closed)
    sign = 1
    if last < first:
        first, last, sign = last, first, -1
    if (last - first).days > _MAX_DAYS:
        raise Fault("feel.value", reason="the days lie more than 10000 apart")
    days = (first + dt.timedelta(days=n) for n in range(1, (last - first).days + 1))
    return Decimal(sign * sum(is_working_day(day, closing) for day in days))


@MUNICIPAL.function("deadline in days(from: date, days: number, closed?: list<date>?) -> date")
def _deadline_in_days(date: _Date, days: Decimal, closed: list[Any] | None = None) -> dt.date:
    """The day a number of calendar days later, moved to the next working day."""
    later = _known(date) + dt.timedelta(days=_count(days))
    return _forward(later, _closing(closed))


@MUNICIPAL.function("deadline in weeks(from: date, weeks: number, closed?: list<date>?) -> date")
def _deadline_in_weeks(date: _Date, weeks: Decimal, closed: list[Any] | None = None) -> dt.date:
    """The same weekday a number of weeks later, moved to the next working day."""
    later = _known(date) + dt.timedelta(weeks=_count(weeks))
    return _forward(later, _closing(closed))


@MUNICIPAL.function("deadline in months(from: date, months: number, closed?: list<date>?) -> date")
def _deadline_in_months(date: _Date, months: Decimal, closed: list[Any] | None = None) -> dt.date:
    """The same day of the month some months later, moved to the next working day."""
    later = add_months(_known(date), _count(months))
    return _forward(_known(later), _closing(closed))


@MUNICIPAL.function("age on(birth date: date, date: date) -> number")
def _age_on(birth: _Date, date: _Date) -> Decimal:
    """Whole years of age on a day; who is born on 29 February turns older on 1 March."""
    age = date.year - birth.year - ((date.month, date.day) < (birth.month, birth.day))
    if age < 0:
        raise Fault("feel.value", reason="the day lies before the birth date")
    return Decimal(age)


# ---- money


@MUNICIPAL.function("round to øre(amount: number) -> number")
@MUNICIPAL.function("round to oere(amount: number) -> number")
def _round_to_oere(amount: Decimal) -> Decimal:
    """An amount in kr. with two decimals, half an øre away from zero."""
    return amount.quantize(_OERE, rounding=decimal.ROUND_HALF_UP, context=CONTEXT)


@MUNICIPAL.function("round to krone(amount: number) -> number")
def _round_to_krone(amount: Decimal) -> Decimal:
    """An amount in whole kr., half a krone away from zero."""
    return amount.quantize(_KRONE, rounding=decimal.ROUND_HALF_UP, context=CONTEXT)


# ---- identifiers


def _cpr_parts(text: str) -> tuple[str, dt.date | None, bool] | None:
    """The ten characters, the birth date if it can be known, and whether it is a replacement."""
    found = _CPR.match(text)
    if found is None:
        return None
    day, month, year, serial = found.groups()
    replacement = int(day) > _REPLACEMENT_DAYS or not serial.isdigit()
    actual = int(day) - _REPLACEMENT_DAYS if int(day) > _REPLACEMENT_DAYS else int(day)
    if not serial.isdigit():
        # Without a seventh digit there is no century: a leap year lets 29 February through
        if not 1 <= int(month) <= 12 or not 1 <= actual <= _days(int(month)):
            return None
        return day + month + year + serial.upper(), None, True
    try:
        birth = cpr.get_birth_date(f"{actual:02d}{month}{year}{serial}")
    except ValidationError:
        return None
    return day + month + year + serial, birth, replacement


def _days(month: int) -> int:
    return 29 if month == 2 else 30 if month in (4, 6, 9, 11) else 31


@MUNICIPAL.function("is cpr(number: string) -> boolean")
def _is_cpr(text: str) -> bool:
    """Whether a text is a CPR number: ten characters that begin with a real date.

    Modulus 11 is not required, since numbers without it have been given out from 2007 on; ask
    ``cpr passes modulus 11`` for a warning. Replacement numbers (erstatnings-CPR) are accepted.
    """
    return _cpr_parts(text) is not None


@MUNICIPAL.function("cpr passes modulus 11(number: string) -> boolean")
def _cpr_passes(text: str) -> bool:
    """Whether the control digit of a CPR number fits; a failure is a warning, not a refusal."""
    parts = _cpr_parts(text)
    return parts is not None and parts[0].isdigit() and cpr.checksum(parts[0]) == 0


@MUNICIPAL.function("is replacement cpr(number: string) -> boolean")
def _is_replacement(text: str) -> bool:
    """Whether a CPR number is a replacement number: its day is 60 too high, or it has letters."""
    parts = _cpr_parts(text)
    return parts is not None and parts[2]


@MUNICIPAL.function("cpr birth date(number: string) -> date")
def _cpr_birth_date(text: str) -> dt.date:
    """The birth date in a CPR number, the century from its seventh digit."""
    parts = _cpr_parts(text)
    if parts is None or parts[1] is None:
        raise Fault("feel.value", reason="there is no birth date in the number")
    return parts[1]


@MUNICIPAL.function("mask cpr(number: string) -> string")
def _mask_cpr(text: str) -> str:
    """A CPR number as it may be shown: the birth date, and crosses for the rest."""
    parts = _cpr_parts(text)
    if parts is None:
        raise Fault("feel.value", reason="it is not a CPR number")
    return f"{parts[0][:6]}-xxxx"


@MUNICIPAL.function("is cvr(number: string) -> boolean")
def _is_cvr(text: str) -> bool:
    """Whether a text is a CVR number: eight digits with the right control digit."""
    return _DIGITS.match(text) is not None and bool(cvr.is_valid(text))


@MUNICIPAL.function("is p number(number: string) -> boolean")
def _is_p_number(text: str) -> bool:
    """Whether a text has the form of a production unit number: ten digits, no control digit."""
    return len(text) == _P_NUMBER_LENGTH and _DIGITS.match(text) is not None


@MUNICIPAL.function("is ean(number: string) -> boolean")
def _is_ean(text: str) -> bool:
    """Whether a text is an EAN or GLN number: thirteen digits with the right control digit."""
    return len(text) == 13 and _DIGITS.match(text) is not None and bool(ean.is_valid(text))


@MUNICIPAL.function("is iban(number: string) -> boolean")
def _is_iban(text: str) -> bool:
    """Whether a text is an IBAN account number; spaces may stand between its groups."""
    return bool(iban.is_valid(text))


# ---- intervals


def _instant(at: DateTime) -> int:
    """Nanoseconds since 1970 UTC; a local time is Danish time."""
    return DateTime(at.days, at.nanos, None, _ZONE).value if at.is_local else at.value


def _local_day(instant: int) -> int:
    """The day in Denmark of an instant, as days since 1970-01-01."""
    return DateTime.from_utc(instant, _ZONE).days


def _hours(nanos: int) -> Decimal:
    return CONTEXT.divide(Decimal(nanos), Decimal(_NANOS_PER_HOUR))


def _interval(start: DateTime, end: DateTime) -> tuple[int, int]:
    first, last = _instant(start), _instant(end)
    if last < first:
        raise Fault("feel.value", reason="the interval ends before it begins")
    if last - first > _MAX_INTERVAL_DAYS * NANOS_PER_DAY:
        raise Fault("feel.value", reason="the interval is longer than ten years")
    return first, last


@MUNICIPAL.function("hours between(start: date and time, end: date and time) -> number")
def _hours_between(start: DateTime, end: DateTime) -> Decimal:
    """The hours that pass, the change to and from summer time counted."""
    first, last = _interval(start, end)
    return _hours(last - first)


@MUNICIPAL.function(
    "hours in window(start: date and time, end: date and time, from: time, to: time) -> number"
)
def _hours_in_window(start: DateTime, end: DateTime, opens: Time, closes: Time) -> Decimal:
    """The hours of an interval that lie inside a daily window of Danish local time.

    A window that closes at or before it opens runs across midnight; one that opens and closes at
    the same time is the whole day. The night the clocks change counts the hours that pass.

    Args:
        start: when the interval (a shift, say) begins.
        end: when it ends.
        opens: when the window opens, each day.
        closes: when it closes, the same or the next day.
    """
    first, last = _interval(start, end)
    total = 0
    next_day = 1 if closes.nanos <= opens.nanos else 0
    for day in range(_local_day(first) - 1, _local_day(last) + 1):
        begin = _instant_of(day, opens.nanos)
        finish = _instant_of(day + next_day, closes.nanos)
        total += max(0, min(last, finish) - max(first, begin))
    return _hours(total)


def _instant_of(day: int, nanos: int) -> int:
    offset = zone_offset(_ZONE, day, nanos)
    return day * NANOS_PER_DAY + nanos - offset * NANOS_PER_SECOND


@MUNICIPAL.function("overlap in hours(range1: range, range2: range) -> number")
def _overlap_in_hours(a: Range, b: Range) -> Decimal:
    """The hours that two ranges of date and time share; none when they do not meet."""
    ends = (a.start, a.end, b.start, b.end)
    if any(type(end) is not DateTime for end in ends):
        raise Fault("feel.value", reason="the ranges must have a date and time at both ends")
    (first, last), (begin, finish) = _interval(a.start, a.end), _interval(b.start, b.end)
    return _hours(max(0, min(last, finish) - max(first, begin)))

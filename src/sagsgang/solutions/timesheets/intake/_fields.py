# SPDX-License-Identifier: MPL-2.0
"""One place where every field of a time sheet is judged, from a form as from a file.

Each ``read_...`` function returns the value and an empty text, or ``None`` and one Danish sentence
that says what is wrong and what to do. No sentence repeats a value that may be a CPR number.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from difflib import get_close_matches
from functools import lru_cache
from typing import Any, Final, NamedTuple

from sagsgang.solutions.timesheets.pay.days import clock_change

__all__ = [
    "LABELS",
    "Duty",
    "check_duty",
    "read_break",
    "read_clock",
    "read_date",
    "read_employment",
    "read_flag",
    "read_kind",
    "read_label",
    "read_note",
    "read_work",
]

LABELS: Final[Mapping[str, str]] = {
    "employment": "Medarbejdernummer",
    "date": "Dato",
    "start": "Start",
    "end": "Slut",
    "end_date": "Slutdato",
    "break_minutes": "Pause",
    "kind": "Tjenestetype",
    "work": "Arbejde",
    "called_in": "Tilkaldt",
    "note": "Bemærkning",
    "reference": "Timeseddel",
    "unit": "Enhed",
    "corrects": "Retter",
}
"""Field to the name that people know it by."""

_FIRST_YEAR: Final = 2000
_LAST_YEAR: Final = 2099
_DAY: Final = 1440
_LONGEST_NOTE: Final = 500
_LONGEST_LABEL: Final = 60
_GAP: Final = range(120, 180)

_ISO = re.compile(r"([0-9]{4})-([0-9]{1,2})-([0-9]{1,2})(?:[T ]00:00(?::00)?)?")
_DANISH = re.compile(r"([0-9]{1,2})[-./ ]([0-9]{1,2})[-./ ]([0-9]{4})")
_COMPACT = re.compile(r"([0-9]{4})([0-9]{2})([0-9]{2})")
_SHORT_YEAR = re.compile(r"[0-9]{1,2}[-./][0-9]{1,2}[-./][0-9]{2}")
_CLOCK = re.compile(r"(-?[0-9]{1,3})[:.]([0-9]{1,2})(?:[:.]([0-9]{2}))?")
_BARE_CLOCK = re.compile(r"([0-9]{1,2}?)([0-9]{2})?")
_WHOLE = re.compile(r"(-?[0-9]{1,9})(?:[.,]0+)?")
_CPR = re.compile(
    r"(?<![0-9])(?:0[1-9]|[12][0-9]|3[01]|6[1-9]|[78][0-9]|9[01])(?:0[1-9]|1[0-2])"
    r"[0-9]{2}[- ]?[0-9]{4}(?![0-9])"
)
_FORMULA_ERRORS: Final = frozenset(
    {
        *("#CALC!", "#DIV/0!", "#DIVISION/0!", "#GETTING_DATA", "#I/T", "#N/A", "#NAME?"),
        *("#NAVN?", "#NUL!", "#NULL!", "#NUM!", "#NUMMER!", "#REF!", "#REFERENCE!", "#SPILL!"),
        *("#VALUE!", "#VÆRDI!"),
    }
)

_ORDINARY: Final = ("ordinary", "normal", False)
_KINDS: Final[Mapping[str, tuple[str, str, bool]]] = {
    "": _ORDINARY,
    "ordinary": _ORDINARY,
    "normal": _ORDINARY,
    "normaltjeneste": _ORDINARY,
    "almindelig": _ORDINARY,
    "ordinær": _ORDINARY,
    "vagt": _ORDINARY,
    "vikar": _ORDINARY,
    "split": ("split", "normal", False),
    "delt": ("split", "normal", False),
    "delt tjeneste": ("split", "normal", False),
    "on_call": ("on_call", "normal", False),
    "on call": ("on_call", "normal", False),
    "rådighed": ("on_call", "normal", False),
    "rådighedsvagt": ("on_call", "normal", False),
    "rådighedstjeneste": ("on_call", "normal", False),
    "raadighed": ("on_call", "normal", False),
    "cancelled": ("cancelled", "normal", False),
    "aflyst": ("cancelled", "normal", False),
    "annulleret": ("cancelled", "normal", False),
    "extra": ("ordinary", "extra", False),
    "merarbejde": ("ordinary", "extra", False),
    "overtime": ("ordinary", "overtime", False),
    "overarbejde": ("ordinary", "overtime", False),
    "overtid": ("ordinary", "overtime", False),
    "called_in": ("ordinary", "normal", True),
    "called in": ("ordinary", "normal", True),
    "tilkald": ("ordinary", "normal", True),
    "tilkaldt": ("ordinary", "normal", True),
    "tilkaldevagt": ("ordinary", "normal", True),
}
_WORKS: Final[Mapping[str, str]] = {
    "": "normal",
    "normal": "normal",
    "extra": "extra",
    "merarbejde": "extra",
    "overtime": "overtime",
    "overarbejde": "overtime",
    "overtid": "overtime",
}
_FLAGS: Final[Mapping[str, bool]] = {
    **dict.fromkeys(("", "0", "nej", "n", "no", "false", "falsk"), False),
    **dict.fromkeys(("1", "ja", "j", "yes", "y", "true", "sand", "x"), True),
}


class Duty(NamedTuple):
    """One duty as read: plain values in the order of the fields."""

    day: date
    start: int
    end: int
    break_minutes: int
    kind: str
    work: str
    called_in: bool
    note: str


def _shown(text: str) -> str:
    """Return a value for a message: short, and never a number that may be a CPR number."""
    if _CPR.search(text):
        return "værdien"
    clean = "".join(letter if letter.isprintable() else "?" for letter in text[:20])
    return f'"{clean}{"…" if len(text) > 20 else ""}"'


def _formula(text: str) -> str:
    if text.upper() in _FORMULA_ERRORS:
        return "Cellen har en formelfejl: ret formlen, eller skriv værdien."
    if text.startswith("="):
        return "Cellen har en formel uden værdi: skriv værdien i stedet."
    return ""


@lru_cache(maxsize=4096)
def _date_of_text(text: str) -> tuple[date | None, str]:
    if not text:
        return None, "Datoen mangler: skriv dag, måned og år, for eksempel 14-10-2025."
    fault = _formula(text)
    if fault:
        return None, fault
    match = _ISO.fullmatch(text)
    if match is not None:
        year, month, day = int(match[1]), int(match[2]), int(match[3])
    elif (match := _DANISH.fullmatch(text)) is not None:
        day, month, year = int(match[1]), int(match[2]), int(match[3])
    elif (match := _COMPACT.fullmatch(text)) is not None:
        year, month, day = int(match[1]), int(match[2]), int(match[3])
    elif _SHORT_YEAR.fullmatch(text):
        return None, f"Årstallet i {_shown(text)} skal have fire cifre: skriv for eksempel 2025."
    else:
        return None, f"{_shown(text).capitalize()} er ikke en dato: skriv for eksempel 14-10-2025."
    if not _FIRST_YEAR <= year <= _LAST_YEAR:
        return None, f"Årstallet {year:04} kan ikke være rigtigt: ret datoen."
    try:
        return date(year, month, day), ""
    except ValueError:
        hint = " Skriv dagen før måneden." if month > 12 and day <= 12 else " Ret datoen."
        return None, f"Datoen {_shown(text)} findes ikke.{hint}"


def read_date(value: object) -> tuple[date | None, str]:
    """Read a date: text as 14-10-2025, 14.10.2025, 2025-10-14 or 20251014, or a date cell."""
    if isinstance(value, str):
        return _date_of_text(value.strip())
    if isinstance(value, datetime):
        if value.time() != time():
            return None, "Datoen har et klokkeslæt: skriv dato og klokkeslæt i hver sit felt."
        value = value.date()
    if isinstance(value, date):
        return _date_of_text(value.isoformat())
    if value is None:
        return _date_of_text("")
    return None, "Datoen er et tal: formatér cellen som dato, eller skriv for eksempel 14-10-2025."


@lru_cache(maxsize=4096)
def _clock_of_text(text: str) -> tuple[int | None, str]:
    if not text:
        return None, "Klokkeslættet mangler: skriv for eksempel 15:00."
    fault = _formula(text)
    if fault:
        return None, fault
    match = _CLOCK.fullmatch(text)
    if match is not None:
        hours, minutes, seconds = int(match[1]), int(match[2]), int(match[3] or 0)
        if len(match[2]) == 1:
            return None, f"Klokkeslættet {_shown(text)} skal have to cifre i minutterne."
        if seconds:
            return None, f"Klokkeslættet {_shown(text)} skal være i hele minutter."
    elif text.isdecimal() and len(text) <= 4 and (match := _BARE_CLOCK.fullmatch(text)):
        hours, minutes = (int(text), 0) if len(text) <= 2 else (int(text[:-2]), int(text[-2:]))
    else:
        return None, f"{_shown(text).capitalize()} er ikke et klokkeslæt: skriv for eksempel 15:30."
    if not 0 <= hours <= 24 or minutes > 59 or hours * 60 + minutes > _DAY:
        return None, f"Klokkeslættet {_shown(text)} findes ikke: skriv fra 00:00 til 24:00."
    return hours * 60 + minutes, ""


def read_clock(value: object) -> tuple[int | None, str]:
    """Read a clock time as minutes from midnight, 0 to 1440: text, a time cell or a day's part."""
    if isinstance(value, str):
        return _clock_of_text(value.strip())
    if isinstance(value, datetime | time):
        if value.second or value.microsecond:
            seconds = value.second + value.microsecond / 1_000_000
            # Excel keeps times as fractions, so 15:00 may come as 14:59:59.999.
            if seconds < 59.5:
                return None, "Klokkeslættet skal være i hele minutter."
            return value.hour * 60 + value.minute + 1, ""
        return value.hour * 60 + value.minute, ""
    if isinstance(value, bool):
        return None, "Feltet er ikke et klokkeslæt: skriv for eksempel 15:30."
    if isinstance(value, timedelta):
        return _clock_of_text(_length_text(value))
    if isinstance(value, int):
        return _clock_of_text(str(value))
    if isinstance(value, float | Decimal):
        minutes = float(value) * _DAY
        if 0 <= minutes <= _DAY and abs(minutes - round(minutes)) < 0.01 and value != 1:
            return round(minutes), ""
        if float(value).is_integer():
            return _clock_of_text(str(int(value)))
        return None, "Feltet er et tal og ikke et klokkeslæt: skriv for eksempel 15:30."
    if value is None:
        return _clock_of_text("")
    return None, "Feltet er ikke et klokkeslæt: skriv for eksempel 15:30."


def _length_text(value: timedelta) -> str:
    """Return a cell with a length of time, such as Excel's [h]:mm, as hours and minutes."""
    minutes = round(value.total_seconds() / 60)
    return f"{minutes // 60}:{minutes % 60:02}"


@lru_cache(maxsize=1024)
def _break_of_text(text: str) -> tuple[int | None, str]:
    if not text:
        return 0, ""
    fault = _formula(text)
    if fault:
        return None, fault
    match = _WHOLE.fullmatch(text)
    if match is not None:
        minutes = int(match[1])
    elif (match := _CLOCK.fullmatch(text)) is not None and ":" in text and int(match[2]) < 60:
        minutes = int(match[1]) * 60 + int(match[2])
    else:
        return None, (
            f"Pausen {_shown(text)} er ikke et helt antal minutter: skriv for eksempel 30."
        )
    if minutes < 0:
        return None, "Pausen er negativ: skriv antal minutter, 0 hvis der ikke var pause."
    if minutes >= _DAY:
        return None, f"Pausen på {minutes} minutter er længere end et døgn: ret den."
    return minutes, ""


def read_break(value: object) -> tuple[int | None, str]:
    """Read an unpaid break in minutes; empty is 0."""
    if isinstance(value, str):
        return _break_of_text(value.strip())
    if value is None:
        return 0, ""
    if isinstance(value, time):
        return value.hour * 60 + value.minute, ""
    if isinstance(value, timedelta):
        return _break_of_text(_length_text(value))
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal):
        return None, "Pausen er ikke et tal: skriv antal minutter, for eksempel 30."
    number = Decimal(str(value)) if isinstance(value, float) else Decimal(value)
    if not number.is_finite() or number != number.to_integral_value():
        return None, "Pausen er ikke et helt antal minutter: skriv for eksempel 30."
    return _break_of_text(str(int(number)))


@lru_cache(maxsize=1024)
def _kind_of_text(text: str) -> tuple[tuple[str, str, bool] | None, str]:
    found = _KINDS.get(text.casefold())
    if found is not None:
        return found, ""
    fault = _formula(text)
    if fault:
        return None, fault
    near = get_close_matches(text.casefold(), [name for name in _KINDS if name], n=1, cutoff=0.6)
    hint = (
        f"mente du {near[0]}?"
        if near
        else "skriv normal, delt, rådighed, aflyst, merarbejde, overarbejde eller tilkald."
    )
    return None, f"Tjenestetypen {_shown(text)} kendes ikke: {hint}"


def read_kind(value: object) -> tuple[tuple[str, str, bool] | None, str]:
    """Read a duty type as (kind, work, called in); empty is an ordinary duty."""
    return _kind_of_text("" if value is None else str(value).strip())


def read_work(value: object) -> tuple[str | None, str]:
    """Read how the hours relate to the norm; empty is normal."""
    text = "" if value is None else str(value).strip()
    found = _WORKS.get(text.casefold())
    if found is None:
        return None, f"{_shown(text).capitalize()} kendes ikke: skriv merarbejde eller overarbejde."
    return found, ""


def read_flag(value: object) -> tuple[bool | None, str]:
    """Read yes or no; empty is no."""
    text = "" if value is None else str(value).strip()
    found = _FLAGS.get(text.casefold())
    if found is None:
        return None, f"{_shown(text).capitalize()} er hverken ja eller nej: skriv ja eller nej."
    return found, ""


def read_note(value: object) -> tuple[str | None, str]:
    """Read a free text of at most 500 characters without CPR numbers."""
    if value is None or value == "":
        return "", ""
    text = str(value).strip()
    if len(text) > _LONGEST_NOTE:
        return None, f"Bemærkningen er for lang: skriv højst {_LONGEST_NOTE} tegn."
    if _CPR.search(text):
        return None, "Bemærkningen ser ud til at have et cpr-nummer: fjern det."
    if any(not letter.isprintable() and letter not in "\n\r\t" for letter in text):
        return None, "Bemærkningen har tegn, der ikke kan læses: skriv den igen."
    return text, ""


@lru_cache(maxsize=65536)
def _employment_of_text(text: str) -> tuple[str | None, str]:
    if not text:
        return None, "Medarbejdernummeret mangler: skriv det."
    fault = _formula(text)
    if fault:
        return None, fault
    if _CPR.search(text):
        return None, "Feltet ligner et cpr-nummer: skriv medarbejdernummeret fra lønsedlen."
    if not text.isascii() or not text.isdecimal() or len(text) > 8:
        return None, "Medarbejdernummeret skal være 1 til 8 cifre: skriv det fra lønsedlen."
    return text, ""


def read_employment(value: object) -> tuple[str | None, str]:
    """Read an employment number: 1 to 8 digits; leading zeros are kept."""
    if isinstance(value, str):
        return _employment_of_text(value.strip())
    if value is None:
        return _employment_of_text("")
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal):
        return None, "Medarbejdernummeret skal være 1 til 8 cifre: skriv det fra lønsedlen."
    if isinstance(value, int):
        return _employment_of_text(str(value))
    return _employment_of_text(str(int(value)) if float(value).is_integer() else "-")


def read_label(value: object, field: str) -> tuple[str | None, str]:
    """Read a short name that somebody else gave: a sheet's id, a unit or a case number."""
    if value is None or value == "":
        return "", ""
    text = str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)
    text = text.strip()
    fault = _formula(text)
    if fault:
        return None, fault
    label = LABELS[field]
    if _CPR.search(text):
        return None, f"{label} ligner et cpr-nummer: brug et andet navn."
    if len(text) > _LONGEST_LABEL or not text.isprintable():
        return None, f"{label} skal være højst {_LONGEST_LABEL} almindelige tegn: ret feltet."
    return text, ""


def _hour_text(minutes: int) -> str:
    return f"{minutes // 60:02}:{minutes % 60:02}"


def check_duty(
    day: date, start: int, end: int, break_minutes: int, end_day: date | None = None
) -> tuple[str, str]:
    """Judge a duty as a whole.

    Args:
        day: Date of the start.
        start: Minutes from midnight.
        end: Minutes from midnight; at or before the start means the next day.
        break_minutes: Unpaid break.
        end_day: Date of the end where it is given.

    Returns:
        Field and Danish sentence of the first fault; two empty texts without one.
    """
    if start == _DAY:
        return "start", "En vagt kan ikke starte klokken 24:00: skriv 00:00 og den næste dato."
    length = end - start
    if end_day is not None:
        length += (end_day - day).days * _DAY
        if length <= 0:
            return "end_date", "Vagten slutter, før den starter: ret slutdatoen eller tiderne."
        if length > _DAY:
            hours = f"{length / 60:.1f}".replace(".", ",").removesuffix(",0")
            return "end_date", f"Vagten er på {hours} timer og kan højst være 24: ret tiderne."
        if length == _DAY:
            return "end", "Vagten er på 24 timer: del den i to vagter."
    elif length == 0:
        return "end", "Start og slut er ens: ret et af klokkeslættene."
    elif length < 0:
        length += _DAY
    if break_minutes >= length:
        return "break_minutes", (
            f"Pausen på {break_minutes} minutter er ikke kortere end vagten på {length} minutter: "
            "ret pausen eller tiderne."
        )
    for field, minutes in (("start", start), ("end", end)):
        if minutes in _GAP:
            on = day if field == "start" or end > start else date.fromordinal(day.toordinal() + 1)
            if clock_change(on) > 0:
                return field, (
                    f"Klokken {_hour_text(minutes)} findes ikke den {on.day}.{on.month}.{on.year}, "
                    "fordi uret stilles frem: ret klokkeslættet."
                )
    return "", ""


def as_line(duty: Duty) -> dict[str, Any]:
    """Return a duty in the shape that the flow carries."""
    return {
        "date": duty.day.isoformat(),
        "start": _hour_text(duty.start),
        "end": _hour_text(duty.end),
        "break_minutes": duty.break_minutes,
        "kind": duty.kind,
        "work": duty.work,
        "called_in": duty.called_in,
        "note": duty.note,
    }

# SPDX-License-Identifier: MPL-2.0
"""Collective agreements as dated parameters, read from TOML files.

An agreement (overenskomst) is a list of *bands* (which supplements there are) and a table of
*parameters*. Each parameter has entries with dates, a status and a source, and may be narrowed to
a group of municipalities, a staff group, a municipality or a unit. A figure that nobody has
verified is an entry with the status ``missing``: it never has a silent default. A municipality
sets its own figures in a local file, see :func:`read_local`.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from difflib import get_close_matches
from enum import StrEnum
from pathlib import Path
from typing import Any, Final, NamedTuple, TypeAlias

from sagsgang.solutions.timesheets.pay.errors import AgreementFileError
from sagsgang.solutions.timesheets.pay.values import MunicipalityGroup

__all__ = [
    "Agreement",
    "Band",
    "Entry",
    "LevelAmount",
    "Place",
    "SpecialWindow",
    "Status",
    "read_agreement",
    "read_local",
]

DAY: Final = 1440
"""Minutes of a calendar day on the clock."""

Intervals: TypeAlias = tuple[tuple[int, int], ...]


class Status(StrEnum):
    """How well a figure is known."""

    VERIFIED = "verified"
    DERIVED = "derived"
    LAW = "law"
    ASSUMED = "assumed"
    """An explicit choice that the municipality must confirm."""
    LOCAL = "local"
    """Set by the municipality in its own file."""
    MISSING = "missing"
    """Not known: what needs it goes to a person."""


class Place(NamedTuple):
    """Where and for whom parameters are asked for; empty fields match only general entries."""

    municipality: str = ""
    group: str = MunicipalityGroup.GENERAL.value
    unit: str = ""
    staff_group: str = ""


class LevelAmount(NamedTuple):
    """An amount in kroner at the pay level of a date, regulated by ``level.<date>.factor``."""

    amount: Decimal
    level: date | None


class SpecialWindow(NamedTuple):
    """A band that a special day adds, in a window or from a time that a parameter gives."""

    band: str
    window: Intervals
    starts_with: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One dated value of a parameter.

    Attributes:
        name: Name of the parameter.
        value: The value; ``None`` when the status is missing.
        status: How well it is known.
        source: Where it is from, in Danish.
        valid_from: First date.
        valid_to: Last date.
        doubt: Clock times in which a missing window may matter.
        group, staff_group, municipality, unit: What the entry is narrowed to; empty for all.
    """

    name: str
    value: Any
    status: Status
    source: str
    valid_from: date
    valid_to: date
    doubt: Intervals = ((0, DAY),)
    group: str = ""
    staff_group: str = ""
    municipality: str = ""
    unit: str = ""

    @property
    def weight(self) -> tuple[bool, bool, bool, bool, bool]:
        """How narrow the entry is; the narrowest that matches is used."""
        return (
            self.status is Status.LOCAL,
            bool(self.unit),
            bool(self.municipality),
            bool(self.group),
            bool(self.staff_group),
        )

    def matches(self, place: Place) -> bool:
        """Return whether the entry holds at ``place``."""
        return (
            self.group in ("", place.group)
            and self.staff_group in ("", place.staff_group)
            and self.municipality in ("", place.municipality)
            and self.unit in ("", place.unit)
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Band:
    """A supplement that is earned in certain hours.

    Attributes:
        id: Short name used in parameters, such as ``EVE``.
        name: Danish name for people.
        cite: Which agreement and section it rests on.
        replaces_overtime: Hours in the band are not counted in the norm, so they carry no
            overtime. Default: false.
        carries_pay: A monthly-paid person gets the hourly pay on top of the percentage, because
            the monthly pay does not cover the hours. Default: false.
    """

    id: str
    name: str
    cite: str
    replaces_overtime: bool = False
    carries_pay: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Agreement:
    """A collective agreement as parameters.

    Attributes:
        code: Code used in terms of employment.
        title: Full Danish name.
        cite: Short name for explanations.
        aliases: Other codes for the same rules.
        bands: Its supplements, in the order of the pay slip.
        entries: Every entry by parameter name, narrowest and newest first.
        wage_codes: Wage code (lønart) by line name.
    """

    code: str
    title: str
    cite: str
    aliases: tuple[str, ...]
    bands: tuple[Band, ...]
    entries: Mapping[str, tuple[Entry, ...]]
    wage_codes: Mapping[str, str]

    def find(self, name: str, on: date, place: Place) -> Entry | None:
        """Return the entry of a parameter on a date at a place, or ``None`` without one."""
        for entry in self.entries.get(name, ()):
            if entry.valid_from <= on <= entry.valid_to and entry.matches(place):
                return entry
        return None

    def with_local(self, entries: Iterable[Entry]) -> Agreement:
        """Return the agreement with a municipality's own entries laid over it."""
        added: dict[str, list[Entry]] = {}
        for entry in entries:
            added.setdefault(entry.name, []).append(entry)
        merged = dict(self.entries)
        for name, extra in added.items():
            merged[name] = _ordered(name, [*merged.get(name, ()), *extra])
        return Agreement(
            code=self.code,
            title=self.title,
            cite=self.cite,
            aliases=self.aliases,
            bands=self.bands,
            entries=merged,
            wage_codes=self.wage_codes,
        )

    def boundaries(self) -> tuple[date, ...]:
        """Return the dates on which any parameter may change, ascending."""
        days = {date.min}
        for entries in self.entries.values():
            for entry in entries:
                days.add(entry.valid_from)
                if entry.valid_to < date.max:
                    days.add(entry.valid_to + timedelta(days=1))
        return tuple(sorted(days))

    def to_confirm(self, on: date, place: Place | None = None) -> tuple[Entry, ...]:
        """Return what a municipality must confirm or set: assumed and missing entries on a date."""
        found = (self.find(name, on, place or Place()) for name in self.entries)
        return tuple(
            entry
            for entry in found
            if entry is not None and entry.status in (Status.ASSUMED, Status.MISSING)
        )


def _ordered(name: str, entries: list[Entry]) -> tuple[Entry, ...]:
    entries.sort(key=lambda entry: (entry.weight, entry.valid_from), reverse=True)
    by_scope: dict[tuple[object, ...], Entry] = {}
    for entry in entries:
        scope = (entry.weight, entry.group, entry.staff_group, entry.municipality, entry.unit)
        later = by_scope.get(scope)
        if later is not None and later.valid_from <= entry.valid_to:
            raise AgreementFileError(
                f'Parameter "{name}" has two values on {later.valid_from}: end the first of them '
                "the day before."
            )
        by_scope[scope] = entry
    return tuple(entries)


# --- reading -----------------------------------------------------------------------------------


def _minutes(text: str) -> int:
    match = re.fullmatch(r"([0-9]{2}):([0-9]{2})", text)
    if match is None or int(match[2]) > 59 or int(match[1]) * 60 + int(match[2]) > DAY:
        raise ValueError(f'"{text}" is not a clock time HH:MM')
    return int(match[1]) * 60 + int(match[2])


def _window(value: Any) -> Intervals:
    start, dash, end = str(value).partition("-")
    if not dash:
        raise ValueError(f'"{value}" is not a window HH:MM-HH:MM')
    first, last = _minutes(start), _minutes(end)
    if first < last:
        return ((first, last),)
    return tuple(part for part in ((0, last), (first, DAY)) if part[0] < part[1])


def _number(value: Any) -> Decimal:
    if isinstance(value, bool) or not isinstance(value, int | Decimal):
        raise ValueError(f'"{value}" is not a number')  # noqa: TRY004  # one error for the reader
    number = Decimal(value)
    if not number.is_finite() or number < 0 or number >= 1_000_000:
        raise ValueError(f'"{value}" is not a number from 0 to 999,999')
    return number


def _whole(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= 10_000:
        raise ValueError(f'"{value}" is not a whole number from 0 to 10,000')
    return value


def _flag(value: Any) -> bool:
    if not isinstance(value, bool):
        raise ValueError(f'"{value}" is neither true nor false')  # noqa: TRY004
    return value


def _choice(*allowed: str) -> Callable[[Any], str]:
    def read(value: Any) -> str:
        if value not in allowed:
            raise ValueError(f'"{value}" is none of {", ".join(allowed)}')
        return str(value)

    return read


def _amount(value: Any) -> LevelAmount:
    if not isinstance(value, dict):
        return LevelAmount(_number(value), None)
    if set(value) != {"amount", "level"}:
        raise ValueError("an amount at a level has the fields amount and level")
    return LevelAmount(_number(value["amount"]), date.fromisoformat(value["level"]))


def _special(value: Any) -> tuple[SpecialWindow, ...]:
    if not isinstance(value, list):
        raise ValueError("a special day is a list of bands")  # noqa: TRY004
    found = []
    for item in value:
        if not isinstance(item, dict) or not set(item) <= {
            "band",
            "window",
            "from",
            "norm_reduction",
        }:
            raise ValueError("a special day has the fields band, window or from, norm_reduction")
        window = _window(item["window"]) if "window" in item else ()
        if bool(window) == ("from" in item):
            raise ValueError("a special day has either a window or a from")
        found.append(SpecialWindow(item["band"], window, item.get("from", "")))
    return tuple(found)


def _clock_time(value: Any) -> int:
    return _minutes(str(value))


_READERS: Final[Mapping[str, Callable[[Any], Any]]] = {
    r"[A-Z_]+\.window\.(all|weekday|saturday|sunday|holiday)": _window,
    r"[A-Z_]+\.percent": _number,
    r"[A-Z_]+\.time_off_points": _number,
    r"[A-Z_]+\.minimum": _amount,
    r"[A-Z_]+\.amount": _amount,
    r"([A-Z_]+|overtime)\.settlement": _choice("pay", "time_off"),
    r"([A-Z_]+\.)?band_rounding": _choice("started_half_hour", "exact"),
    r"base_rounding": _choice("started_half_hour", "exact"),
    r"round_rate_first|clock_change\.review": _flag,
    r"rate_change": _choice("minute", "duty_start"),
    r"clock_change": _choice("elapsed", "wall"),
    r"unplaced_break": _choice("start", "middle", "end"),
    r"day_duty_start": _clock_time,
    r"special_day\.(0[1-9]|1[0-2])-([0-2][0-9]|3[01])": _special,
    r"overtime\.percent|on_call\.percent|pension\.percent|holiday_allowance\.percent": _number,
    r"overtime\.threshold": _choice("full_time_norm", "individual_norm"),
    r"level\.[0-9]{4}-[0-9]{2}-[0-9]{2}\.(factor|factor_bound)": _number,
    r"(unannounced|moved|moved_on_call|split\.three_parts|split\.span)\.amount": _amount,
    r"split\.span\.hours|moved\.notice_hours|holiday_pay\.days": _whole,
    r"called_in\.minimum_hours|cancelled\.hours": _number,
}
_NAMES: Final = (
    *("band_rounding", "base_rounding", "called_in.minimum_hours", "cancelled.hours"),
    *("clock_change", "clock_change.review", "day_duty_start", "holiday_allowance.percent"),
    *("holiday_pay.days", "moved.amount", "moved.notice_hours", "moved_on_call.amount"),
    *("on_call.percent", "overtime.percent", "overtime.settlement", "overtime.threshold"),
    *("pension.percent", "rate_change", "round_rate_first", "split.span.amount"),
    *("split.span.hours", "split.three_parts.amount", "unannounced.amount", "unplaced_break"),
)
_COMPILED: Final = tuple((re.compile(pattern), reader) for pattern, reader in _READERS.items())
_SCOPE: Final = ("group", "staff_group", "municipality", "unit")
_ENTRY_FIELDS: Final = {"from", "to", "value", "status", "source", "doubt", *_SCOPE}


def _reader(name: str, known: Iterable[str]) -> Callable[[Any], Any]:
    for pattern, reader in _COMPILED:
        if pattern.fullmatch(name):
            return reader
    near = get_close_matches(name, list(known), n=1)
    hint = f' Did you mean "{near[0]}"?' if near else ""
    raise ValueError(f"no such parameter.{hint}")


def _entry(name: str, raw: Mapping[str, Any], source: str, known: Iterable[str]) -> Entry:
    unknown = set(raw) - _ENTRY_FIELDS
    if unknown:
        raise ValueError(f'the field "{min(unknown)}" is not known')
    read = _reader(name, known)
    status = Status(raw.get("status", ""))
    if (status is Status.MISSING) == ("value" in raw):
        raise ValueError("give a value, or the status missing")
    valid_from, valid_to = raw.get("from"), raw.get("to", date.max)
    if type(valid_from) is not date or type(valid_to) is not date or valid_to < valid_from:
        raise ValueError("from and to are dates, to not before from")
    scope = {field: str(raw.get(field, "")) for field in _SCOPE}
    if scope["group"]:
        MunicipalityGroup(scope["group"])
    return Entry(
        name=name,
        value=read(raw["value"]) if "value" in raw else None,
        status=status,
        source=str(raw.get("source", source)),
        valid_from=valid_from,
        valid_to=valid_to,
        doubt=_window(raw["doubt"]) if "doubt" in raw else ((0, DAY),),
        **scope,
    )


def _toml(data: bytes, file: str) -> dict[str, Any]:
    try:
        return tomllib.loads(data.decode("utf-8"), parse_float=Decimal)
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise AgreementFileError(f"{file} is not a TOML file: {error}.") from error


def read_agreement(path: Path) -> Agreement:
    """Return the agreement in a TOML file.

    Args:
        path: The file; its shape is described in ``agreements/README.md``.

    Raises:
        AgreementFileError: The file cannot be used; the message names the entry and the field.
    """
    document = _toml(path.read_bytes(), path.name)
    where = "the head"
    try:
        bands = tuple(Band(**band) for band in document.get("band", ()))
        entries: dict[str, tuple[Entry, ...]] = {}
        for name, parameter in document.get("parameter", {}).items():
            where = f'parameter "{name}"'
            source = str(parameter.get("source", ""))
            found = [_entry(name, raw, source, _NAMES) for raw in parameter["values"]]
            entries[name] = _ordered(name, found)
        where = "wage_codes"
        codes = {str(key): str(code) for key, code in document["wage_codes"].items()}
        for key, code in codes.items():
            if not re.fullmatch(r"[0-9]{4}", code):
                raise ValueError(f'the wage code of "{key}" must have 4 digits')  # noqa: TRY301
        where = "the head"
        return Agreement(
            code=str(document["code"]),
            title=str(document["title"]),
            cite=str(document["cite"]),
            aliases=tuple(document.get("aliases", ())),
            bands=bands,
            entries=entries,
            wage_codes=codes,
        )
    except KeyError as error:
        raise AgreementFileError(f"{path.name}, {where}: {error} is not there: add it.") from error
    except (ValueError, TypeError) as error:
        raise AgreementFileError(f"{path.name}, {where}: {error}.") from error


def read_local(data: bytes, file: str = "local parameters") -> dict[str, list[Entry]]:
    """Return a municipality's own parameter entries by agreement code.

    The file has one ``[[parameter]]`` table per value with ``agreement``, ``name``, ``from``,
    ``value`` and ``source``, and optionally ``to``, ``municipality``, ``unit``, ``group`` and
    ``staff_group``. Local values stand over the agreement's own.

    Args:
        data: The TOML file.
        file: Its name, for messages.

    Raises:
        AgreementFileError: The file cannot be used; the message names the entry and the field.
    """
    document = _toml(data, file)
    found: dict[str, list[Entry]] = {}
    for number, raw in enumerate(document.get("parameter", ()), start=1):
        try:
            fields = {key: raw[key] for key in raw if key not in ("agreement", "name")}
            if not str(fields.get("source", "")).strip():
                raise ValueError("say in source who decided the value")  # noqa: TRY301
            entry = _entry(raw["name"], {**fields, "status": Status.LOCAL.value}, "", _NAMES)
        except (KeyError, ValueError, TypeError) as error:
            raise AgreementFileError(f"{file}, parameter {number}: {error}.") from error
        found.setdefault(str(raw.get("agreement", "")), []).append(entry)
    return found

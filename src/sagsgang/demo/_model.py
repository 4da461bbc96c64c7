# SPDX-License-Identifier: MPL-2.0
"""The invented municipality as plain values, and the data it is made from."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from functools import lru_cache
from importlib.resources import files
from typing import Any

__all__ = ["Changes", "GeneratedEmployment", "GeneratedUnit", "Municipality", "blueprint"]


@dataclass(frozen=True, slots=True)
class GeneratedUnit:
    """One unit of the extract.

    Attributes:
        external_id: Its number in payroll.
        parent: Number of the unit above; empty at the top.
        kind: Its kind in the data file; ``municipality``, ``administration`` at the top.
        cost_center: 12 digits, or empty: that of the unit above.
    """

    external_id: str
    parent: str
    kind: str
    name: str
    short_name: str
    type_code: str
    type_text: str
    cost_center: str
    street: str
    ean_number: str
    p_number: str


@dataclass(frozen=True, slots=True)
class GeneratedEmployment:
    """One employment of the extract, with what payroll knows besides.

    Attributes:
        agreement: Code of the collective agreement.
        hourly_rate: Kroner an hour on the latest terms.
        step: Payroll's text for the pay grade.
        born: Date of birth.
    """

    number: str
    cpr: str
    born: date
    first_name: str
    last_name: str
    protected: bool
    street: str
    phone: str
    email: str
    login: str
    unit: str
    position_id: str
    position: str
    position_short: str
    step: str
    agreement: str
    hourly_rate: Decimal
    weekly_hours: Decimal
    hourly_paid: bool
    is_manager: bool
    level: int
    starts: date
    ends: date | None


@dataclass(frozen=True, slots=True)
class Changes:
    """What :func:`later` changed, by employment number: the truth an import is compared with."""

    joiners: tuple[str, ...] = ()
    leavers: tuple[str, ...] = ()
    moves: tuple[str, ...] = ()
    cancelled: tuple[str, ...] = ()
    protected: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Municipality:
    """All units and employments on a day.

    Attributes:
        on: The day of the extract.
        units: Parents before children, the municipality itself first.
        employments: In order of number.
        left: Numbers that the extract marks with ``action="leave"``.
        unusable: How many records without entry date or position the extract also holds.
        changes: What is different from the municipality that this one came from.
        unpadded: Write hours without trailing spaces; payroll varies that without meaning.
    """

    on: date
    units: tuple[GeneratedUnit, ...]
    employments: tuple[GeneratedEmployment, ...]
    left: tuple[str, ...] = ()
    unusable: int = 0
    changes: Changes = field(default_factory=Changes)
    unpadded: bool = False


@lru_cache(maxsize=1)
def blueprint() -> Mapping[str, Any]:
    """The data file: names, positions, kinds of unit, administrations."""
    text = files("sagsgang.demo").joinpath("data/municipality.toml").read_text(encoding="utf-8")
    return tomllib.loads(text)

# SPDX-License-Identifier: MPL-2.0
"""Dated pay terms of employments, brought in from payroll each night.

A change is a new row from its first day, also when that day is long past. What was paid on the old
terms can then be computed again, so an update says which employments changed, and from which day.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from itertools import islice, zip_longest
from typing import Final

from django.db import transaction

from sagsgang.audit.trail import Event, record_many
from sagsgang.connectors.payroll import EmploymentTerms as PayrollTerms
from sagsgang.organisation.bulk import update_rows
from sagsgang.organisation.models import Employment, EmploymentTerms

__all__ = ["TermsChanges", "TermsRow", "first_difference", "timeline", "update_terms"]

_DAY: Final = timedelta(days=1)
_CHUNK: Final = 5_000
_CENT: Final = Decimal("0.01")
_FOUR_DECIMALS: Final = Decimal("0.0001")


@dataclass(frozen=True, slots=True, kw_only=True)
class TermsRow:
    """The terms of one employment in a period; see
    :class:`sagsgang.organisation.models.EmploymentTerms`.

    Attributes:
        number: Employment number.
        valid_from: First day.
        valid_to: Last day, included. Default: open.
        agreement: Code of the collective agreement.
        hourly_rate: Kroner an hour, two decimals.
        weekly_hours: Agreed hours a week.
        municipality_group: Area group of the pay level. Default: empty.
        pension_qualified: Whether supplements earn pension. Default: false.
    """

    number: str
    valid_from: date
    valid_to: date | None = None
    agreement: str
    hourly_rate: Decimal
    weekly_hours: Decimal
    municipality_group: str = ""
    pension_qualified: bool = False

    def __post_init__(self) -> None:
        """Refuse impossible terms.

        Raises:
            ValueError: The period ends before it begins, or a figure is negative or no number.
        """
        if self.valid_to is not None and self.valid_to < self.valid_from:
            raise ValueError(f"The terms of employment {self.number} end before they begin.")
        for figure in (self.hourly_rate, self.weekly_hours):
            if not figure.is_finite() or figure < 0:
                raise ValueError(
                    f"The terms of employment {self.number} have an impossible figure."
                )

    @classmethod
    def from_payroll(cls, terms: PayrollTerms) -> TermsRow:
        """The terms as the payroll connector gives them."""
        return cls.of(terms.number, terms)

    @classmethod
    def of(cls, number: str, terms: EmploymentTerms | PayrollTerms) -> TermsRow:
        """The terms of the employment with this number, as they are stored or as they came."""
        return cls(
            number=number,
            valid_from=terms.valid_from,
            valid_to=terms.valid_to,
            agreement=terms.agreement,
            hourly_rate=terms.hourly_rate,
            weekly_hours=terms.weekly_hours,
            municipality_group=terms.municipality_group,
            pension_qualified=terms.pension_qualified,
        )

    @property
    def content(self) -> tuple[object, ...]:
        """What the terms say, whenever they hold."""
        return (
            self.agreement,
            self.hourly_rate.quantize(_CENT),
            self.weekly_hours.quantize(_FOUR_DECIMALS),
            self.municipality_group,
            self.pension_qualified,
        )


@dataclass(frozen=True, slots=True)
class TermsChanges:
    """What an update did.

    Attributes:
        new: Employments that had no terms before.
        changed: For each employment with other terms than before, the first day on which they
            differ.
        unknown: Numbers without an employment, in order.
    """

    new: frozenset[str]
    changed: Mapping[str, date]
    unknown: tuple[str, ...]


def timeline(rows: Iterable[TermsRow]) -> list[TermsRow]:
    """The rows of one employment in order, each ending before the next begins.

    Of two rows with the same first day the later given counts.
    """
    ordered = sorted({row.valid_from: row for row in rows}.values(), key=lambda row: row.valid_from)
    result: list[TermsRow] = []
    for row, following in zip_longest(ordered, ordered[1:]):
        end = row.valid_to
        if following is not None:
            latest = following.valid_from - _DAY
            end = latest if end is None else min(end, latest)
        result.append(row if end == row.valid_to else replace(row, valid_to=end))
    return result


def first_difference(before: Sequence[TermsRow], after: Sequence[TermsRow]) -> date | None:
    """The first day on which two timelines of one employment differ; none if they never do."""
    days = {row.valid_from for row in (*before, *after)}
    days |= {
        row.valid_to + _DAY for row in (*before, *after) if row.valid_to not in {None, date.max}
    }
    return next((day for day in sorted(days) if _on(before, day) != _on(after, day)), None)


def _on(rows: Sequence[TermsRow], day: date) -> tuple[object, ...] | None:
    for row in rows:
        if row.valid_from <= day and (row.valid_to is None or day <= row.valid_to):
            return row.content
    return None


def update_terms(
    rows: Iterable[TermsRow], now: datetime, *, actor: str = "system:payroll"
) -> TermsChanges:
    """Bring in terms from payroll; what is not mentioned stays.

    A row with a new first day is added, and cuts the row before short. A row with a known first day
    replaces it. Every change is recorded in the audit trail. One transaction.

    Args:
        rows: Terms, in any order.
        now: The instant, timezone-aware.
        actor: Who is recorded as doing it.
    """
    given: dict[str, list[TermsRow]] = defaultdict(list)
    for row in rows:
        given[row.number].append(row)
    new: set[str] = set()
    changed: dict[str, date] = {}
    unknown: list[str] = []
    numbers = iter(given)
    with transaction.atomic():
        while chunk := list(islice(numbers, _CHUNK)):
            _update_chunk(
                {number: given[number] for number in chunk},
                now,
                new=new,
                changed=changed,
                unknown=unknown,
            )
        record_many(
            Event(
                action="employment.terms-changed",
                actor=actor,
                at=now,
                subject_type="employment",
                subject_id=number,
                data={"from": day},
            )
            for number, day in changed.items()
        )
    return TermsChanges(frozenset(new), changed, tuple(unknown))


def _update_chunk(
    given: Mapping[str, Sequence[TermsRow]],
    now: datetime,
    *,
    new: set[str],
    changed: dict[str, date],
    unknown: list[str],
) -> None:
    employments = {
        employment.number: employment
        for employment in Employment.objects.numbered(given).only("number", "agreement")
    }
    stored: dict[str, dict[date, EmploymentTerms]] = defaultdict(dict)
    by_key = {employment.pk: number for number, employment in employments.items()}
    for known in EmploymentTerms.objects.filter(employment_id__in=by_key):
        stored[by_key[known.employment_id]][known.valid_from] = known

    created: list[EmploymentTerms] = []
    edited: list[EmploymentTerms] = []
    regrouped: list[Employment] = []
    for number, additions in given.items():
        employment = employments.get(number)
        if employment is None:
            unknown.append(number)
            continue
        existing = stored[number]
        before = timeline(TermsRow.of(number, terms) for terms in existing.values())
        after = timeline([*before, *additions])
        difference = first_difference(before, after)
        if not before:
            new.add(number)
        elif difference is not None:
            changed[number] = difference
        for row in after:
            terms = existing.get(row.valid_from)
            if terms is None:
                terms = EmploymentTerms(employment=employment, valid_from=row.valid_from)
                created.append(terms)
            elif (terms.valid_to, TermsRow.of(number, terms).content) == (
                row.valid_to,
                row.content,
            ):
                continue
            else:
                edited.append(terms)
            terms.valid_to = row.valid_to
            terms.agreement = row.agreement
            terms.hourly_rate = row.hourly_rate.quantize(_CENT)
            terms.weekly_hours = row.weekly_hours
            terms.municipality_group = row.municipality_group
            terms.pension_qualified = row.pension_qualified
        current = [row for row in after if row.valid_from <= now.date()] or after
        if current[-1].agreement != employment.agreement:
            employment.agreement = current[-1].agreement
            regrouped.append(employment)
    EmploymentTerms.objects.bulk_create(created)
    update_rows(
        edited,
        [
            "valid_to",
            "agreement",
            "hourly_rate",
            "weekly_hours",
            "municipality_group",
            "pension_qualified",
        ],
    )
    update_rows(regrouped, ["agreement"])

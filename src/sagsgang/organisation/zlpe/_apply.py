# SPDX-License-Identifier: MPL-2.0
"""Comparing an extract with what is known, and saving the difference, in one transaction."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Final

from sagsgang.audit.identifiers import blind_index, encrypt
from sagsgang.organisation.bulk import update_rows
from sagsgang.organisation.errors import ExtractTooDifferentError, ExtractUnreadableError
from sagsgang.organisation.models import Employment, Person, Unit
from sagsgang.organisation.tree import ancestry, cycles, path_of
from sagsgang.organisation.zlpe._records import (
    EmployeeRecord,
    Extract,
    Finding,
    FindingCode,
    UnitRecord,
)
from sagsgang.organisation.zlpe._report import Limits, Move, Report

__all__ = ["apply"]

_UNIT_FIELDS: Final = (
    "name",
    "short_name",
    "unit_type",
    "unit_type_text",
    "cost_center",
    "cvr_number",
    "ean_number",
    "se_number",
    "p_number",
    "street",
    "postal_code",
    "city",
    "phone",
    "valid_from",
    "valid_to",
)
_PLACE_FIELDS: Final = ("parent", "path", "depth", "active")
_PERSON_FIELDS: Final = ("first_name", "last_name", "email", "phone", "protected")
_EMPLOYMENT_FIELDS: Final = (
    "login",
    "position_id",
    "position",
    "position_short",
    "pay_grade",
    "contract",
    "contract_text",
    "is_manager",
    "superior_level",
    "subordinate_level",
    "starts",
    "ends",
)
_HOURS_FIELDS: Final = ("weekly_hours", "full_time_hours")
_STATE_FIELDS: Final = ("person", "unit", "hourly_paid", "status")

_ACTIVE: Final = Employment.Status.ACTIVE
_ENDED: Final = Employment.Status.ENDED
_CANCELLED: Final = Employment.Status.CANCELLED


def apply(extract: Extract, *, on: date, limits: Limits, accept_large_change: bool) -> Report:
    """Save the difference between an extract and what is known.

    Args:
        extract: What the file holds.
        on: The day that it was made.
        limits: How much may disappear.
        accept_large_change: Whether to go on beyond the limits.

    Raises:
        ExtractUnreadableError: The tree of units is broken.
        ExtractTooDifferentError: Too much would disappear.
    """
    report = Report(findings=list(extract.findings))
    _check_tree(extract.units)
    units = _apply_units(
        extract.units, report, on=on, limits=None if accept_large_change else limits
    )
    employees = []
    for found in extract.employees:
        if found.unit in units:
            employees.append(found)
        else:
            report.findings.append(
                Finding(FindingCode.UNKNOWN_UNIT, "employee", found.number, found.line, "orgUnit")
            )
    known = {employment.number: employment for employment in Employment.objects.all()}
    people = _apply_people(employees, known, report)
    _apply_employments(employees, known, units, people, report, on=on, limits=limits)
    _apply_leavers(extract, known, report, on=on)
    vanished = [
        employment
        for number, employment in known.items()
        if employment.status == _ACTIVE and number not in extract.numbers
    ]
    active = sum(employment.status == _ACTIVE for employment in known.values())
    if not accept_large_change and limits.exceeded(len(vanished), active):
        raise ExtractTooDifferentError(
            f"{len(vanished)} af {active} aktive ansættelser er ikke i udtrækket: se efter, om det "
            "er helt, eller godtag ændringen udtrykkeligt med --accept-large-change."
        )
    for employment in vanished:
        # One that has run out has ended; only one that should still be there was withdrawn.
        over = employment.ends is not None and employment.ends < on
        employment.status = _ENDED if over else _CANCELLED
        (report.leavers if over else report.cancelled).append(employment.number)
    update_rows(vanished, ["status"])
    report.findings.sort(key=lambda finding: finding.line)
    return report


def _check_tree(records: tuple[UnitRecord, ...]) -> None:
    lines = {unit.external_id: unit for unit in records}
    findings = [
        Finding(FindingCode.UNKNOWN_PARENT, "orgUnit", unit.external_id, unit.line, "parentOrgUnit")
        for unit in records
        if unit.parent and unit.parent not in lines
    ]
    findings += (
        Finding(FindingCode.CYCLE, "orgUnit", member, lines[member].line, "parentOrgUnit")
        for cycle in cycles({unit.external_id: unit.parent or None for unit in records})
        for member in cycle
    )
    if findings:
        raise ExtractUnreadableError(
            f"Enhedernes træ er brudt {len(findings)} steder, første gang i linje "
            f"{findings[0].line}: få de overordnede enheder rettet i lønsystemet.",
            tuple(findings),
        )


def _apply_units(
    records: tuple[UnitRecord, ...], report: Report, *, on: date, limits: Limits | None
) -> dict[str, Unit]:
    known = {unit.external_id: unit for unit in Unit.objects.all()}
    created = [
        Unit(
            external_id=record.external_id,
            **{name: getattr(record, name) for name in _UNIT_FIELDS},
        )
        for record in records
        if record.external_id not in known
    ]
    Unit.objects.bulk_create(created)
    fresh = {unit.external_id for unit in created}
    known |= {unit.external_id: unit for unit in created}
    in_file = {record.external_id: known[record.external_id] for record in records}

    parents: dict[int, int | None] = {unit.pk: unit.parent_id for unit in known.values()}
    for record in records:
        parent = in_file.get(record.parent)
        parents[in_file[record.external_id].pk] = parent.pk if parent else None
    lines = ancestry(parents)

    changed: list[Unit] = []
    active = closed = 0
    by_id = {record.external_id: record for record in records}
    for external_id, unit in known.items():
        before = _snapshot(unit)
        was_active = unit.active and external_id not in fresh
        active += was_active
        if (found := by_id.get(external_id)) is not None:
            for name in _UNIT_FIELDS:
                setattr(unit, name, getattr(found, name))
            unit.active = unit.valid_from <= on and (unit.valid_to is None or unit.valid_to >= on)
        elif unit.active:
            unit.active = False
            unit.valid_to = max(on, unit.valid_from) if unit.valid_to is None else unit.valid_to
            closed += 1
        unit.parent_id = parents[unit.pk]
        unit.path = path_of(lines[unit.pk])
        unit.depth = len(lines[unit.pk]) - 1
        if _snapshot(unit) == before:
            continue
        changed.append(unit)
        if external_id in fresh:
            report.units_created.append(external_id)
        elif was_active and not unit.active:
            report.units_closed.append(external_id)
        else:
            report.units_changed.append(external_id)
    if limits is not None and limits.exceeded(closed, active):
        raise ExtractTooDifferentError(
            f"{closed} af {active} aktive enheder er ikke i udtrækket: se efter, om det er helt, "
            "eller godtag ændringen udtrykkeligt med --accept-large-change."
        )
    update_rows(changed, [*_UNIT_FIELDS, *_PLACE_FIELDS])
    return in_file


def _snapshot(unit: Unit) -> tuple[object, ...]:
    return (
        *(getattr(unit, name) for name in _UNIT_FIELDS),
        unit.parent_id,
        unit.path,
        unit.depth,
        unit.active,
    )


@dataclass(slots=True)
class _Details:
    first_name: str
    last_name: str
    email: str
    phone: str
    protected: bool


def _apply_people(
    records: list[EmployeeRecord], known: Mapping[str, Employment], report: Report
) -> dict[str, Person]:
    """The person of each employment number; made, renamed or given a new number where need be."""
    indexes = {cpr: blind_index(cpr) for cpr in {record.cpr for record in records}}
    details: dict[bytes, _Details] = {}
    for record in records:
        index = indexes[record.cpr]
        so_far = details.get(index)
        details[index] = _Details(
            record.first_name,
            record.last_name,
            record.email or (so_far.email if so_far else ""),
            record.phone or (so_far.phone if so_far else ""),
            record.protected or (so_far.protected if so_far else False),
        )
    everyone = list(Person.objects.all())
    by_key = {person.pk: person for person in everyone}
    by_index = {bytes(p.cpr_index): p for p in everyone if p.cpr_index is not None}

    created: list[Person] = []
    renumbered: list[Person] = []
    people: dict[str, Person] = {}
    for record in records:
        index = indexes[record.cpr]
        person = by_index.get(index)
        if person is None:
            employment = known.get(record.number)
            holder = by_key[employment.person_id] if employment is not None else None
            if holder is not None and _same_human(holder, record, details):
                if holder.cpr_index is not None:
                    by_index.pop(bytes(holder.cpr_index), None)
                person = holder
                renumbered.append(person)
                report.cpr_changed.append(record.number)
            else:
                person = Person()
                created.append(person)
            person.cpr_index = index
            person.cpr_encrypted = encrypt(record.cpr, bound_to=person.pk.bytes)
            by_index[index] = person
        people[record.number] = person

    changed: list[Person] = []
    fresh = {person.pk for person in created}
    for index, wanted in details.items():
        person = by_index[index]
        values = tuple(getattr(wanted, name) for name in _PERSON_FIELDS)
        if tuple(getattr(person, name) for name in _PERSON_FIELDS) == values:
            continue
        for name, value in zip(_PERSON_FIELDS, values, strict=True):
            setattr(person, name, value)
        if person.pk not in fresh:
            changed.append(person)
    Person.objects.bulk_create(created)
    update_rows(renumbered, ["cpr_index", "cpr_encrypted"])
    update_rows(changed, _PERSON_FIELDS)
    report.people_changed = len(changed)
    return people


def _same_human(holder: Person, record: EmployeeRecord, details: Mapping[bytes, _Details]) -> bool:
    """Whether a new CPR number is the same human's, such as after a replacement number.

    Only then may the row keep its key, which cases point to. An employment number that was given to
    somebody else would hand one person's cases to another.
    """
    still_used = holder.cpr_index is not None and bytes(holder.cpr_index) in details
    return not still_used and holder.first_name == record.first_name


def _hourly(record: EmployeeRecord, limits: Limits) -> bool:
    return record.contract in limits.hourly_contracts or "timeløn" in record.contract_text.lower()


def _apply_employments(
    records: list[EmployeeRecord],
    known: dict[str, Employment],
    units: Mapping[str, Unit],
    people: Mapping[str, Person],
    report: Report,
    *,
    on: date,
    limits: Limits,
) -> None:
    external_ids = dict(Unit.objects.values_list("id", "external_id"))
    created: list[Employment] = []
    changed: list[Employment] = []
    for record in records:
        employment = known.get(record.number)
        unit, person = units[record.unit], people[record.number]
        hourly_paid = _hourly(record, limits)
        status = _ENDED if record.ends is not None and record.ends < on else _ACTIVE
        values = {name: getattr(record, name) for name in _EMPLOYMENT_FIELDS}
        hours = {name: getattr(record, name) for name in _HOURS_FIELDS}
        if employment is None:
            created.append(
                Employment(
                    number=record.number,
                    person=person,
                    unit=unit,
                    hourly_paid=hourly_paid,
                    status=status,
                    **values,
                    **hours,
                )
            )
            (report.joiners if status == _ACTIVE else report.historic).append(record.number)
            continue
        old_status, old_unit = employment.status, employment.unit_id
        same = (
            all(getattr(employment, name) == value for name, value in values.items())
            and employment.person_id == person.pk
            and employment.hourly_paid == hourly_paid
        )
        same_hours = all(getattr(employment, name) == value for name, value in hours.items())
        if old_status != _ACTIVE and status == _ACTIVE:
            report.joiners.append(record.number)
        elif old_status == _ACTIVE and status == _ENDED:
            report.leavers.append(record.number)
        elif old_unit == unit.pk and same and old_status == status:
            if same_hours:
                report.unchanged += 1
                continue
            report.hours_changed += 1
        elif old_unit == unit.pk:
            report.changed.append(record.number)
        if old_unit != unit.pk:
            report.moves.append(Move(record.number, external_ids[old_unit], record.unit))
        for name, value in (values | hours).items():
            setattr(employment, name, value)
        employment.person_id, employment.unit_id = person.pk, unit.pk
        employment.hourly_paid, employment.status = hourly_paid, status
        changed.append(employment)
    Employment.objects.bulk_create(created)
    update_rows(changed, [*_EMPLOYMENT_FIELDS, *_HOURS_FIELDS, *_STATE_FIELDS])
    known.update((employment.number, employment) for employment in created)


def _apply_leavers(
    extract: Extract, known: Mapping[str, Employment], report: Report, *, on: date
) -> None:
    changed: list[Employment] = []
    for leaver in extract.leavers:
        employment = known.get(leaver.number)
        if employment is None:
            report.findings.append(
                Finding(FindingCode.UNKNOWN_LEAVER, "employee", leaver.number, leaver.line)
            )
            continue
        if employment.status != _ACTIVE:
            continue
        ends = leaver.ends or min(employment.ends or on, on)
        if ends < employment.starts:
            employment.status = _CANCELLED
            report.cancelled.append(leaver.number)
        else:
            employment.ends, employment.status = ends, _ENDED
            report.leavers.append(leaver.number)
        changed.append(employment)
    update_rows(changed, ["ends", "status"])

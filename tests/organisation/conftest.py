# SPDX-License-Identifier: MPL-2.0
"""A small organisation that tests build piece by piece, and extracts written by hand."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from itertools import count

import pytest

from sagsgang.organisation.models import (
    Employment,
    Person,
    RoleAssignment,
    Substitution,
    Unit,
    User,
)

ON = date(2026, 11, 2)
NOW = datetime(2026, 11, 2, 8, 0, tzinfo=UTC)


class Organisation:
    """Makes rows with sensible values."""

    def __init__(self):
        self.numbers = count(1)

    def unit(self, name, parent=None, **fields):
        unit = Unit.objects.create(
            external_id=f"U{next(self.numbers)}", name=name, valid_from=date(2020, 1, 1), **fields
        )
        unit.place(parent)
        return unit

    def person(self, name="Prøvine", **fields):
        return Person.objects.create(first_name=name, last_name="Testsen", **fields)

    def employ(self, unit, person=None, **fields):
        values = {
            "number": f"{700000 + next(self.numbers)}",
            "position": "Prøver",
            "starts": date(2020, 1, 1),
            "weekly_hours": Decimal(37),
            **fields,
        }
        return Employment.objects.create(unit=unit, person=person or self.person(), **values)

    def lead(self, unit, person=None, **fields):
        return self.employ(unit, person, is_manager=True, **fields)

    def user(self, person=None, **fields):
        return User.objects.create_user(f"user{next(self.numbers)}", person=person, **fields)

    def role(self, user, role, unit=None, **fields):
        values = {"valid_from": date(2020, 1, 1), **fields}
        return RoleAssignment.objects.create(user=user, role=role, unit=unit, **values)

    def away(self, absent, substitute, start=ON, end=ON):
        return Substitution.objects.create(
            absent=absent, substitute=substitute, valid_from=start, valid_to=end
        )


@pytest.fixture
def org(db):
    return Organisation()


@pytest.fixture
def on():
    return ON


@pytest.fixture
def now():
    return NOW


UNIT = {
    "startDate": "2020-01-01",
    "endDate": "9999-12-31",
    "parentOrgUnit": "",
    "shortName": "ENH",
    "longName": "Enhed",
    "orgType": "00001",
    "orgTypeTxt": "Center",
}
EMPLOYEE = {
    "entryDate": "2026-01-01",
    "leaveDate": "",
    "cpr": "7101900001",
    "firstName": "Prøvine",
    "lastName": "Testsen",
    "address": "Prøvevej 1",
    "postalCode": "9999",
    "city": "Prøvelev",
    "country": "DK",
    "workPhone": "",
    "workContract": "08",
    "workContractText": "Månedsløn",
    "positionId": "500",
    "position": "Sagsbehandler",
    "positionShort": "SAGSB",
    "isManager": "false",
    "superiorLevel": "0",
    "subordinateLevel": "00",
    "orgUnit": "1",
    "payGradeText": "TEST",
    "numerator": "37 ",
    "denominator": "37  ",
}


class Writer:
    """Writes extracts."""

    def __init__(self, folder):
        self.folder = folder

    @staticmethod
    def element(tag, fields, **attributes):
        head = "".join(f' {name}="{value}"' for name, value in attributes.items())
        body = "".join(
            value if value.startswith("<") else f"<{name}>{value}</{name}>"
            for name, value in fields.items()
        )
        return f"<{tag}{head}>{body}</{tag}>\n"

    def unit(self, number="1", **fields):
        return self.element("orgUnit", {**UNIT, **fields}, id=number, client="999")

    def employee(self, number="1000", **fields):
        return self.element("employee", {**EMPLOYEE, **fields}, id=number, client="999")

    def leave(self, number, **fields):
        return self.element("employee", fields, id=number, client="999", action="leave")

    def write(self, *records, on="20261102"):
        path = self.folder / f"ZLPE{on}224000_delta.xml"
        path.write_text(
            f'<?xml version="1.0" encoding="utf-8"?>\n<kmd>\n{"".join(records)}</kmd>\n', "utf-8"
        )
        return path


@pytest.fixture
def extract(tmp_path):
    return Writer(tmp_path)

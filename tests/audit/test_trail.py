# SPDX-License-Identifier: MPL-2.0
"""Writing entries, and that nothing can be changed afterwards."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from enum import Enum
from uuid import UUID

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from django.db import Error, connection, transaction

from sagsgang.audit import triggers
from sagsgang.audit.errors import AppendOnlyError, PurposeMissingError
from sagsgang.audit.models import Block, Entry
from sagsgang.audit.trail import Event, record, record_access, record_many

CPR = "7107614285"

pytestmark = pytest.mark.django_db


class Colour(Enum):
    RED = "red"


def test_an_entry_holds_what_was_recorded(now):
    record(
        "case.assigned",
        actor="anna",
        at=now,
        subject_type="case",
        subject_id=7,
        case_number="2026-000007",
        on_behalf_of="bo",
        purpose="Fordeling",
        data={"to": "carl"},
    )
    entry = Entry.objects.get()
    assert (entry.action, entry.actor, entry.at, entry.on_behalf_of) == (
        "case.assigned",
        "anna",
        now,
        "bo",
    )
    assert (entry.subject_type, entry.subject_id, entry.case_number) == ("case", "7", "2026-000007")
    assert (entry.purpose, entry.data) == ("Fordeling", {"to": "carl"})


def test_facts_become_plain_json_values(now):
    record(
        "case.noted",
        actor="anna",
        at=now,
        data={
            "amount": Decimal("1.50"),
            "day": date(2026, 11, 2),
            "at": now,
            "id": UUID(int=1),
            "colour": Colour.RED,
            "list": (1, None, True),
            "large": 10**20,
            4: "number",
            "nul": "a\0b",
            "half": "\ud800",
        },
    )
    assert Entry.objects.get().data == {
        "amount": "1.50",
        "day": "2026-11-02",
        "at": "2026-11-02T08:00:00+00:00",
        "id": "00000000-0000-0000-0000-000000000001",
        "colour": "red",
        "list": [1, None, True],
        "large": "100000000000000000000",
        "4": "number",
        "nul": "ab",
        "half": "?",
    }


def test_cpr_numbers_are_masked_wherever_they_slip_in(now):
    record(
        "case.noted",
        actor="anna",
        at=now,
        subject_id=CPR,
        purpose=f"om {CPR}",
        data={"note": f"ring til 710761-4285, {CPR}", CPR: [CPR]},
    )
    entry = Entry.objects.get()
    assert "4285" not in repr((entry.subject_id, entry.purpose, entry.data))


def test_a_reference_given_as_a_number_is_kept(now):
    record("posting.made", actor="system:worker", at=now, data={"voucher": int(CPR)})
    assert Entry.objects.get().data == {"voucher": int(CPR)}


def test_one_and_many_are_written_alike(now):
    event = Event(
        action="case.noted",
        actor="anna",
        at=now,
        subject_type="case",
        subject_id="7",
        data={"æ": Decimal(1)},
    )
    record(
        event.action,
        actor=event.actor,
        at=event.at,
        subject_type="case",
        subject_id=7,
        data=event.data,
    )
    assert record_many([event]) == 1
    one, other = Entry.objects.values().order_by("id")
    assert {**one, "id": 0} == {**other, "id": 0}


def test_instants_are_kept_in_utc(now):
    at = datetime(2026, 11, 2, 9, 0, tzinfo=timezone(timedelta(hours=1)))
    record_many([Event(action="case.noted", actor="anna", at=at)])
    assert Entry.objects.get().at == now
    assert Entry.objects.get().at.tzinfo == UTC


def test_many_more_than_one_statement_holds_are_written(now):
    assert record_many(Event(action="a.b", actor="x", at=now) for _ in range(5_001)) == 5_001
    assert Entry.objects.count() == 5_001


@pytest.mark.parametrize("kind", ["view", "search", "reveal", "export"])
def test_a_look_is_recorded_with_its_purpose(now, kind):
    record_access(
        kind,
        actor="anna",
        at=now,
        purpose="Svar på henvendelse",
        subject_type="person",
        subject_id=1,
    )
    entry = Entry.objects.get()
    assert (entry.action, entry.purpose) == (f"access.{kind}", "Svar på henvendelse")


def test_a_look_without_purpose_is_refused(now):
    with pytest.raises(PurposeMissingError):
        record_access("view", actor="anna", at=now, purpose="  ", subject_type="person")


def test_an_entry_without_actor_or_time_zone_is_refused(now):
    with pytest.raises(ValueError, match="actor"):
        record("case.noted", actor="", at=now)
    with pytest.raises(ValueError, match="time zone"):
        record("case.noted", actor="anna", at=now.replace(tzinfo=None))


def test_an_entry_disappears_with_its_transaction(now):
    with transaction.atomic():
        record("case.noted", actor="anna", at=now)
        transaction.set_rollback(True)
    assert not Entry.objects.exists()


def test_django_refuses_to_change_or_delete(now):
    entry = record("case.noted", actor="anna", at=now)
    entry.actor = "eve"
    for attempt in (
        entry.save,
        entry.delete,
        Entry.objects.all().delete,
        lambda: Entry.objects.update(actor="eve"),
        lambda: Entry.objects.bulk_update([entry], ["actor"]),
        Block.objects.all().delete,
    ):
        with pytest.raises(AppendOnlyError):
            attempt()


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE audit_entry SET actor = 'eve'",
        "DELETE FROM audit_entry",
        "UPDATE audit_block SET count = 0",
        "DELETE FROM audit_block",
    ],
)
def test_the_database_refuses_to_change_or_delete(write, now, statement):
    from sagsgang.audit.chain import seal

    write(2)
    seal(now)
    with (
        pytest.raises(Error, match="append-only"),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute(statement)


def test_the_triggers_are_in_place_after_migration():
    assert triggers.present(connection)
    triggers.drop(connection)
    assert not triggers.present(connection)
    triggers.create(connection)
    assert triggers.present(connection)


def test_flush_spares_the_trail_of_a_real_database(now, monkeypatch):
    record("case.noted", actor="anna", at=now)
    monkeypatch.setitem(connection.settings_dict, "NAME", "production")
    with pytest.raises(CommandError, match="audit trail"):
        call_command("flush", interactive=False)
    assert Entry.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_flush_empties_a_test_database(now):
    record("case.noted", actor="anna", at=now)
    call_command("flush", interactive=False, verbosity=0)
    assert not Entry.objects.exists()
    assert triggers.present(connection)

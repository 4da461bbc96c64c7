# SPDX-License-Identifier: MPL-2.0
"""Sealing and verifying: any single change is found, and said which."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import IntegrityError, connection
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from sagsgang.audit import chain
from sagsgang.audit.chain import Anchor, Fault, FaultKind, TamperedError, purge, seal, verify
from sagsgang.audit.cli import app
from sagsgang.audit.models import Block, Entry
from sagsgang.audit.trail import record
from tests.examples import examples

pytestmark = pytest.mark.django_db

INSERT = (
    "INSERT INTO audit_entry (id, at, actor, on_behalf_of, action, subject_type, subject_id,"
    " case_number, purpose, data) SELECT %s, at, actor, on_behalf_of, action, subject_type,"
    " subject_id, case_number, purpose, data FROM audit_entry WHERE id = %s"
)


def ids():
    return list(Entry.objects.values_list("id", flat=True))


def test_an_empty_trail_is_intact(now):
    assert seal(now) == 0
    result = verify()
    assert result.intact
    assert result.head is None


def test_a_sealed_trail_is_intact(write, now):
    write(25)
    assert seal(now, size=10) == 25
    result = verify()
    assert result.intact
    assert (result.blocks, result.entries, result.unsealed) == (3, 25, 0)


def test_sealing_again_without_news_makes_no_block(write, now):
    write(3)
    seal(now)
    assert seal(now) == 0
    assert Block.objects.count() == 1


def test_entries_since_the_last_block_count_as_unsealed(write, now):
    write(3)
    seal(now)
    write(2)
    result = verify()
    assert result.intact
    assert result.unsealed == 2


COLUMNS = [
    "at",
    "actor",
    "on_behalf_of",
    "action",
    "subject_type",
    "subject_id",
    "case_number",
    "purpose",
    "data",
]


@hypothesis_settings(
    max_examples=examples(10),
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(st.data())
def test_any_single_change_is_found_and_located(write, tamper, now, data):
    """Examples share the database of the test, so each one begins after the entries of the last."""
    begin_anew_after_a_gap(tamper)
    write(12)
    seal(now, size=5)
    keys = ids()
    # Two days on, nothing is awaited in the gap before the first entry any more.
    write(1)
    seal(now + timedelta(days=2))
    at = data.draw(st.integers(0, 11), label="entry")
    key = keys[at]
    block = at // 5 + 1
    match data.draw(st.sampled_from(["change", "delete", "swap", "insert"]), label="kind"):
        case "change":
            column = data.draw(st.sampled_from(COLUMNS), label="column")
            value = {"at": now - timedelta(days=1), "data": '{"number":-1}'}.get(column, "forged")
            if column == "at":
                value = connection.ops.adapt_datetimefield_value(value)
            tamper(f"UPDATE audit_entry SET {column} = %s WHERE id = %s", value, key)
            expected = {Fault(FaultKind.CHANGED, block, key)}
        case "delete":
            tamper("DELETE FROM audit_entry WHERE id = %s", key)
            expected = {Fault(FaultKind.MISSING, block, key)}
        case "swap":
            other = keys[(block - 1) * 5 if at % 5 else at + 1]
            for target, source in ((-1, key), (key, other), (other, -1)):
                tamper("UPDATE audit_entry SET id = %s WHERE id = %s", target, source)
            expected = {
                Fault(FaultKind.REORDERED, block, key),
                Fault(FaultKind.REORDERED, block, other),
            }
        case _:
            before_first = keys[0] - 1
            tamper(INSERT, before_first, key)
            expected = {Fault(FaultKind.INSERTED, None, before_first)}
    assert set(verify().faults) == expected


def begin_anew_after_a_gap(tamper):
    tamper("DELETE FROM audit_entry")
    tamper("DELETE FROM audit_block")
    if connection.vendor == "sqlite":
        tamper("UPDATE sqlite_sequence SET seq = seq + 10 WHERE name = 'audit_entry'")
    else:
        tamper("SELECT setval('audit_entry_id_seq', nextval('audit_entry_id_seq') + 10)")


@pytest.mark.parametrize("column", ["count", "first_id", "last_id", "sealed_at"])
def test_a_changed_block_is_found(write, tamper, now, column):
    write(4)
    seal(now, size=2)
    value = (
        connection.ops.adapt_datetimefield_value(now + timedelta(days=1))
        if column == "sealed_at"
        else 1_000
    )
    tamper(f"UPDATE audit_block SET {column} = %s WHERE number = 1", value)
    assert Fault(FaultKind.BLOCK_CHANGED, 1) in verify().faults


def test_a_block_computed_anew_breaks_the_chain(write, tamper, now):
    write(4)
    seal(now, size=2)
    tamper("UPDATE audit_entry SET actor = 'eve' WHERE id = %s", ids()[0])
    block = Block.objects.get(number=1)
    forged = chain._leaves(Entry.objects.filter(id__lte=block.last_id))
    block.leaves = b"".join(key.to_bytes(8, "big") + leaf for key, leaf in forged.items())
    block.content_hash = chain.hashlib.sha256(block.leaves).digest()
    tamper(
        "UPDATE audit_block SET leaves = %s, content_hash = %s, hash = %s WHERE number = 1",
        block.leaves,
        block.content_hash,
        chain._block_hash(block),
    )
    assert verify().faults == (Fault(FaultKind.CHAIN_BROKEN, 2),)


def test_a_missing_block_is_found(write, tamper, now):
    write(6)
    seal(now, size=2)
    tamper("DELETE FROM audit_block WHERE number = 2")
    assert Fault(FaultKind.BLOCK_MISSING, 2) in verify().faults
    assert Fault(FaultKind.CHAIN_BROKEN, 3) in verify().faults


def test_a_chain_that_was_cut_off_is_found_by_the_anchor(write, tamper, now):
    write(4)
    seal(now, size=2)
    kept = verify().head
    tamper("DELETE FROM audit_entry WHERE id >= %s", ids()[2])
    tamper("DELETE FROM audit_block WHERE number = 2")
    assert verify().intact
    assert verify(anchor=kept).faults == (Fault(FaultKind.ANCHOR, 2),)


def test_an_anchor_of_an_earlier_day_still_holds(write, now):
    write(2)
    seal(now)
    kept = verify().head
    write(2)
    seal(now)
    assert verify(anchor=kept).intact


@pytest.mark.parametrize("text", ["", "17", "17:abc", "x:" + "0" * 64, "1:" + "g" * 64])
def test_what_is_no_anchor_is_refused(text):
    with pytest.raises(ValueError):  # noqa: PT011 (either the form or the hex digits are wrong)
        Anchor.parse(text)


def test_an_anchor_reads_what_it_writes():
    anchor = Anchor(17, "ab" * 32)
    assert Anchor.parse(str(anchor)) == anchor


def late(tamper, key, of):
    """An entry that commits with an id lower than those already sealed."""
    tamper(INSERT, key, of)


def test_a_latecomer_is_sealed_in_a_later_block(write, tamper, now):
    write(5)
    keys = ids()
    tamper("DELETE FROM audit_entry WHERE id = %s", keys[2])
    seal(now)
    late(tamper, keys[2], keys[1])
    result = verify()
    assert result.intact
    assert result.unsealed == 1
    assert seal(now + timedelta(minutes=1)) == 1
    result = verify()
    assert result.intact
    assert (result.entries, result.unsealed) == (5, 0)
    assert seal(now + timedelta(minutes=2)) == 0


def test_a_sealed_latecomer_that_is_changed_is_found(write, tamper, now):
    write(5)
    keys = ids()
    tamper("DELETE FROM audit_entry WHERE id = %s", keys[2])
    seal(now)
    late(tamper, keys[2], keys[1])
    seal(now)
    tamper("UPDATE audit_entry SET actor = 'eve' WHERE id = %s", keys[2])
    assert verify().faults == (Fault(FaultKind.CHANGED, 2, keys[2]),)


def test_an_entry_that_turns_up_in_a_gap_days_later_is_an_insertion(write, tamper, now):
    write(5)
    keys = ids()
    tamper("DELETE FROM audit_entry WHERE id = %s", keys[2])
    seal(now)
    write(1)
    seal(now + timedelta(days=2))
    late(tamper, keys[2], keys[1])
    assert seal(now + timedelta(days=2)) == 0
    assert verify().faults == (Fault(FaultKind.INSERTED, None, keys[2]),)


@hypothesis_settings(
    max_examples=examples(10),
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(st.permutations(range(9)), st.lists(st.integers(0, 8), max_size=4))
def test_whatever_the_order_of_commits_every_entry_is_sealed_once(
    write, tamper, now, order, pauses
):
    tamper("DELETE FROM audit_entry")
    tamper("DELETE FROM audit_block")
    write(10)
    first, *keys = ids()
    for key in keys:
        tamper("DELETE FROM audit_entry WHERE id = %s", key)
    for position, at in enumerate(order):
        late(tamper, keys[at], first)
        if position in pauses:
            seal(now + timedelta(minutes=position), size=2)
    seal(now + timedelta(hours=1), size=3)
    result = verify()
    assert result.intact
    assert (result.entries, result.unsealed) == (10, 0)


def test_a_purge_deletes_old_blocks_and_keeps_the_chain(write, now):
    write(4)
    seal(now, size=2)
    write(2, start=4)
    seal(now + timedelta(days=10))
    assert (
        purge(now + timedelta(days=1), now=now + timedelta(days=11), actor="system:retention") == 4
    )
    seal(now + timedelta(days=11))
    result = verify()
    assert result.intact
    assert result.purged == 4
    assert Entry.objects.filter(action="audit.purged").count() == 2
    assert Entry.objects.filter(action="case.noted").count() == 2


def test_a_purge_keeps_what_was_tampered_with(write, tamper, now):
    write(2)
    seal(now)
    write(1)
    seal(now + timedelta(days=2))
    tamper("UPDATE audit_entry SET actor = 'eve' WHERE id = %s", ids()[0])
    with pytest.raises(TamperedError):
        purge(now + timedelta(days=1), now=now + timedelta(days=3), actor="system:retention")
    assert Entry.objects.count() == 3


def test_faults_read_as_danish_sentences():
    assert str(Fault(FaultKind.CHANGED, 3, 17)) == "Hændelse 17 i forsegling 3 er ændret."


def test_the_command_seals_and_verifies(write, now):
    write(3)
    assert CliRunner().invoke(app, ["seal"]).output == "3 hændelser er forseglet.\n"
    result = CliRunner().invoke(app, ["verify"])
    assert result.exit_code == 0
    assert "Revisionssporet er ubrudt." in result.output
    anchor = str(verify().head)
    assert CliRunner().invoke(app, ["verify", "--anchor", anchor]).exit_code == 0


def test_the_command_fails_on_a_broken_trail(write, tamper, now):
    write(3)
    seal(now)
    tamper("UPDATE audit_entry SET actor = 'eve' WHERE id = %s", ids()[1])
    result = CliRunner().invoke(app, ["verify"])
    assert result.exit_code == 1
    assert f"Hændelse {ids()[1]} i forsegling 1 er ændret." in result.output


def test_the_command_refuses_a_wrong_anchor():
    assert CliRunner().invoke(app, ["verify", "--anchor", "nonsense"]).exit_code == 2


def test_recording_while_others_seal_needs_no_lock(now, django_assert_num_queries):
    with django_assert_num_queries(1):
        record("case.noted", actor="anna", at=now)


@pytest.fixture
def lose_races(monkeypatch):
    """Let another sealer take the next block first, some times."""

    def times(count):
        seal_one, remaining = chain._seal_one, [None] * count

        def raced(now, size):
            if remaining:
                remaining.pop()
                raise IntegrityError
            return seal_one(now, size)

        monkeypatch.setattr(chain, "_seal_one", raced)

    return times


def test_a_sealer_that_loses_a_block_goes_on_with_the_next(write, now, lose_races):
    write(3)
    lose_races(2)
    assert seal(now) == 3


def test_a_sealer_that_always_loses_gives_up(write, now, lose_races):
    write(3)
    lose_races(1_000)
    with pytest.raises(IntegrityError):
        seal(now)

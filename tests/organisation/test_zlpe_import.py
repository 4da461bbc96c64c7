# SPDX-License-Identifier: MPL-2.0
"""Importing extracts: joiners, leavers, moves, withdrawn records; and what is refused."""

from __future__ import annotations

import os
from datetime import date, timedelta
from pathlib import Path

import pytest
from django.db import transaction
from typer.testing import CliRunner

from sagsgang.audit.identifiers import blind_index
from sagsgang.audit.models import Entry
from sagsgang.organisation.cli import app
from sagsgang.organisation.errors import (
    ExtractBlockedError,
    ExtractNameError,
    ExtractOutdatedError,
    ExtractTooDifferentError,
    ExtractUnreadableError,
)
from sagsgang.organisation.models import Employment, ExtractRun, Person, Unit
from sagsgang.organisation.zlpe import FindingCode, Limits, import_extract

pytestmark = pytest.mark.django_db


@pytest.fixture
def bring_in(extract, now):
    """Write an extract for a day and import it."""

    def run(*records, on="20261102", **options):
        return import_extract(extract.write(*records, on=on), now=now, **options)

    return run


def nothing(report, *but):
    return {name for name, value in report.counts().items() if value} == set(but)


def test_units_people_and_employments_come_in(extract, bring_in):
    report = bring_in(
        extract.unit("1", longName="Prøvelev Kommune"),
        extract.unit("2", parentOrgUnit="1", longName="Forvaltning"),
        extract.employee("1000", orgUnit="2"),
    )
    assert nothing(report, "units_created", "joiners")
    employment = Employment.objects.select_related("person", "unit").get()
    assert (employment.number, employment.unit.name, employment.status) == (
        "1000",
        "Forvaltning",
        "active",
    )
    assert employment.person.full_name == "Prøvine Testsen"
    assert employment.person.reveal_cpr() == "7101900001"
    assert employment.person.masked_cpr == "710190-xxxx"
    assert employment.unit.path == f"/{employment.unit.parent_id}/{employment.unit_id}/"


def test_parents_may_come_after_their_children(extract, bring_in):
    bring_in(extract.unit("2", parentOrgUnit="1"), extract.unit("1"))
    top, child = Unit.objects.order_by("depth")
    assert child.path == f"{top.path}{child.pk}/"


def test_the_same_extract_again_changes_nothing(extract, bring_in):
    records = extract.unit(), extract.employee()
    bring_in(*records)
    assert nothing(bring_in(*records), "unchanged")


def test_hours_and_last_changed_vary_without_meaning(extract, bring_in):
    bring_in(extract.unit(), extract.employee())
    report = bring_in(extract.unit(), extract.employee(numerator="18,5"), on="20261103")
    assert nothing(report, "hours_changed")
    assert Employment.objects.get().weekly_hours == 18.5


@pytest.mark.parametrize(
    ("contract", "text", "hourly"),
    [("08", "Månedsløn", False), ("06", "Andet", True), ("99", "Timelønnet", True)],
)
def test_the_contract_tells_who_is_paid_by_the_hour(extract, bring_in, contract, text, hourly):
    bring_in(extract.unit(), extract.employee(workContract=contract, workContractText=text))
    assert Employment.objects.get().hourly_paid is hourly


def test_two_employments_of_one_cpr_number_are_one_person(extract, bring_in):
    bring_in(extract.unit(), extract.employee("1"), extract.employee("2"))
    assert Person.objects.get().employments.count() == 2


def test_an_ended_record_is_a_leaver(extract, bring_in):
    bring_in(extract.unit(), extract.employee("1"), extract.employee("2"))
    report = bring_in(extract.unit(), extract.employee("1"), extract.leave("2"), on="20261103")
    assert report.leavers == ["2"]
    ended = Employment.objects.get(number="2")
    assert (ended.status, ended.ends) == ("ended", date(2026, 11, 3))
    again = bring_in(extract.unit(), extract.employee("1"), extract.leave("2"), on="20261104")
    assert nothing(again, "unchanged")


def test_a_leave_date_in_the_past_ends_the_employment(extract, bring_in):
    bring_in(extract.unit(), extract.employee())
    report = bring_in(extract.unit(), extract.employee(leaveDate="2026-11-02"), on="20261103")
    assert report.leavers == ["1000"]


def test_a_leave_date_of_today_or_later_leaves_the_employment_active(extract, bring_in):
    bring_in(extract.unit(), extract.employee(leaveDate="2026-11-02"))
    assert Employment.objects.get().status == "active"


def test_a_record_that_disappears_is_cancelled(extract, bring_in):
    bring_in(extract.unit(), extract.employee("1"), extract.employee("2"))
    report = bring_in(extract.unit(), extract.employee("1"), on="20261103")
    assert report.cancelled == ["2"]
    assert Employment.objects.get(number="2").status == "cancelled"


def test_a_record_that_disappears_after_its_last_day_has_ended(extract, bring_in):
    bring_in(extract.unit(), extract.employee(leaveDate="2026-11-02"))
    report = bring_in(extract.unit(), on="20261103")
    assert (report.leavers, report.cancelled) == (["1000"], [])


def test_an_ended_record_that_disappears_stays_ended(extract, bring_in):
    bring_in(extract.unit(), extract.employee())
    bring_in(extract.unit(), extract.leave("1000"), on="20261103")
    assert nothing(bring_in(extract.unit(), on="20261104"))
    assert Employment.objects.get().status == "ended"


def test_leaving_before_the_first_day_cancels(extract, bring_in):
    bring_in(extract.unit(), extract.employee(entryDate="2026-12-01"))
    assert bring_in(extract.unit(), extract.leave("1000"), on="20261103").cancelled == ["1000"]


def test_one_who_comes_back_joins_again(extract, bring_in):
    bring_in(extract.unit(), extract.employee())
    bring_in(extract.unit(), extract.leave("1000"), on="20261103")
    report = bring_in(extract.unit(), extract.employee(), on="20261104")
    assert report.joiners == ["1000"]
    assert Employment.objects.get().ends is None


def test_one_who_changes_unit_moves(extract, bring_in):
    units = extract.unit("1"), extract.unit("2", parentOrgUnit="1")
    bring_in(*units, extract.employee(orgUnit="1"))
    report = bring_in(*units, extract.employee(orgUnit="2"), on="20261103")
    assert [(move.number, move.source, move.target) for move in report.moves] == [
        ("1000", "1", "2")
    ]
    assert nothing(report, "moves")
    assert Employment.objects.get().unit.external_id == "2"


def test_a_new_position_is_a_change(extract, bring_in):
    bring_in(extract.unit(), extract.employee())
    report = bring_in(
        extract.unit(), extract.employee(position="Leder", isManager="true"), on="20261103"
    )
    assert report.changed == ["1000"]
    assert Employment.objects.get().is_manager


def test_a_new_name_and_protection_reach_the_person(extract, bring_in):
    bring_in(extract.unit(), extract.employee())
    report = bring_in(
        extract.unit(),
        extract.employee(lastName="Prøvesen", address='<address status="1"/>'),
        on="20261103",
    )
    assert report.people_changed == 1
    person = Person.objects.get()
    assert (person.last_name, person.protected) == ("Prøvesen", True)


def test_a_replacement_number_that_becomes_a_real_one_keeps_the_person(extract, bring_in):
    bring_in(extract.unit(), extract.employee(cpr="7101900001"))
    before = Person.objects.get()
    report = bring_in(extract.unit(), extract.employee(cpr="7201900002"), on="20261103")
    assert report.cpr_changed == ["1000"]
    after = Person.objects.get()
    assert after.pk == before.pk
    assert after.reveal_cpr() == "7201900002"


def test_a_number_given_to_somebody_else_does_not_hand_over_the_person(extract, bring_in):
    bring_in(extract.unit(), extract.employee())
    before = Person.objects.get()
    bring_in(
        extract.unit(), extract.employee(cpr="7201900002", firstName="Fiktibert"), on="20261103"
    )
    assert Employment.objects.get().person_id != before.pk
    before.refresh_from_db()
    assert before.reveal_cpr() == "7101900001"


def test_a_cpr_number_that_another_employment_still_has_stays_with_its_person(extract, bring_in):
    bring_in(extract.unit(), extract.employee("1"), extract.employee("2"))
    bring_in(
        extract.unit(),
        extract.employee("1"),
        extract.employee("2", cpr="7201900002"),
        on="20261103",
    )
    assert Person.objects.count() == 2
    assert Employment.objects.get(number="1").person.cpr_index == blind_index("7101900001")


def test_a_skipped_record_leaves_what_is_known(extract, bring_in):
    bring_in(extract.unit(), extract.employee())
    report = bring_in(extract.unit(), extract.employee(entryDate=""), on="20261103")
    assert [finding.code for finding in report.skipped] == [FindingCode.NO_ENTRY_DATE]
    assert Employment.objects.get().status == "active"


def test_an_employee_of_an_unknown_unit_is_skipped(extract, bring_in):
    report = bring_in(extract.unit(), extract.employee(orgUnit="77"))
    assert [finding.code for finding in report.skipped] == [FindingCode.UNKNOWN_UNIT]
    assert not Employment.objects.exists()


def test_a_leaver_never_seen_is_skipped(extract, bring_in):
    report = bring_in(extract.unit(), extract.leave("999"))
    assert [finding.code for finding in report.skipped] == [FindingCode.UNKNOWN_LEAVER]


def test_a_unit_that_disappears_is_closed_and_opens_again(extract, bring_in):
    units = extract.unit("1"), extract.unit("2", parentOrgUnit="1")
    bring_in(*units)
    assert bring_in(units[0], on="20261103").units_closed == ["2"]
    closed = Unit.objects.get(external_id="2")
    assert (closed.active, closed.valid_to) == (False, date(2026, 11, 3))
    assert bring_in(*units, on="20261104").units_changed == ["2"]
    opened = Unit.objects.get(external_id="2")
    assert (opened.active, opened.valid_to) == (True, None)


def test_a_unit_that_moves_takes_its_subtree_along(extract, bring_in):
    bring_in(
        extract.unit("1"),
        extract.unit("2", parentOrgUnit="1"),
        extract.unit("3", parentOrgUnit="1"),
        extract.unit("4", parentOrgUnit="3"),
    )
    bring_in(
        extract.unit("1"),
        extract.unit("2", parentOrgUnit="1"),
        extract.unit("3", parentOrgUnit="2"),
        extract.unit("4", parentOrgUnit="3"),
        on="20261103",
    )
    keys = dict(Unit.objects.values_list("external_id", "id"))
    assert Unit.objects.get(external_id="4").path == "/{}/{}/{}/{}/".format(
        *(keys[n] for n in "1234")
    )


@pytest.mark.parametrize(
    ("parents", "code"),
    [
        ({"2": "77"}, FindingCode.UNKNOWN_PARENT),
        ({"2": "3", "3": "2"}, FindingCode.CYCLE),
        ({"2": "2"}, FindingCode.CYCLE),
    ],
)
def test_a_broken_tree_is_refused_and_nothing_changes(extract, bring_in, parents, code):
    bring_in(extract.unit("1"), extract.employee())
    with pytest.raises(ExtractUnreadableError) as refusal:
        bring_in(
            extract.unit("1", longName="Nyt navn"),
            *(extract.unit(number, parentOrgUnit=parent) for number, parent in parents.items()),
            on="20261103",
        )
    assert {finding.code for finding in refusal.value.findings} == {code}
    assert {finding.record for finding in refusal.value.findings} == set(parents)
    assert Unit.objects.get().name == "Enhed"
    assert Employment.objects.get().status == "active"
    failed = ExtractRun.objects.get(state="failed")
    assert failed.report["findings"][0]["code"] == code


def test_a_refused_extract_does_not_block_the_next(extract, bring_in, tmp_path, now):
    broken = tmp_path / "ZLPE20261101_delta.xml"
    broken.write_text("<kmd>")
    with pytest.raises(ExtractUnreadableError):
        import_extract(broken, now=now)
    assert nothing(bring_in(extract.unit()), "units_created")


def test_an_older_extract_is_refused(extract, bring_in):
    bring_in(extract.unit(), on="20261103")
    with pytest.raises(ExtractOutdatedError):
        bring_in(extract.unit(), on="20261102")


def test_another_content_of_the_same_time_is_refused(extract, bring_in):
    bring_in(extract.unit())
    with pytest.raises(ExtractOutdatedError):
        bring_in(extract.unit(), extract.employee())


def test_a_file_of_another_name_is_refused(tmp_path, now):
    path = tmp_path / "extract.xml"
    path.write_text("<kmd/>")
    with pytest.raises(ExtractNameError):
        import_extract(path, now=now)


@pytest.fixture
def crash(extract, now, monkeypatch):
    """Let an import die half-way, as when the power goes."""

    def run(path):
        class Died(BaseException):
            pass

        def die(*_, **__):
            raise Died

        with monkeypatch.context() as patched:
            patched.setattr("sagsgang.organisation.zlpe._apply._apply_leavers", die)
            with pytest.raises(Died):
                import_extract(path, now=now)

    return run


def test_a_crashed_run_saves_nothing_and_blocks_the_next(extract, bring_in, crash):
    crash(extract.write(extract.unit(), extract.employee()))
    assert not Unit.objects.exists()
    with pytest.raises(ExtractBlockedError):
        bring_in(extract.unit(), extract.employee(), on="20261103")


def test_a_crashed_run_can_be_released(extract, bring_in, crash):
    crash(extract.write(extract.unit(), extract.employee()))
    report = bring_in(extract.unit(), extract.employee(), resume=True)
    assert nothing(report, "units_created", "joiners")
    assert list(ExtractRun.objects.order_by("id").values_list("state", flat=True)) == [
        "failed",
        "done",
    ]
    assert Entry.objects.filter(action="organisation.import-released").count() == 1


def many(extract, count):
    return [
        extract.employee(str(number), cpr=f"71{1 + number % 12:02d}{number % 100:02d}{number:04d}")
        for number in range(1, count + 1)
    ]


def test_an_extract_that_lacks_far_too_many_is_refused(extract, bring_in):
    bring_in(extract.unit(), *many(extract, 60))
    with pytest.raises(ExtractTooDifferentError):
        bring_in(extract.unit(), on="20261103")
    assert not Employment.objects.exclude(status="active").exists()
    report = bring_in(extract.unit(), on="20261103", accept_large_change=True)
    assert len(report.cancelled) == 60


def test_an_extract_with_far_too_many_malformed_is_refused(extract, bring_in):
    broken = [extract.employee(str(number), cpr="x") for number in range(60)]
    with pytest.raises(ExtractTooDifferentError) as refusal:
        bring_in(extract.unit(), *broken)
    assert len(refusal.value.findings) == 60


def test_an_extract_that_lacks_far_too_many_units_is_refused(extract, bring_in):
    below = [extract.unit(str(number), parentOrgUnit="1") for number in range(2, 8)]
    bring_in(extract.unit("1"), *below)
    with pytest.raises(ExtractTooDifferentError):
        bring_in(extract.unit("1"), on="20261103", limits=Limits(least=2))


def test_an_import_is_recorded_without_personal_data(extract, bring_in):
    bring_in(extract.unit(), extract.employee())
    run = ExtractRun.objects.get()
    assert (run.state, run.counts["joiners"]) == ("done", 1)
    entry = Entry.objects.get(action="organisation.imported")
    assert entry.data["counts"]["joiners"] == 1
    assert "Testsen" not in repr((run.report, entry.data))


def test_an_unchanged_import_asks_few_questions(extract, now, django_assert_max_num_queries):
    path = extract.write(extract.unit(), *many(extract, 40))
    import_extract(path, now=now)
    with django_assert_max_num_queries(20):
        import_extract(path, now=now)


def test_the_public_sample_is_read(now):
    data = Path(
        os.environ.get("SAGSGANG_DATA", Path(__file__).parents[2].parent / "shared" / "data")
    )
    sample = data / "opus-hr" / "ZLPE20200101_delta.xml"
    if not sample.exists():
        pytest.skip(f"The public sample extract is not at {sample}: set SAGSGANG_DATA.")
    report = import_extract(sample, now=now)
    assert nothing(report, "units_created", "skipped")
    assert [finding.record for finding in report.skipped] == ["1000", "1001", "1002", "1006", "999"]
    assert [(unit.name, unit.depth) for unit in Unit.objects.all()] == [
        ("Andeby Kommune", 0),
        ("Underenhed 1", 1),
        ("Under-under-enhed", 2),
    ]


def test_the_command_imports_and_reports(extract):
    path = extract.write(extract.unit(), extract.employee(), extract.employee("2", entryDate=""))
    result = CliRunner().invoke(app, ["import", str(path)])
    assert result.exit_code == 0
    assert "1 tiltrådte" in result.output
    assert "Linje 5: employee 2 (entryDate) har ingen ansættelsesdato" in result.output


def test_the_command_fails_with_one_sentence(extract, tmp_path):
    path = tmp_path / "ZLPE20261102_delta.xml"
    path.write_text("<kmd>")
    result = CliRunner().invoke(app, ["import", str(path)])
    assert result.exit_code == 1
    assert "er ikke velformet XML" in result.output
    assert (
        CliRunner().invoke(app, ["import", str(tmp_path / "ZLPE20261103_delta.xml")]).exit_code == 2
    )


@pytest.mark.django_db(transaction=True)
def test_the_note_of_a_crashed_run_outlives_it(extract, crash, now):
    crash(extract.write(extract.unit()))
    assert transaction.get_autocommit()
    run = ExtractRun.objects.get()
    assert (run.state, run.started_at) == ("running", now)
    assert run.started_at - now == timedelta(0)

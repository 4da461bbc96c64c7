# SPDX-License-Identifier: MPL-2.0
"""Operations pages: who sees what, what can be done, what stands in the trail afterwards."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from sagsgang import engine
from sagsgang.audit.models import Entry
from sagsgang.cases import clock
from sagsgang.cases.models import Case, JournalEntry, Task
from sagsgang.engine import bulk, migration
from sagsgang.engine.clock import ManualClock
from sagsgang.engine.models import BulkRun, Incident, ProcessDefinition, ProcessInstance
from sagsgang.organisation.models import User
from tests import operating
from tests import world as worlds
from tests.operating import Payroll
from tests.world import World, duty

pytestmark = pytest.mark.django_db

AsUser = Callable[..., Client]
DRIFT = "/sagsbehandling/drift/"
LIST = f"{DRIFT}instanser/"


@pytest.fixture
def payroll() -> Iterator[Payroll]:
    handler = Payroll()
    engine.register_handler("payroll-test", engine.HandlerSpec(handler))
    yield handler
    engine.unregister_handler("payroll-test")


@pytest.fixture
def operator(world: World) -> User:
    return operating.operator()


@pytest.fixture
def client(operator: User, as_user: AsUser) -> Client:
    return as_user(operator)


def text_of(client: Client, address: str) -> str:
    answer = client.get(address)
    assert answer.status_code == 200, address
    return answer.content.decode()


def listed(client: Client, query: str = "") -> list[int]:
    return [
        int(each)
        for each in re.findall(
            r'href="/sagsbehandling/drift/instanser/(\d+)/"', text_of(client, LIST + query)
        )
    ]


def page_of(instance: int) -> str:
    return f"{LIST}{instance}/"


def act(client: Client, instance: int, **form: str) -> str:
    answer = client.post(f"{page_of(instance)}goer/", form, follow=True)
    assert answer.status_code == 200
    return answer.content.decode()


# --- Who -----------------------------------------------------------------------------------------


def test_a_caseworker_sees_nothing_of_operations(world: World, as_user: AsUser) -> None:
    for who in (world.caseworker, world.controller):
        client = as_user(who)
        assert client.get(DRIFT).status_code == 403
        assert client.get(LIST).status_code == 403
        assert "Drift" not in client.get("/").content.decode()


def test_a_process_owner_looks_and_does_not_act(
    world: World, time: ManualClock, payroll: Payroll, as_user: AsUser
) -> None:
    [instance] = operating.stopped(time, 1)
    client = as_user(operating.process_owner())
    assert "Prøv den igen" not in text_of(client, DRIFT)
    assert 'name="do"' not in text_of(client, page_of(instance))
    assert client.post(f"{page_of(instance)}goer/", {"do": "retry"}).status_code == 403
    assert client.post(f"{page_of(instance)}vis/", {"purpose": "x"}).status_code == 403
    answer = client.post(f"{LIST}flere/", {"do": "cancel", "instance": instance, "confirmed": "1"})
    assert answer.status_code == 403
    assert Incident.objects.filter(resolved_at=None).count() == 1


def test_an_operator_of_a_unit_reaches_the_instances_of_its_cases_alone(
    world: World, time: ManualClock, payroll: Payroll, as_user: AsUser
) -> None:
    case = worlds.order(world, duty("2025-10-02", "06:00", "20:00"), key="a")
    [other] = operating.stopped(time, 1)
    client = as_user(operating.operator(world.school, "skoledrift"))
    assert listed(client) == [case.process_instance]
    assert client.get(page_of(other)).status_code == 404
    assert client.get(f"{page_of(other)}forloeb.bpmn").status_code == 404
    client.post(f"{page_of(other)}goer/", {"do": "cancel", "reason": "x"})
    assert ProcessInstance.objects.get(pk=other).status == "active"
    answer = client.post(
        f"{DRIFT}styr/", {"do": "pause-type", "key": "x", "reason": "y"}, follow=True
    )
    assert "Kun en driftsansvarlig for det hele" in answer.content.decode()
    assert client.get(f"{DRIFT}flyt/").status_code == 404


# --- Overview and list ---------------------------------------------------------------------------


def test_three_incidents_of_one_cause_are_one_line(
    client: Client, time: ManualClock, payroll: Payroll
) -> None:
    operating.stopped(time, 3)
    text = text_of(client, DRIFT)
    assert text.count(operating.DOWN) == 1
    assert "Prøv alle 3 igen" in text
    assert "Ingen worker er i live" in text
    operating.worker_alive(time)
    assert "Ingen worker er i live" not in text_of(client, DRIFT)


def test_an_instance_that_waits_for_nothing_is_told_loudly(
    client: Client, time: ManualClock, payroll: Payroll
) -> None:
    [instance] = operating.waiting(time)
    ProcessInstance.objects.filter(pk=instance).update(elements="")
    assert "1 åben instans venter ikke på noget" in text_of(client, DRIFT)


def test_the_list_filters_by_what_stands_in_its_address(
    client: Client, time: ManualClock, payroll: Payroll
) -> None:
    stopped = operating.stopped(time, 2)
    operating.later(time, days=2)
    waiting = operating.waiting(time, 1)
    assert listed(client) == [*waiting, *stopped[::-1]]
    assert listed(client, "?fejl=payroll-down") == stopped[::-1]
    assert listed(client, "?fejl=*") == stopped[::-1]
    assert listed(client, "?proces=salary&trin=check") == waiting
    assert listed(client, "?alder=1d") == stopped[::-1]
    assert listed(client, "?q=L-0002") == stopped[1:]
    assert listed(client, "?q=L%C3%B8nsystemet") == stopped[::-1]
    assert listed(client, "?status=completed") == []
    assert listed(client, "?version=1&proces=salary") == [*waiting, *stopped[::-1]]


def test_what_another_process_had_is_passed_over_and_said_so_in_the_fields(
    client: Client, time: ManualClock, payroll: Payroll
) -> None:
    waiting = operating.waiting(time, 1)
    assert listed(client, "?proces=salary&version=7&trin=elsewhere") == waiting
    assert listed(client, "?trin=check") == waiting
    assert listed(client, "?q=%00&proces=salary&fejl=%00") == waiting
    # A code that no incident has any more still stands in its field, so that nothing hides it.
    page = text_of(client, f"{DRIFT}instanser/?fejl=gone")
    assert '<option value="gone" selected>gone</option>' in page


def test_the_reference_of_an_unexpected_fault_is_found(
    client: Client, time: ManualClock, payroll: Payroll
) -> None:
    [first, _] = operating.stopped(time, 2)
    Incident.objects.filter(instance_id=first).update(text="Uventet fejl (reference a1e274911684).")
    assert listed(client, "?q=a1e274911684") == [first]


def test_a_cpr_number_is_not_searched_for_and_not_shown_again(client: Client) -> None:
    assert "0101610000" not in text_of(client, f"{LIST}?q=0101610000")


def test_pages_of_the_list_cost_the_same_however_many_there_are(
    client: Client, time: ManualClock, payroll: Payroll
) -> None:
    def statements(address: str) -> int:
        with CaptureQueriesContext(
            connection,
        ) as captured:
            text_of(client, address)
        return len(captured)

    operating.stopped(time, 2)
    text_of(client, DRIFT)
    few = statements(LIST), statements(DRIFT)
    operating.stopped(time, 60)
    assert (statements(LIST), statements(DRIFT)) == few
    first = listed(client)
    assert len(first) == 50
    assert len(listed(client, f"?efter={first[-1]}")) == 12


# --- One instance --------------------------------------------------------------------------------


def test_the_page_of_an_instance_hides_what_variables_say(
    client: Client, operator: User, time: ManualClock, payroll: Payroll
) -> None:
    [instance] = operating.stopped(time, 1)
    text = text_of(client, page_of(instance))
    assert "tekst, 20 tegn" in text
    assert "hemmelig" not in text
    shown = client.post(f"{page_of(instance)}vis/", {"purpose": "Fejlsøgning"}).content.decode()
    assert "hemmelig 010161-xxxx" in shown
    entry = Entry.objects.get(action="access.reveal")
    assert (entry.actor, entry.purpose, entry.subject_id) == (
        operator.username,
        "Fejlsøgning",
        str(instance),
    )
    without = client.post(f"{page_of(instance)}vis/", {"purpose": " "}, follow=True)
    assert "hemmelig" not in without.content.decode()


def test_retry_skip_move_and_cancel_leave_history_and_trail(
    client: Client, operator: User, time: ManualClock, payroll: Payroll
) -> None:
    one, two, three = operating.stopped(time, 3)
    assert "Prøv igen: udført" in act(client, one, do="retry", element="send")
    assert "Skriv en begrundelse" in act(client, two, do="skip")
    assert "venter ved »Task archive«" in act(client, two, do="skip", reason="Sendt i hånden")
    moved = act(client, three, do="modify", source="send", target="archive", reason="Forkert")
    assert "venter ved »Task archive«" in moved
    act(client, three, do="cancel", reason="Fortrudt")
    assert ProcessInstance.objects.get(pk=three).status == "cancelled"
    trail = Entry.objects.filter(action__startswith="operation.").order_by("id")
    assert [(each.action, each.actor, each.purpose) for each in trail] == [
        ("operation.retry", operator.username, ""),
        ("operation.skip", operator.username, "Sendt i hånden"),
        ("operation.modify", operator.username, "Forkert"),
        ("operation.cancel", operator.username, "Fortrudt"),
    ]
    assert "Trin sprunget over – Sendt i hånden" in text_of(client, page_of(two))


def test_a_trial_says_where_it_leads_and_keeps_nothing(
    client: Client, time: ManualClock, payroll: Payroll
) -> None:
    [instance] = operating.waiting(time)
    text = act(client, instance, do="modify", source="check", target="archive", trial="yes")
    assert "Intet er gemt. Instansen er så i gang og venter ved »Task archive«." in text
    assert "check" in ProcessInstance.objects.get(pk=instance).elements
    assert not Entry.objects.filter(action="operation.modify").exists()


def test_a_variable_is_set_with_its_type_and_without_its_contents_in_the_trail(
    client: Client, time: ManualClock, payroll: Payroll
) -> None:
    [instance] = operating.stopped(time, 1)
    wrong = act(client, instance, do="set-variables", name="note", kind="number", value="tolv")
    assert "Værdien er ikke af typen tal" in wrong
    assert "tolv" not in wrong
    act(client, instance, do="set-variables", name="note", kind="text", value="ny", reason="Rettet")
    assert engine.variables_of(instance)["note"] == "ny"
    entry = Entry.objects.get(action="operation.set-variables")
    told = entry.data["variables"]["note"]
    assert (told["before"], told["after"]) == ("tekst, 20 tegn", "tekst, 2 tegn")
    assert told["before_digest"] != told["after_digest"]
    assert "hemmelig" not in str(entry.data)


def test_an_unknown_act_is_answered_with_a_sentence(
    client: Client, time: ManualClock, payroll: Payroll
) -> None:
    [instance] = operating.waiting(time)
    assert "Vælg, hvad der skal ske." in act(client, instance, do="nonsense")
    assert client.get(page_of(4711)).status_code == 404


# --- Many ----------------------------------------------------------------------------------------


def test_all_of_one_cause_are_retried_after_a_look_at_what_would_happen(
    client: Client, time: ManualClock, payroll: Payroll
) -> None:
    operating.stopped(time, 3)
    form = {
        "do": "retry",
        "which": "all",
        "filter": "proces=salary&status=open&fejl=payroll-down",
        "code": "payroll-down",
    }
    shown = client.post(f"{LIST}flere/", form).content.decode()
    assert "Prøv igen: 3 instanser" in shown
    assert "3 kan." in shown
    assert Incident.objects.filter(resolved_at=None).count() == 3
    payroll.down = False
    done = client.post(f"{LIST}flere/", {**form, "confirmed": "yes"}, follow=True)
    assert "Prøv igen: udført" in done.content.decode()
    operating.work(time)
    assert len(payroll.sent) == 3
    assert Entry.objects.filter(action="operation.bulk").count() == 1


def test_an_act_that_needs_a_reason_is_not_begun_without(
    client: Client, time: ManualClock, payroll: Payroll
) -> None:
    ids = operating.stopped(time, 2)
    form = {"do": "cancel", "instance": ids, "filter": "", "confirmed": "yes"}
    answer = client.post(f"{LIST}flere/", form)
    assert answer.status_code == 422
    assert "Skriv en begrundelse" in answer.content.decode()
    assert not BulkRun.objects.exists()
    client.post(f"{LIST}flere/", {**form, "reason": "Dobbelt sendt"})
    assert set(ProcessInstance.objects.values_list("status", flat=True)) == {"cancelled"}


def test_a_run_shows_what_was_refused_and_takes_up_the_rest(
    client: Client, operator: User, time: ManualClock, payroll: Payroll
) -> None:
    one, two = operating.stopped(time, 2)
    engine.cancel(two, now=clock.now())
    run = bulk.start_run(
        engine.operations.Skip(), [one, two], now=clock.now(), actor=operator.username, reason="x"
    )
    where = f"{DRIFT}koersler/{run.pk}/"
    assert "i gang" in text_of(client, where)
    client.post(f"{where}videre/")
    text = text_of(client, where)
    assert "Instansen er afsluttet eller sat på pause." in text
    again = client.post(f"{where}igen/", follow=True)
    assert again.status_code == 200
    assert BulkRun.objects.count() == 2
    client.post(f"{DRIFT}koersler/{run.pk + 1}/stop/")
    assert BulkRun.objects.get(pk=run.pk + 1).stopped_at is not None


# --- Processes and task types --------------------------------------------------------------------


def test_a_system_is_paused_with_a_reason_and_taken_up_again(
    client: Client, time: ManualClock, payroll: Payroll
) -> None:
    operating.waiting(time)
    assert "<option>payroll-test</option>" in text_of(client, DRIFT)
    client.post(f"{DRIFT}styr/", {"do": "pause-type", "key": "payroll-test"})
    assert "På pause</span>" not in text_of(client, DRIFT)
    client.post(f"{DRIFT}styr/", {"do": "pause-type", "key": "payroll-test", "reason": "Lukket"})
    assert "Lukket" in text_of(client, DRIFT)
    client.post(f"{DRIFT}styr/", {"do": "resume-type", "key": "payroll-test"})
    assert "Lukket" not in text_of(client, DRIFT)
    actions = Entry.objects.filter(subject_type="task_type").values_list("action", flat=True)
    assert list(actions) == ["operation.pause-task-type", "operation.resume-task-type"]


def test_a_process_is_stopped_and_started(
    client: Client, time: ManualClock, payroll: Payroll
) -> None:
    operating.waiting(time)
    client.post(f"{DRIFT}styr/", {"do": "stop-process", "key": "salary", "reason": "Fejl"})
    assert ProcessDefinition.objects.get(key="salary").state == "suspended"
    assert "Starter ikke flere" in text_of(client, DRIFT)
    client.post(f"{DRIFT}styr/", {"do": "start-process", "key": "salary"})
    assert ProcessDefinition.objects.get(key="salary").state == "active"


# --- Cases follow --------------------------------------------------------------------------------


@pytest.fixture
def case(world: World) -> Case:
    return worlds.order(world, duty("2025-10-02", "06:00", "20:00"), key="b")


def test_the_case_page_and_the_instance_page_lead_to_each_other(
    case: Case, as_user: AsUser
) -> None:
    client = as_user(operating.process_owner())
    assert page_of(case.process_instance or 0) in text_of(
        client, f"/sagsbehandling/sager/{case.number}/"
    )
    assert f"/sagsbehandling/sager/{case.number}/" in text_of(
        client, page_of(case.process_instance or 0)
    )


def test_fields_of_variables_are_folded_until_asked_for(case: Case, client: Client) -> None:
    page = page_of(case.process_instance or 0)
    folded = text_of(client, page)
    count = len(engine.variables_of(case.process_instance or 0))
    assert f"{count} navne, " in folded
    assert re.search(r"<details><summary[^>]*><span>facts</span> <span[^>]*>\d+ felter<", folded)
    assert "<dt>unit_name</dt>" in folded, "what is folded can still be searched for"
    assert "Kun ved Ret timesedlen: " in folded
    unfolded = text_of(client, f"{page}?variabler=alle")
    assert re.search(r"<details open><summary[^>]*><span>facts</span>", unfolded)
    assert "Fold alle ud" not in unfolded


def test_a_wait_says_how_long_it_has_waited(case: Case, client: Client, time: ManualClock) -> None:
    operating.later(time, hours=50)
    assert ">i 2 dage</td>" in text_of(client, page_of(case.process_instance or 0))


def test_an_operator_without_a_case_role_is_not_led_to_the_case(case: Case, client: Client) -> None:
    assert "Åbn sagen" not in text_of(client, page_of(case.process_instance or 0))


def test_the_case_says_that_it_is_paused_and_why(case: Case, client: Client) -> None:
    instance = case.process_instance or 0
    before = case.stage
    act(client, instance, do="suspend", reason="Lønsystemet skifter")
    case.refresh_from_db()
    assert case.stage == "Sat på pause"
    entry = JournalEntry.objects.filter(case=case, kind="operation").get()
    assert entry.text == "Driften har sat sagen på pause. Begrundelse: Lønsystemet skifter"
    act(client, instance, do="resume")
    case.refresh_from_db()
    assert case.stage == before


def test_a_task_follows_its_renamed_step_to_the_new_version(
    case: Case, client: Client, time: ManualClock
) -> None:
    task = Task.objects.get(case=case, status=Task.Status.OPEN)
    row = ProcessInstance.objects.select_related("definition").get(pk=case.process_instance)
    old = row.definition
    xml = bytes(old.xml).decode()
    renamed = re.sub(rf"\b{task.element}\b", "another_id", xml).replace(
        f'name="{task.title}"', 'name="Ret sedlen nu"'
    )
    engine.deploy(
        renamed.encode(),
        now=clock.now(),
        solution=old.solution,
        version="2.0",
        decisions={each.name: bytes(each.content) for each in old.resources.all()},
    )
    where = f"{DRIFT}flyt/"
    versions = {"proces": old.key, "fra": "1", "til": "2"}
    assert "another_id" in text_of(client, f"{where}?proces={old.key}&fra=1&til=2")
    answer = client.post(where, {**versions, "do": "apply"})
    assert answer.status_code == 422
    client.post(where, {**versions, "do": "apply", "reason": "Ny udgave"})
    task.refresh_from_db()
    assert (task.element, task.title, task.status) == ("another_id", "Ret sedlen nu", "open")
    row.refresh_from_db()
    assert row.definition.version == 2
    run = BulkRun.objects.get()
    client.post(f"{DRIFT}koersler/{run.pk}/tilbage/")
    client.post(f"{DRIFT}koersler/{run.pk + 1}/videre/")
    task.refresh_from_db()
    assert task.element != "another_id"


def test_the_mapping_can_be_edited_and_is_previewed(
    client: Client, time: ManualClock, payroll: Payroll
) -> None:
    operating.waiting(time, 2)
    engine.deploy(operating.second_version(), now=clock.now())
    versions = {"proces": "salary", "fra": "1", "til": "2", "do": "preview"}
    proposed = client.post(f"{DRIFT}flyt/", versions).content.decode()
    assert "Flyt 2" in proposed
    without = client.post(f"{DRIFT}flyt/", {**versions, "til:check": ""}).content.decode()
    assert "Ingen instanser kan flyttes sådan." in without
    assert "intet svarer til" in without
    assert migration.preview(migration.propose("salary", source=1, target=2)).ready == 2

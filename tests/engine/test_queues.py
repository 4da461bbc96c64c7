# SPDX-License-Identifier: MPL-2.0
"""Queues of jobs and their limits, with a clock that is turned by hand."""

from __future__ import annotations

from datetime import timedelta

import pytest

from sagsgang import engine
from sagsgang.bpmn.protocol import Complete
from sagsgang.engine import handlers, jobs, periodic, queues
from sagsgang.engine.attempts import Attempt, execute, settle_attempts
from sagsgang.engine.models import Incident, Job, QueueState
from sagsgang.engine.queues import Limits, Rate

from .flows import one_job

pytestmark = pytest.mark.django_db


@pytest.fixture
def take(desk):
    """Take a share of the queue ``deliver`` as a worker would."""

    def share(limit=10, ahead=0.0, **limits):
        return jobs.claim_share(
            "deliver",
            Limits.of(**limits),
            limit,
            now=desk.now,
            owner="w",
            lease_for=timedelta(seconds=60),
            ahead=timedelta(seconds=ahead),
        )

    return share


@pytest.fixture
def ten(desk, handle):
    handle("deliver", {})
    desk.deploy(one_job())
    engine.start_many([engine.StartItem("order")] * 10, now=desk.now)


# --- What is declared -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "count", "seconds"),
    [("20/s", 20, 1), ("100/min", 100, 60), ("5000/h", 5000, 3600), ("1/d", 1, 86400)],
)
def test_a_rate_is_read_and_written(text, count, seconds):
    rate = Rate.parse(text)
    assert (rate.count, rate.per) == (count, timedelta(seconds=seconds))
    assert str(rate) == text


@pytest.mark.parametrize("text", ["", "20", "0/s", "-1/s", "20/sek", "1.5/s", "20 / s", "1e3/s"])
def test_what_is_no_rate_is_refused(text):
    with pytest.raises(ValueError, match="is no rate"):
        Rate.parse(text)


def test_of_several_declarations_the_strictest_holds():
    queues.declare_queue("payroll", concurrency=8, rate="10/s")
    queues.declare_queue("payroll", concurrency=4, rate="1200/min")
    assert queues.limits_of("payroll") == Limits.of(4, "10/s")
    assert queues.limited_queues() == ["payroll"]
    assert queues.limits_of("other") == queues.NO_LIMITS


def test_what_the_operator_sets_holds_instead(settings):
    queues.declare_queue("payroll", concurrency=8)
    queues.declare_queue("letters", concurrency=2)
    settings.SAGSGANG_QUEUES = {"payroll": Limits.of(rate="5/s"), "letters": Limits()}
    assert queues.limits_of("payroll") == Limits.of(rate="5/s")
    assert queues.limited_queues() == ["payroll"]


def test_a_concurrency_of_nothing_is_refused():
    with pytest.raises(ValueError, match="at least one"):
        queues.declare_queue("payroll", concurrency=0)


def test_a_job_stands_in_the_queue_of_the_system_that_its_handler_calls(desk, handle):
    handle("deliver", {}, queue="payroll")
    desk.deploy(one_job())
    desk.deploy(one_job("other", "unheard-of"))
    desk.start()
    desk.start("other")
    assert set(Job.objects.values_list("queue", flat=True)) == {"payroll", "unheard-of"}


# --- Concurrency ----------------------------------------------------------------------------------


def test_no_more_are_taken_than_may_run(ten, take, desk):
    first = take(concurrency=3)
    assert len(first.jobs) == 3
    assert take(concurrency=3) == jobs.Share(())
    settle_attempts([Attempt(first.jobs[0], Complete(first.jobs[0].context.wait))], now=desk.now)
    assert len(take(concurrency=3).jobs) == 1


def test_the_place_of_a_dead_worker_is_free_when_its_lease_ends(ten, take, desk):
    assert len(take(concurrency=3).jobs) == 3
    desk.later(seconds=61)
    assert len(take(concurrency=3).jobs) == 3


# --- Rate -----------------------------------------------------------------------------------------


def test_jobs_get_places_one_after_the_other(ten, take, desk):
    first = take(rate="10/s", ahead=0.5)
    places = [(job.not_before - desk.now).total_seconds() for job in first.jobs]
    assert places == pytest.approx([0, 0.105, 0.21, 0.315, 0.42])
    nothing = take(rate="10/s", ahead=0.5)
    assert nothing.jobs == ()
    assert (nothing.next_at - desk.now).total_seconds() == pytest.approx(0.525)
    desk.later(seconds=0.525)
    assert len(take(rate="10/s").jobs) == 1


def test_time_that_was_not_used_is_not_saved_up(ten, take, desk):
    take(1, rate="10/s")
    desk.later(hours=1)
    assert len(take(rate="10/s").jobs) == 1


def test_a_clock_that_is_behind_does_not_speed_the_rate_up(ten, take, desk):
    take(1, rate="10/s")
    desk.clock.advance(timedelta(seconds=-30))
    assert take(rate="10/s", ahead=0.5).jobs == ()


def test_a_job_that_misses_its_place_is_offered_again_and_not_run(ten, take, desk, handle):
    [job] = take(1, rate="10/s").jobs
    late = desk.now + timedelta(seconds=0.2)
    attempt = execute(job, now=late, rng=None)
    assert settle_attempts([attempt], now=late) == {job.key: "retry"}
    again = Job.objects.get(instance_id=job.context.instance_id)
    assert (again.status, again.attempts) == ("ready", 0)


@pytest.mark.parametrize("text", ["1/s", "3/s", "20/s", "1000/s", "7/min", "5000/h"])
def test_what_is_within_a_stretch_of_the_rate_is_never_more_than_its_count(text):
    rate = Rate.parse(text)
    worst = rate.per + rate.patience
    assert worst // rate.interval + 1 <= rate.count


def test_an_empty_queue_uses_no_place(desk, take):
    assert not take(rate="10/s", ahead=0.5).jobs
    assert QueueState.objects.get().free_at is None


# --- The worker -----------------------------------------------------------------------------------


def test_a_worker_for_some_queues_leaves_the_others(desk, handle):
    handle("deliver", {}, queue="payroll")
    handle("write", {})
    desk.deploy(one_job())
    desk.deploy(one_job("letter", "write"))
    desk.start()
    desk.start("letter")
    assert desk.work(queues=["write"]).jobs == {"done": 1}
    assert Job.objects.get().queue == "payroll"
    assert desk.work().jobs == {"done": 1}


def test_work_without_a_handler_is_left_to_others_for_the_grace(desk, handle):
    handle("known", {})
    desk.deploy(one_job())
    desk.deploy(one_job("other", "known"))
    desk.start()
    desk.start("other")
    totals = desk.work(unknown_grace=timedelta(minutes=10))
    assert totals.jobs == {"done": 1, "retry": 1}
    left = Job.objects.get()
    # At once available to others, and no attempt is used up.
    assert (left.task_type, left.attempts) == ("deliver", 0)
    assert left.available_at <= desk.now
    desk.later(minutes=11)
    assert desk.work(unknown_grace=timedelta(minutes=10)).jobs == {"incident": 1}


def test_work_of_a_newer_solution_is_left_to_newer_programs(desk, handle):
    calls = handle("deliver", {})
    handlers.set_handler_resolver(None, lambda _: "1.9.0")
    desk.deploy(one_job(), solution="shop", version="1.10.0")
    desk.start()
    desk.work(unknown_grace=timedelta(minutes=10))
    assert calls == []
    handlers.set_handler_resolver(None, lambda _: "1.10.0")
    assert desk.work().jobs == {"done": 1}


def test_an_incident_says_that_the_program_is_too_old(desk, handle):
    handle("deliver", {})
    handlers.set_handler_resolver(None, lambda _: "1.0.0")
    desk.deploy(one_job(), solution="shop", version="2.0.0")
    desk.start()
    assert desk.work().jobs == {"incident": 1}
    assert "nyere end programmet" in Incident.objects.get().text


# --- What is periodic -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("every", "cron"),
    [
        (timedelta(seconds=30), "* * * * * */30"),
        (timedelta(minutes=5), "*/5 * * * *"),
        (timedelta(hours=6), "0 */6 * * *"),
    ],
)
def test_a_period_is_written_as_cron(every, cron):
    assert periodic.Periodic("x", every, print).cron == cron


@pytest.mark.parametrize("every", [timedelta(seconds=7), timedelta(seconds=0.5), timedelta(days=2)])
def test_a_period_that_divides_nothing_is_refused(every):
    with pytest.raises(ValueError, match="does not divide"):
        periodic.declare_periodic("x", every, print)


def test_a_fault_of_what_is_periodic_ends_nothing(desk):
    def fail(now):
        raise RuntimeError

    periodic.attempt(periodic.Periodic("x", timedelta(seconds=1), fail), desk.now)

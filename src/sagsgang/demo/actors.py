# SPDX-License-Identifier: MPL-2.0
"""The people of the demonstration: managers, caseworkers and employees who decide by simple habits.

They go the same way as people do on the pages, with the same rights and the same checks.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from random import Random
from typing import Any, Final

from sagsgang.cases import clock, tasks
from sagsgang.cases.errors import CaseError
from sagsgang.cases.models import Task
from sagsgang.organisation.models import Employment, RoleAssignment, User

_APPROVED: Final = 0.93
_SENT_BACK: Final = 0.97

_HABITS: Final[dict[str, tuple[tuple[float, str, str], ...]]] = {
    "duplicate": ((0.95, "rejected", "Timesedlen er en gentagelse."),),
    "overlap": (
        (0.45, "rejected", "Timerne er betalt på en anden timeseddel."),
        (0.65, "accepted", "Begge vagter er rigtige. Det er aftalt med lederen."),
        (0.80, "ask", "Hvilken af de to vagter har du arbejdet?"),
    ),
    "long_duty": ((0.75, "accepted", "Arbejdspladsen har en aftale om kortere hvile."),),
    "long_week": ((0.8, "accepted", "Lederen har bekræftet timerne."),),
    "outside_employment": ((0.6, "rejected", "Medarbejderen var ikke ansat på dagen."),),
    "monthly_paid": ((0.9, "rejected", "Månedslønnede får ikke løn efter timeseddel."),),
    "period_closed": ((0.85, "accepted", "Udbetales med næste løn."),),
    "too_old": ((0.5, "accepted", "Timerne er ikke betalt før."),),
    "clock_change": ((0.9, "accepted", "Der er betalt for de timer, der faktisk er gået."),),
    "large_amount": ((0.9, "accepted", "Timer og sats er kontrolleret."),),
}
"""For each reason: up to which share of the tasks what is done. The rest waits for the visitor."""

_TRIED_ONCE: Final = frozenset({"incident", "payroll_refused"})


@dataclass(slots=True)
class Cast:
    """Who acts, and with what chance.

    Attributes:
        seed: The same seed makes the same people decide the same.
        made: How many decisions, by what was done.
    """

    seed: int
    made: dict[str, int] = field(default_factory=dict)
    _users: dict[Any, User] = field(default_factory=dict)
    _retried: set[int] = field(default_factory=set)

    def act(self, progress: Callable[[int, int], None]) -> int:
        """Let everybody decide what waits for them and what habit has an answer to.

        Returns:
            How many decisions were made.
        """
        waiting = list(
            Task.objects.filter(status=Task.Status.OPEN, claimed_by=None)
            .order_by("id")
            .select_related("case")
        )
        made = 0
        for position, task in enumerate(waiting, start=1):
            decided = self._decide(task)
            if decided is not None:
                made += 1
                self.made[decided] = self.made.get(decided, 0) + 1
            progress(position, len(waiting))
        return made

    def _decide(self, task: Task) -> str | None:
        # Decided by the case and the step, not by the order in which workers happen to finish.
        chance = Random(f"{self.seed}/{task.case.item}/{task.element}/{task.wait}").random()  # noqa: S311
        for outcome, comment, variables in self._wishes(task, chance):
            user = self._actor(task)
            if user is None:
                return None
            try:
                tasks.complete(
                    task.pk,
                    outcome=outcome,
                    user=user,
                    now=clock.now(),
                    kind=task.kind,
                    variables=variables,
                    comment=comment,
                )
            except CaseError:
                # Not allowed after all, perhaps because of another reason: left waiting.
                return None
            return outcome
        return None

    def _wishes(self, task: Task, chance: float) -> Iterator[tuple[str, str, dict[str, Any]]]:
        if task.kind == Task.Kind.APPROVER:
            if chance < _APPROVED:
                yield "approved", "", {}
            elif chance < _SENT_BACK:
                yield "rejected", "Vagten passer ikke med det, vi aftalte.", {}
        elif task.kind == Task.Kind.REQUESTER:
            if chance < 0.5:
                yield "withdrawn", "", {}
        elif task.reason in _TRIED_ONCE:
            # What fails again is for somebody who looks into it.
            if task.case_id not in self._retried:
                self._retried.add(task.case_id)
                yield "retry", "", {}
        else:
            for share, outcome, comment in _HABITS.get(task.reason, ()):
                if chance < share:
                    yield outcome, comment, {}
                    return

    def _actor(self, task: Task) -> User | None:
        if task.kind == Task.Kind.CASEWORKER:
            return self._remembered("caseworker", self._caseworker)
        return self._remembered(task.person_id, lambda: self._user_of(task.person_id))

    def _remembered(self, key: Any, find: Callable[[], User | None]) -> User | None:
        if key not in self._users:
            found = find()
            if found is None:
                return None
            self._users[key] = found
        return self._users[key]

    @staticmethod
    def _caseworker() -> User | None:
        return User.objects.filter(
            demo=True, roles__role=RoleAssignment.Role.CASEWORKER, is_active=True
        ).first()

    @staticmethod
    def _user_of(person: Any) -> User | None:
        """The user of a person of the invented municipality; made on first use."""
        known = User.objects.filter(person=person).first()
        if known is not None or person is None:
            return known
        employment = Employment.objects.filter(person=person).order_by("number").first()
        if employment is None:
            return None
        return User.objects.create_user(f"demo-{employment.number}", person_id=person)

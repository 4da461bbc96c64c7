# SPDX-License-Identifier: MPL-2.0
"""Operating the running flows, with the right to do it: what the desk, the API and the command use.

An operator (driftsansvarlig) acts on instances; a process owner (procesejer) looks. Where the role
is limited to a unit, it reaches the instances of that unit's cases and those alone: a condition in
the query, as everywhere. Processes, task types and what has no case belong to those whose role
holds everywhere. Caseworkers see none of it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Literal, TypeVar

from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils import timezone

from sagsgang.audit import trail
from sagsgang.cases.errors import CaseError, InvalidError, NotAllowedError, UnknownError
from sagsgang.cases.models import Case
from sagsgang.cases.visibility import Grants, grants_of
from sagsgang.engine import bulk, inspection, operations, overview, selection, sending
from sagsgang.engine.acts import Act, cleaned, told
from sagsgang.engine.errors import EngineError, NotFoundError
from sagsgang.engine.inspection import InstanceView
from sagsgang.engine.models import BulkRun, ProcessInstance
from sagsgang.engine.operations import Result
from sagsgang.engine.overview import Overview
from sagsgang.engine.selection import Filter
from sagsgang.engine.sending import MessageItem, SignalItem
from sagsgang.engine.services import InstanceRef
from sagsgang.organisation.models import RoleAssignment, User

__all__ = ["WATCHES", "GovernedAct", "Operator", "everyone", "operator_of"]

OPERATES = RoleAssignment.Role.OPERATOR
WATCHES = (RoleAssignment.Role.OPERATOR, RoleAssignment.Role.PROCESS_OWNER)

Returned = TypeVar("Returned")
Sent = TypeVar("Sent", MessageItem, SignalItem)

_SENT_AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class Operator:
    """Somebody who looks at running flows, and perhaps acts on them.

    Attributes:
        name: User name, or the name of a part of the system such as ``system:cli``.
        sees: The condition on the units of the cases whose instances are seen; an empty one is
            everything.
        acts: The same for those that may be acted on; None is nothing.
    """

    name: str
    sees: Q
    acts: Q | None

    @property
    def sees_everything(self) -> bool:
        """Whether the view is not limited to units."""
        return not self.sees

    @property
    def may_act(self) -> bool:
        """Whether there is anything that may be acted on."""
        return self.acts is not None

    @property
    def governs(self) -> bool:
        """Whether processes and task types may be acted on, not instances alone."""
        return self.acts is not None and not self.acts

    def visible(self) -> QuerySet[ProcessInstance]:
        """The instances that may be seen."""
        return _of_units(self.sees)

    def within(self) -> QuerySet[ProcessInstance] | None:
        """The same for functions that take None for everything."""
        return None if self.sees_everything else self.visible()

    def _mine(self, ids: Sequence[int]) -> frozenset[int]:
        """Those of the ids that may be acted on."""
        if self.acts is None:
            raise NotAllowedError("Du kan se driften, men ikke gribe ind.")
        if not self.acts:
            return frozenset(ids)
        found: set[int] = set()
        for start in range(0, len(ids), 1_000):
            rows = _of_units(self.acts).filter(pk__in=ids[start : start + 1_000])
            found.update(rows.values_list("pk", flat=True))
        return frozenset(found)

    # --- Looking -------------------------------------------------------------------------------

    def overview(self, now: datetime) -> Overview:
        """How the running instances stand."""
        return overview.look(now, self.within())

    def find(
        self, chosen: Filter, *, after: int | None = None, limit: int = 50
    ) -> list[ProcessInstance]:
        """A page of the instances of a filter, the newest first."""
        return selection.find(chosen, after=after, limit=limit, within=self.within())

    def count(self, chosen: Filter, *, most: int = 1_000) -> int:
        """How many there are, counted up to a bound."""
        return selection.bounded_count(chosen, most=most, within=self.within())

    def ids(self, chosen: Filter) -> list[int]:
        """The ids of a filter, the oldest first, as many as one bulk run may have."""
        return selection.chosen_ids(chosen, limit=bulk.MOST + 1, within=self.within())

    def inspect(self, instance_id: int, *, now: datetime, log: bool = True) -> InstanceView:
        """One instance; the look is recorded where it has a case.

        Raises:
            UnknownError: There is none, or it may not be seen.
        """
        if not self.visible().filter(pk=instance_id).exists():
            raise UnknownError(_UNKNOWN)
        found = inspection.inspect(instance_id)
        if log:
            self._record("view", found, now, "Drift")
        return found

    def reveal(self, instance_id: int, *, purpose: str, now: datetime) -> InstanceView:
        """One instance, whose variables are going to be shown; the purpose is recorded.

        Raises:
            UnknownError: There is none, or it may not be acted on.
            NotAllowedError: The asker only looks.
            InvalidError: There is no purpose.
        """
        if not purpose.strip():
            raise InvalidError({"purpose": ["Skriv, hvorfor du skal se værdierne."]})
        if instance_id not in self._mine([instance_id]):
            raise UnknownError(_UNKNOWN)
        found = self.inspect(instance_id, now=now, log=False)
        self._record("reveal", found, now, purpose)
        return found

    def _record(
        self, kind: Literal["view", "reveal"], found: InstanceView, now: datetime, purpose: str
    ) -> None:
        trail.record_access(
            kind,
            actor=self.name,
            at=now,
            purpose=purpose,
            subject_type="process_instance",
            subject_id=found.row.pk,
            case_number=found.row.business_key[:64],
        )

    # --- Acting --------------------------------------------------------------------------------

    def perform(
        self,
        act: Act,
        ids: Sequence[int],
        *,
        now: datetime,
        reason: str = "",
        dry_run: bool = False,
    ) -> list[Result]:
        """Do one thing to some instances at once; see ``operations.perform``.

        Raises:
            NotAllowedError: The asker only looks.
            InvalidError: A reason is needed.
        """
        mine = self._mine(ids)
        allowed = [each for each in dict.fromkeys(ids) if each in mine]
        done = _in_words(
            lambda: operations.perform(
                act, allowed, now=now, actor=self.name, reason=reason, dry_run=dry_run
            )
        )
        by_id = {each.instance_id: each for each in done}
        return [
            by_id.get(each) or Result(each, code=NotFoundError.code, fault=_UNKNOWN)
            for each in dict.fromkeys(ids)
        ]

    def start_run(
        self, act: Act, ids: Sequence[int], *, now: datetime, reason: str = ""
    ) -> BulkRun:
        """Store a bulk run over those of the instances that may be acted on.

        Raises:
            NotAllowedError: The asker only looks.
            InvalidError: No reason, no instance, or too many.
        """
        mine = self._mine(ids)
        allowed = [each for each in ids if each in mine]
        return _in_words(
            lambda: bulk.start_run(act, allowed, now=now, actor=self.name, reason=reason)
        )

    def run(self, run_id: int) -> BulkRun:
        """A bulk run: one's own, or anybody's for those who govern.

        Raises:
            UnknownError: There is none, or it is another's.
        """
        runs = BulkRun.objects.all()
        if not self.sees_everything:
            runs = runs.filter(started_by=self.name)
        found = runs.filter(pk=run_id).first()
        if found is None:
            raise UnknownError("Der er ingen kørsel med det nummer.")
        return found

    def runs(self, *, limit: int = 10) -> list[BulkRun]:
        """The latest bulk runs."""
        runs = BulkRun.objects.all()
        if not self.sees_everything:
            runs = runs.filter(started_by=self.name)
        return list(runs.order_by("-pk")[:limit])

    def advance(self, run_id: int, *, now: datetime) -> BulkRun:
        """Carry out the next portion of a run.

        Raises:
            NotAllowedError: The asker only looks.
            UnknownError: There is no such run.
        """
        self._mine(())
        self.run(run_id)
        return _in_words(lambda: bulk.advance(run_id, now=now))

    def stop(self, run_id: int, *, now: datetime) -> BulkRun:
        """Stop a run.

        Raises:
            NotAllowedError: The asker only looks.
            UnknownError: There is no such run.
        """
        self._mine(())
        self.run(run_id)
        return _in_words(lambda: bulk.stop_run(run_id, now=now, actor=self.name))

    def again(self, run_id: int, *, now: datetime) -> BulkRun:
        """A new run over what a run refused.

        Raises:
            NotAllowedError: The asker only looks.
            UnknownError: There is no such run.
            InvalidError: Nothing is left.
        """
        self._mine(())
        self.run(run_id)
        return _in_words(lambda: bulk.again(run_id, now=now, actor=self.name))

    def send_messages(
        self, items: Sequence[MessageItem], *, now: datetime, dry_run: bool = False
    ) -> list[InstanceRef | EngineError | None]:
        """Send messages as if they came from outside; see ``engine.correlate_many``.

        Args:
            items: The messages; their ids are unique among those of this operator.
            now: The instant of the call.
            dry_run: Only say who would get them.

        Raises:
            NotAllowedError: The role does not hold everywhere.
        """
        return self._send(
            "operation.message-sent",
            [replace(each, message_id=f"{self.name}:{each.message_id}") for each in items],
            lambda some: sending.correlate_many(some, now=now, actor=self.name),
            now=now,
            dry_run=dry_run,
        )

    def send_signals(
        self, items: Sequence[SignalItem], *, now: datetime, dry_run: bool = False
    ) -> list[EngineError | None]:
        """Send signals as if they came from outside; see ``engine.broadcast_many``.

        Arguments and errors as those of ``send_messages``.
        """
        return self._send(
            "operation.signal-sent",
            [replace(each, signal_id=f"{self.name}:{each.signal_id}") for each in items],
            lambda some: sending.broadcast_many(some, now=now, actor=self.name),
            now=now,
            dry_run=dry_run,
        )

    def _send(
        self,
        action: str,
        items: Sequence[Sent],
        send: Callable[[Sequence[Sent]], Sequence[Returned]],
        *,
        now: datetime,
        dry_run: bool,
    ) -> list[Returned]:
        """Send, a portion a transaction, each with its trace."""
        if not self.governs:
            message = "Kun en driftsansvarlig for det hele kan sende beskeder og signaler."
            raise NotAllowedError(message)
        found: list[Returned] = []
        for start in range(0, len(items), _SENT_AT_ONCE):
            some = items[start : start + _SENT_AT_ONCE]
            with transaction.atomic():
                results = send(some)
                trail.record_many(
                    trail.Event(
                        action=action,
                        actor=self.name,
                        at=now,
                        subject_type="message",
                        subject_id=item.name,
                        data={"instance": str(result.id)}
                        if isinstance(result, InstanceRef)
                        else {},
                    )
                    for item, result in zip(some, results, strict=True)
                    if not isinstance(result, EngineError)
                )
                if dry_run:
                    transaction.set_rollback(True)
            found += results
        return found

    def govern(self, act: GovernedAct, key: str, *, now: datetime, reason: str = "") -> None:
        """Suspend or resume a process, pause or resume a task type.

        Args:
            act: Which of them.
            key: The process, or ``process:version``, or the task type.
            now: The instant of the call.
            reason: Why; needed to stop, not to go on.

        Raises:
            NotAllowedError: The role does not hold everywhere.
            InvalidError: A reason is needed.
            UnknownError: There is no such process.
        """
        if not self.governs:
            raise NotAllowedError("Kun en driftsansvarlig for det hele kan stoppe det for alle.")
        why = cleaned(reason)
        if act in {"suspend-definition", "pause-task-type"} and not why:
            raise InvalidError({"reason": ["Skriv en begrundelse; den står i sporet."]})
        if not key.strip():
            raise InvalidError({"key": ["Sig, hvad det gælder."]})
        known: dict[str, Any] = {"now": now, "actor": self.name, "reason": why}
        if act in {"suspend-definition", "resume-definition"}:
            process, _, version = key.partition(":")
            known["version"] = int(version) if version.isdecimal() else None
            key = process
        try:
            _in_words(lambda: _GOVERNED[act](key, **known))
        except UnknownError:
            version = f" i version {known['version']}" if known.get("version") else ""
            raise UnknownError(f"Der er ingen proces {key[:100]}{version}.") from None


GovernedAct = Literal[
    "suspend-definition", "resume-definition", "pause-task-type", "resume-task-type"
]
_GOVERNED: Mapping[str, Callable[..., None]] = {
    "suspend-definition": operations.suspend_definition,
    "resume-definition": operations.resume_definition,
    "pause-task-type": operations.pause_task_type,
    "resume-task-type": operations.resume_task_type,
}
_UNKNOWN = "Der er ingen instans med det nummer."


def _of_units(units: Q) -> QuerySet[ProcessInstance]:
    rows = ProcessInstance.objects.all()
    if not units:
        return rows
    # Called processes have the business key of their caller: the number of the case.
    return rows.filter(Exists(Case.objects.filter(units, number=OuterRef("business_key"))))


def _in_words(act: Callable[[], Returned]) -> Returned:
    """Do it; what the engine refuses becomes a fault of the case layer, in Danish."""
    try:
        return act()
    except NotFoundError as error:
        raise UnknownError(told(error)) from error
    except EngineError as error:
        raise InvalidError({"": [told(error)]}) from error


def operator_of(user: User, now: datetime, grants: Grants | None = None) -> Operator:
    """A user as an operator.

    Raises:
        NotAllowedError: The user has neither role.
    """
    granted = grants or grants_of(user, timezone.localdate(now))
    acts = granted.units(OPERATES, "unit__")
    conditions = [granted.units(role, "unit__") for role in WATCHES]
    seen = [each for each in conditions if each is not None]
    if not seen:
        raise NotAllowedError("Du har ikke adgang til driften.")
    sees = Q()
    if all(seen):
        for each in seen:
            sees |= each
    return Operator(user.username, sees, acts)


def everyone(name: str) -> Operator:
    """The operator of the installation itself, for the command line and other parts of the system.

    Raises:
        CaseError: The name is that of a user: then the user's rights count.
    """
    if not name.startswith("system:"):
        raise CaseError("Sig, hvem der beder om det: --as BRUGER.")
    return Operator(name, Q(), Q())

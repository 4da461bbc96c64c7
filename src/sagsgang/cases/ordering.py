# SPDX-License-Identifier: MPL-2.0
"""Orders come in: one from a form, or thousands from a file. Both go the same way.

A solution's handlers offer two functions for this:

``prepare(orders, preparation) -> list[Prepared | Refused]``
    Looks up, for a whole batch with a few queries, what every order is about, and refuses what
    cannot become a case. Runs inside the transaction that makes the cases.
``read(file_name, content) -> Intake``
    Turns a file into orders and faults by row; only for solutions that take files.
"""

from __future__ import annotations

import csv
import gc
import hashlib
import io
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils import timezone

from sagsgang import engine
from sagsgang.audit import trail
from sagsgang.cases import following, forms, lines, numbers, work
from sagsgang.cases.errors import InvalidError, NotAllowedError
from sagsgang.cases.models import Case, JournalEntry, RegisterEntry, SolutionRelease, Submission
from sagsgang.cases.releases import active_release
from sagsgang.cases.solution import Solution, get
from sagsgang.cases.visibility import may_order
from sagsgang.engine.acts import told
from sagsgang.organisation.bulk import insert_rows
from sagsgang.organisation.models import User

LONGEST_ITEM = 128
"""Characters of what a sender calls an order."""

BATCH = 500
"""Orders made in one transaction: enough to be fast, few enough to let others in between."""


@dataclass(frozen=True, slots=True)
class Order:
    """One order as sent in.

    Attributes:
        item: What the sender calls it (row, time sheet number); unique in its submission.
        data: The fields of the order, JSON-able, without CPR numbers.
        corrects: Number of the case that it corrects, or empty.
    """

    item: str
    data: Mapping[str, Any]
    corrects: str = ""


@dataclass(frozen=True, slots=True)
class Prepared:
    """An order that can become a case.

    Attributes:
        variables: What the flow starts with.
        person: Id of the person the case is about.
        employment: Id of the employment the case is about.
        unit: Id of the unit that the case belongs to.
        corrects: Id of the case that it corrects.
        register: Facts to enter in the register; ``case`` is filled in.
        prefetched: Handed to the handlers of this case (``work.prefetched``).
    """

    variables: Mapping[str, Any]
    person: Any = None
    employment: int | None = None
    unit: int | None = None
    corrects: int | None = None
    register: Sequence[RegisterEntry] = ()
    prefetched: Any = None


@dataclass(frozen=True, slots=True)
class Refused:
    """An order that cannot become a case, and why, by field."""

    faults: Mapping[str, Sequence[str]]


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong in a file.

    Attributes:
        row: 1 is the first line of the file; 0 is the file as a whole.
        field: Name of the field, empty where it is about the whole row.
        message: One Danish sentence: what is wrong and what to do.
        item: The order that is refused for it, if it is known.
    """

    row: int
    field: str
    message: str
    item: str = ""


@dataclass(frozen=True, slots=True)
class Intake:
    """What a file held: good orders with the rows they came from, and faults."""

    orders: Sequence[Order]
    rows: Mapping[str, Sequence[int]]
    faults: Sequence[Fault]
    received: int


@dataclass(frozen=True, slots=True)
class Preparation:
    """What ``prepare`` may know.

    Attributes:
        now: The instant, aware.
        user: User name of the sender; :func:`is_platform` tells the platform itself.
        solution: The solution.
        origin: ``form``, ``file`` or what the platform calls its own orders.
        numbers: The case number that each order gets, if it becomes a case.
    """

    now: datetime
    user: str
    solution: Solution
    origin: str
    numbers: Sequence[str]


@dataclass(slots=True)
class Report:
    """What became of a submission, row by row.

    Attributes:
        received: Orders in the submission, good or bad.
        cases: Item to case number.
        faults: What was refused, and why.
        rows: Item to its rows in the file.
    """

    received: int = 0
    cases: dict[str, str] = field(default_factory=dict)
    faults: list[Fault] = field(default_factory=list)
    rows: Mapping[str, Sequence[int]] = field(default_factory=dict)

    @property
    def accepted(self) -> int:
        """Orders that became cases."""
        return len(self.cases)

    @property
    def refused(self) -> int:
        """Orders that did not."""
        return self.received - self.accepted


def place(solution: str, data: Mapping[str, Any], *, user: str, now: datetime, key: str) -> Case:
    """Place one order, all or nothing.

    Args:
        solution: Id of the solution.
        data: The fields of the order. A field ``corrects`` is the number of the case that the order
            corrects; it is kept with the case and not in its data.
        user: User name of the sender.
        now: The instant, aware.
        key: Makes the sending safe to repeat: the same key gives the case made the first time.

    Returns:
        The case.

    Raises:
        NotAllowedError: The sender may not order this.
        InvalidError: The order has faults, by field.
    """
    chosen = get(solution)
    _must_be_allowed(chosen, user, now)
    fields = dict(data)
    order = Order("1", fields, str(fields.pop("corrects", None) or ""))
    with transaction.atomic():
        report = _submit(
            chosen,
            Intake([order], {}, (), 1),
            user=user,
            now=now,
            key=key,
            origin="form",
            file_name="",
            all_or_nothing=True,
        )
        if report.faults:
            faults: dict[str, list[str]] = {}
            for fault in report.faults:
                faults.setdefault(fault.field, []).append(fault.message)
            # Leaving the block by an exception undoes the submission as well.
            raise InvalidError(faults)
    return Case.objects.get(number=report.cases["1"])


def place_many(
    solution: str, orders: Sequence[Order], *, user: str, now: datetime, key: str, origin: str
) -> Report:
    """Place orders that the platform itself makes, such as recalculations.

    Args:
        solution: Id of the solution.
        orders: The orders; items unique.
        user: In whose name.
        now: The instant, aware.
        key: Makes it safe to repeat: an order with a case is not placed again.
        origin: Why they come; kept on the cases.
    """
    return _submit(
        get(solution),
        Intake(orders, {}, (), len(orders)),
        user=user,
        now=now,
        key=key,
        origin=origin,
        file_name="",
    )


def place_all(
    solution: str,
    orders: Sequence[Order],
    *,
    user: str,
    now: datetime,
    key: str,
    dry_run: bool = False,
) -> Report:
    """Place the orders that another program sends together: the good ones; refuse the rest.

    Args:
        solution: Id of the solution.
        orders: The orders, their data as of its form; items unique.
        user: User name of the sender.
        now: The instant, aware.
        key: Makes the sending safe to repeat: an order that has a case is not placed again.
        dry_run: Only say what would happen; nothing is kept.

    Raises:
        NotAllowedError: The sender may not order this.
    """
    chosen = get(solution)
    sender = _must_be_allowed(chosen, user, now)
    intake = _checked(chosen, Intake(orders, {}, (), len(orders)), sender, now)
    if dry_run:
        return _try(chosen, intake, user=user, now=now)
    return _submit(chosen, intake, user=user, now=now, key=key, origin="file", file_name="")


def _checked(solution: Solution, intake: Intake, sender: User | None, now: datetime) -> Intake:
    """Orders by the rules of their form; those that break them become faults."""
    check = forms.order_check(solution, sender, now)
    good: list[Order] = []
    faults = list(intake.faults)
    for order in intake.orders:
        try:
            good.append(replace(order, data=check(order.data)))
        except InvalidError as error:
            faults += _faults(order, Refused(error.fields), intake.rows)
    return replace(intake, orders=good, faults=faults)


def place_file(
    solution: str,
    file_name: str,
    content: bytes,
    *,
    user: str,
    now: datetime,
    dry_run: bool = False,
    progress: Callable[[int, int], None] = lambda _done, _total: None,
) -> tuple[Report, Submission | None]:
    """Place every good order of a file; refuse the rest with a message by row.

    A solution reads its files itself; one that does not takes JSON Lines, see ``cases.lines``.
    The same file sent again by the same user gives the report of the first time and makes nothing.

    Args:
        solution: Id of the solution.
        file_name: Its ending says the format.
        content: The file.
        user: User name of the sender.
        now: The instant, aware.
        dry_run: Only say what would happen; nothing is kept.
        progress: Called with orders done and orders in all.

    Raises:
        NotAllowedError: The sender may not order this, or the solution takes no files.
    """
    chosen = get(solution)
    sender = _must_be_allowed(chosen, user, now)
    read = getattr(chosen.handlers, "read", None)
    if read is None and not file_name.lower().endswith(lines.ENDING):
        message = (
            f"{chosen.title} kan ikke sendes ind som fil, kun som JSON-linjer ({lines.ENDING})."
        )
        raise NotAllowedError(message)
    key = f"{user}:{hashlib.sha256(content).hexdigest()}"
    earlier = Submission.objects.filter(key=_key(solution, key)).first()
    # A submission that was cut short has no count yet: it goes on.
    if earlier is not None and earlier.received:
        return report_of(earlier), earlier
    intake: Intake = (
        read(file_name, content)
        if read is not None
        else _checked(chosen, _orders_of(content), sender, now)
    )
    if dry_run:
        return _try(chosen, intake, user=user, now=now), None
    report = _submit(
        chosen,
        intake,
        user=user,
        now=now,
        key=key,
        origin="file",
        file_name=file_name,
        progress=progress,
    )
    return report, Submission.objects.get(key=_key(solution, key))


def is_platform(username: str) -> bool:
    """Whether the platform itself acts: ``system`` or ``system:part``.

    No person's user name can hold a colon, and ``system`` is nobody's to take.
    """
    return username == "system" or username.startswith("system:")


def _orders_of(content: bytes) -> Intake:
    """The orders of a file of JSON Lines."""
    orders: list[Order] = []
    rows: dict[str, list[int]] = {}
    faults: list[Fault] = []
    found = lines.read(content, {"item": str, "data": dict, "corrects": str}, needed=("data",))
    for line in found:
        item = line.fields.get("item") or str(line.number)
        if line.fault:
            faults.append(Fault(line.number, "", line.fault))
        elif len(item) > LONGEST_ITEM:
            faults.append(Fault(line.number, "item", f"Skriv højst {LONGEST_ITEM} tegn."))
        elif item in rows:
            message = f"Række {rows[item][0]} hedder det samme. Giv hver bestilling sit eget item."
            faults.append(Fault(line.number, "item", message))
        else:
            rows[item] = [line.number]
            orders.append(Order(item, line.fields["data"], line.fields.get("corrects", "")))
    return Intake(orders, rows, faults, len(orders) + len(faults))


def _must_be_allowed(solution: Solution, username: str, now: datetime) -> User | None:
    """Whoever sends in has one of the roles in ``may_submit``; the platform itself needs none.

    Returns:
        The sender; None is the platform itself.
    """
    if is_platform(username):
        return None
    user = User.objects.filter(username=username).first()
    if user is None or not may_order(user, solution, timezone.localdate(now)):
        message = f"Du kan ikke bestille {solution.title}."
        raise NotAllowedError(message)
    return user


def _key(solution: str, key: str) -> str:
    return hashlib.sha256(f"{solution}:{key}".encode()).hexdigest()


def report_of(submission: Submission) -> Report:
    """What became of a submission, as it was reported when it came in."""
    made = dict(Case.objects.filter(submission=submission).values_list("item", "number"))
    return Report(
        received=submission.received,
        cases=made,
        faults=[Fault(**fault) for fault in submission.report],
    )


@contextmanager
def _rare_collections() -> Iterator[None]:
    """Let Python look for cyclic garbage rarely meanwhile.

    A batch makes hundreds of thousands of objects and hardly a cycle; looking through them again
    and again takes a fifth of the time (``benchmarks/timesheets.py``).
    """
    usual = gc.get_threshold()
    gc.set_threshold(100_000, 50, 100)
    try:
        yield
    finally:
        gc.set_threshold(*usual)


def _submit(
    solution: Solution,
    intake: Intake,
    *,
    user: str,
    now: datetime,
    key: str,
    origin: str,
    file_name: str,
    progress: Callable[[int, int], None] = lambda _done, _total: None,
    all_or_nothing: bool = False,
) -> Report:
    release = active_release(solution.id)
    submission, made = Submission.objects.get_or_create(
        key=_key(solution.id, key),
        defaults={
            "solution": solution.id,
            "origin": origin,
            "file_name": file_name[:255],
            "submitted_by": user,
            "submitted_at": now,
        },
    )
    report = Report(received=intake.received, faults=list(intake.faults), rows=intake.rows)
    # A submission that was cut short goes on where it stopped: what has a case is left alone.
    done = (
        {}
        if made
        else dict(Case.objects.filter(submission=submission).values_list("item", "number"))
    )
    report.cases.update(done)
    remaining = [order for order in intake.orders if order.item not in done]
    with _rare_collections():
        for position in range(0, len(remaining), BATCH):
            batch = remaining[position : position + BATCH]
            while batch:
                try:
                    _place_batch(solution, release, submission, batch, report, user=user, now=now)
                    break
                except _NotStartedError as refused:
                    if all_or_nothing:
                        raise refused.error from refused
                    # The batch is undone: it is placed again without the one that cannot start.
                    report.faults += _faults(
                        refused.order, Refused({"": [told(refused.error)]}), intake.rows
                    )
                    batch = [order for order in batch if order != refused.order]
            placed = len(done) + min(position + BATCH, len(remaining))
            progress(placed, len(intake.orders))
    Submission.objects.filter(pk=submission.pk).update(
        received=report.received,
        accepted=report.accepted,
        refused=report.refused,
        report=[
            {"row": fault.row, "field": fault.field, "message": fault.message, "item": fault.item}
            for fault in report.faults
        ],
    )
    trail.record(
        "submission.received",
        actor=user,
        at=now,
        subject_type="submission",
        subject_id=submission.pk,
        data={"solution": solution.id, "received": report.received, "accepted": report.accepted},
    )
    return report


def _prepare(
    solution: Solution, orders: Sequence[Order], preparation: Preparation
) -> list[Prepared | Refused]:
    prepare = getattr(solution.handlers, "prepare", None)
    if prepare is None:
        return [Prepared(variables=order.data) for order in orders]
    return list(prepare(orders, preparation))


def _faults(order: Order, refused: Refused, rows: Mapping[str, Sequence[int]]) -> Iterable[Fault]:
    row = next(iter(rows.get(order.item, ())), 0)
    for name, messages in refused.faults.items():
        for message in messages:
            yield Fault(row, name, message, order.item)


def _try(solution: Solution, intake: Intake, *, user: str, now: datetime) -> Report:
    report = Report(received=intake.received, faults=list(intake.faults), rows=intake.rows)
    with transaction.atomic():
        for position in range(0, len(intake.orders), BATCH):
            batch = intake.orders[position : position + BATCH]
            preparation = Preparation(now, user, solution, "file", [order.item for order in batch])
            for order, answer in zip(batch, _prepare(solution, batch, preparation), strict=True):
                if isinstance(answer, Refused):
                    report.faults += _faults(order, answer, intake.rows)
                else:
                    report.cases[order.item] = ""
        transaction.set_rollback(True)
    return report


class _NotStartedError(Exception):
    """The flow of an order cannot start, so that its whole batch must be undone."""

    def __init__(self, order: Order, error: engine.EngineError) -> None:
        self.order = order
        self.error = error
        super().__init__(str(error))


def _place_batch(
    solution: Solution,
    release: SolutionRelease,
    submission: Submission,
    orders: Sequence[Order],
    report: Report,
    *,
    user: str,
    now: datetime,
) -> None:
    given: Sequence[str] = numbers.allocate(len(orders), now=now)
    with transaction.atomic():
        orders, given = _not_yet_placed(submission, orders, given, report)
        if not orders:
            return
        answers = _prepare(
            solution, orders, Preparation(now, user, solution, submission.origin, given)
        )
        cases: list[Case] = []
        prepared: list[Prepared] = []
        accepted: list[Order] = []
        faults: list[Fault] = []
        for order, answer, number in zip(orders, answers, given, strict=True):
            if isinstance(answer, Refused):
                faults += _faults(order, answer, report.rows)
                continue
            accepted.append(order)
            prepared.append(answer)
            cases.append(
                Case(
                    number=number,
                    solution=solution.id,
                    release=release,
                    submission=submission,
                    item=order.item,
                    title=solution.title,
                    process_instance=engine.new_instance_id(now),
                    subject_id=answer.person,
                    employment_id=answer.employment,
                    unit_id=answer.unit,
                    requester=user,
                    origin=submission.origin,
                    data=order.data,
                    corrects_id=answer.corrects,
                    created_at=now,
                    updated_at=now,
                )
            )
        if not cases:
            report.faults += faults
            return
        Case.objects.bulk_create(cases)
        register: list[RegisterEntry] = []
        for case, answer in zip(cases, prepared, strict=True):
            for entry in answer.register:
                entry.case = case
                entry.solution = solution.id
                register.append(entry)
        insert_rows(register)
        insert_rows(
            [
                JournalEntry(
                    case=case, at=now, actor=user, kind="received", text="Sagen er modtaget."
                )
                for case in cases
            ]
        )
        looked_up = {
            case.number: answer.prefetched for case, answer in zip(cases, prepared, strict=True)
        }
        with work.prefetching(looked_up), following.known(cases):
            outcomes = engine.start_many(
                [
                    engine.StartItem(
                        process=solution.description.process,
                        definition_version=release.definition_version,
                        variables=answer.variables,
                        business_key=case.number,
                        instance_id=case.process_instance,
                    )
                    for case, answer in zip(cases, prepared, strict=True)
                ],
                now=now,
                actor=user,
            )
        for order, outcome in zip(accepted, outcomes, strict=True):
            if isinstance(outcome, engine.EngineError):
                raise _NotStartedError(order, outcome)
        report.faults += faults
        report.cases.update({case.item: case.number for case in cases})
        Submission.objects.filter(pk=submission.pk).update(accepted=len(report.cases))


def _not_yet_placed(
    submission: Submission, orders: Sequence[Order], given: Sequence[str], report: Report
) -> tuple[Sequence[Order], Sequence[str]]:
    """The orders of a batch that nobody else has placed meanwhile, with their case numbers.

    Two who send the same thing at once take turns by the row of the submission; its count tells
    whether the other has placed anything.
    """
    placed = Submission.objects.select_for_update().values_list("accepted", flat=True)
    if placed.get(pk=submission.pk) != len(report.cases):
        report.cases.update(
            Case.objects.filter(submission=submission).values_list("item", "number").iterator()
        )
    left = [order for order in orders if order.item not in report.cases]
    return left, given[: len(left)]


def report_csv(report: Report) -> bytes:
    """The report of a file as a spreadsheet that Excel opens: what became of each row.

    Returns:
        CSV in UTF-8 with BOM and semicolons, as a Danish Excel expects. A text that a spreadsheet
        would take for a formula is made harmless.
    """
    out = io.StringIO()
    writer = csv.writer(out, delimiter=";", lineterminator="\r\n")
    writer.writerow(["Række", "Bestilling", "Felt", "Resultat", "Sag"])
    lines: list[tuple[int, str, str, str, str]] = [
        (fault.row, fault.item, fault.field, fault.message, "") for fault in report.faults
    ]
    for item, number in report.cases.items():
        lines += [(row, item, "", "Modtaget", number) for row in report.rows.get(item, (0,))]
    for row, *texts in sorted(lines):
        writer.writerow([row or "", *map(_harmless, texts)])
    return "\ufeff".encode() + out.getvalue().encode()


def _harmless(text: str) -> str:
    """A cell that a spreadsheet shows and never runs (CSV injection)."""
    return f"'{text}" if text[:1] in {"=", "+", "-", "@", "\t", "\r"} else text

# SPDX-License-Identifier: MPL-2.0
"""The functions that the time-sheet flow calls, in the order of the flow (K2).

``prepare`` and ``read`` take orders in; ``collect``, ``calculate``, ``remind`` and ``settle`` are
computations inside the step; ``deliver`` and ``receipt`` talk to payroll.

Nothing is paid twice. The key of a delivery is made of the case and a running number that rises
only when payroll's receipt has been recorded, and what is sent is always the difference between
what is calculated and what payroll has accepted so far. So a repeated attempt, a correction, a
rejected line and a rate that changes backwards are all the same thing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, timedelta
from decimal import Decimal
from typing import Any, Final

from django.conf import settings
from django.db.models import Exists, OuterRef, Q
from django.utils import timezone

from sagsgang.bpmn import BpmnError
from sagsgang.cases import systems
from sagsgang.cases.models import Case, RegisterEntry
from sagsgang.cases.notices import remind_approver
from sagsgang.cases.ordering import Intake, Order, Preparation, Prepared, Refused, is_platform
from sagsgang.cases.register import switch_off
from sagsgang.cases.work import Work, computation, errand
from sagsgang.connectors.errors import Rejected
from sagsgang.connectors.payroll import Delivery, ReceiptState, WageLine
from sagsgang.engine import JobError, TryAgain
from sagsgang.organisation.models import Employment, User
from sagsgang.solutions.timesheets import intake
from sagsgang.solutions.timesheets.facts import (
    SHIFT,
    Asked,
    Sheet,
    for_calculation,
    gather,
    terms_of,
)
from sagsgang.solutions.timesheets.given import given  # noqa: F401 - for the scenarios
from sagsgang.solutions.timesheets.parameters import rulebook
from sagsgang.solutions.timesheets.pay import PayLine, ReasonCode
from sagsgang.solutions.timesheets.pay import calculate as calculate_pay
from sagsgang.solutions.timesheets.pay.difference import difference

PAID: Final = "paid"
"""Register: what payroll has accepted for a case so far; ``data["lines"]`` are its pay lines."""
DELIVERY: Final = "payroll_delivery"
"""Register: a delivery that payroll has answered: lines and kroner booked, by delivery key."""

_FIRST_LOOK = timedelta(seconds=2)
_LATER_LOOKS = timedelta(minutes=15)
_PATIENCE = timedelta(days=3)

_TO_REVIEW = frozenset({ReasonCode.CLOCK_CHANGE})
"""What a person may accept as it is; for every other reason something cannot be calculated."""


# --- Orders come in ---------------------------------------------------------------------------


def read(file_name: str, content: bytes) -> Intake:
    """Turn a file into orders, one for each time sheet, and faults by row."""
    return intake.read(file_name, content)


def prepare(orders: Sequence[Order], preparation: Preparation) -> list[Prepared | Refused]:
    """Find whom each sheet is about; refuse what no person could make a case of.

    An unknown employment is refused and not a case, because there is nobody to pay and no manager
    to ask: whoever sent it can correct it at once. Everything else becomes a case.
    """
    sheets: dict[int, Sheet] = {}
    answers: dict[int, Refused] = {}
    for position, order in enumerate(orders):
        data, faults = intake.normalise(order.data)
        if faults:
            answers[position] = Refused(faults)
        else:
            sheets[position] = Sheet.model_validate(data)
    numbers = {sheet.employment for sheet in sheets.values()}
    known = _employments(numbers)
    allowed = _allowed(preparation, numbers)
    corrected = _corrected({order.corrects for order in orders if order.corrects})
    asked: dict[int, Asked] = {}
    for position, sheet in sheets.items():
        order = orders[position]
        refusal = _refusal(sheet, order, known, allowed, corrected)
        if refusal is not None:
            answers[position] = refusal
            continue
        asked[position] = Asked(
            sheet=sheet,
            case=preparation.numbers[position],
            corrects=corrected[order.corrects].number if order.corrects else "",
            origin=preparation.origin,
            sent=preparation.now,
        )
    facts = dict(zip(asked, gather(list(asked.values()), now=preparation.now), strict=True))
    return [
        answers[position]
        if position in answers
        else _prepared(order, sheets[position], facts[position], known, corrected, preparation)
        for position, order in enumerate(orders)
    ]


def _refusal(
    sheet: Sheet,
    order: Order,
    known: Mapping[str, Employment],
    allowed: frozenset[str],
    corrected: Mapping[str, Case],
) -> Refused | None:
    if sheet.employment not in known:
        return Refused({"employment": ["Medarbejdernummeret findes ikke. Kontrollér nummeret."]})
    if sheet.employment not in allowed:
        return Refused({"employment": ["Du kan ikke sende timesedler for denne medarbejder."]})
    if order.corrects:
        earlier = corrected.get(order.corrects)
        if earlier is None or earlier.employment_id != known[sheet.employment].pk:
            return Refused({"corrects": ["Medarbejderen har ingen sag med dette nummer."]})
        if earlier.is_open:
            return Refused(
                {"corrects": ["Sagen er ikke afsluttet. Ret den i stedet for at sende en ny."]}
            )
    return None


def _prepared(
    order: Order,
    sheet: Sheet,
    facts: Mapping[str, Any],
    known: Mapping[str, Employment],
    corrected: Mapping[str, Case],
    preparation: Preparation,
) -> Prepared:
    employment = known[sheet.employment]
    earlier = corrected.get(order.corrects) if order.corrects else None
    return Prepared(
        variables={
            "sheet": sheet.model_dump(mode="json"),
            "origin": preparation.origin,
            "corrects": earlier.number if earlier else "",
            "paid": paid_lines(earlier) if earlier else [],
            "round": 1,
            "refused": [],
            "overruled": [],
        },
        person=employment.person_id,
        employment=employment.pk,
        unit=employment.unit_id,
        corrects=earlier.pk if earlier else None,
        register=_shift_entries(sheet, employment.number),
        prefetched=facts,
    )


def _employments(numbers: Iterable[str]) -> dict[str, Employment]:
    return {each.number: each for each in Employment.objects.numbered(numbers)}


def _allowed(preparation: Preparation, numbers: Iterable[str]) -> frozenset[str]:
    """The employments that the sender may send time sheets for."""
    if is_platform(preparation.user):
        return frozenset(numbers)
    user = User.objects.filter(username=preparation.user).first()
    if user is None:
        return frozenset()
    seen = Employment.objects.visible_to(user, on=timezone.localdate(preparation.now))
    return frozenset(seen.numbered(numbers).values_list("number", flat=True))


def _corrected(numbers: Iterable[str]) -> dict[str, Case]:
    """The cases that are corrected: the last one of a chain stands for all of it.

    A correction that came to nothing is no link of the chain, or what was paid before it would be
    paid once more.
    """
    # Switched off too: a correction that was corrected in turn is still on the way to the last.
    settled = RegisterEntry.objects.filter(kind=PAID, case=OuterRef("pk"))
    counts = Q(status=Case.Status.OPEN) | Exists(settled)
    found: dict[str, Case] = {}
    for case in Case.objects.filter(number__in=list(numbers), solution="timesheets"):
        last = case
        while (later := last.corrections.filter(counts).order_by("id").last()) is not None:
            last = later
        found[case.number] = last
    return found


def paid_lines(case: Case) -> list[dict[str, Any]]:
    """What payroll has accepted for a case and those that it corrects, as pay lines."""
    entry = RegisterEntry.objects.filter(kind=PAID, case=case, active=True).first()
    return list(entry.data["lines"]) if entry is not None and entry.data else []


def _shift_entries(sheet: Sheet, employment: str) -> list[RegisterEntry]:
    return [
        RegisterEntry(kind=SHIFT, subject=employment, starts=duty.start, ends=duty.end)
        for duty in sheet.duties()
    ]


# --- The flow ---------------------------------------------------------------------------------


@computation
def collect(work: Work, sheet: Sheet, origin: str, corrects: str = "") -> dict[str, Any]:
    """Look up what the flow must know, and enter the hours in the register."""
    if work.prefetched is not None:
        return {"facts": work.prefetched}
    case = Case.objects.get(number=work.case)
    asked = Asked(sheet, work.case, corrects, origin, case.created_at)
    RegisterEntry.objects.filter(kind=SHIFT, case=case).delete()
    entries = _shift_entries(sheet, sheet.employment)
    for entry in entries:
        entry.case, entry.solution = case, case.solution
    (facts,) = gather([asked], now=work.now)
    RegisterEntry.objects.bulk_create(entries)
    return {"facts": facts}


@computation
def calculate(work: Work, sheet: Sheet, facts: dict[str, Any]) -> dict[str, Any]:
    """Calculate the pay by the agreement in force on each day; every line explains itself."""
    terms = terms_of(
        facts,
        municipality=settings.SAGSGANG.municipality_code,
        group=settings.SAGSGANG.municipality_group,
    )
    result = calculate_pay(for_calculation(sheet, facts), terms, rulebook())
    data = result.as_data()
    return {
        "calculation": {
            **data,
            "total": result.total,
            "missing": [
                reason.parameter or reason.code.value
                for reason in result.reasons
                if reason.code not in _TO_REVIEW
            ],
            "review": [reason.code.value for reason in result.reasons if reason.code in _TO_REVIEW],
        }
    }


@computation
def remind(work: Work) -> None:
    """Remind the manager who has not answered; the task itself stays open."""
    remind_approver(work.case, element="approve", now=work.now)


@errand(retries=8, queue="payroll")
def deliver(
    work: Work,
    facts: dict[str, Any],
    calculation: dict[str, Any],
    paid: list[dict[str, Any]],
    round: int,  # noqa: A002 - the name of the process variable
) -> dict[str, Any]:
    """Send what is calculated and not yet accepted by payroll.

    Raises:
        BpmnError: ``payroll-refused``, when payroll refuses the delivery as a whole.
        JobError: Payroll holds other content under the key.
        ConnectorError: Payroll is away or its answer is unclear: tried again with the same key.
    """
    lines = _to_send(calculation, paid)
    delivery = {
        "key": f"{work.case}/{round}",
        "period": facts["pay_period"],
        "lines": [line.as_data() for line in lines],
    }
    if lines:
        try:
            systems.payroll().deliver(_delivery(delivery, facts))
        except Rejected as error:
            raise _refusal_of(error) from error
    return {"delivery": delivery}


def _refusal_of(error: Rejected) -> Exception:
    """A refused delivery goes to a caseworker; one that may be booked already stops for good."""
    if any(reason.code == "key_conflict" for reason in error.reasons):
        # The key stands for other content at payroll: what that was must be cleared up first.
        message = "Lønsystemet har allerede fået en anden leverance for sagen. Kontakt løn."
        return JobError("payroll-key-conflict", message, retryable=False)
    refused = [
        {"line": 0, "code": reason.code, "message": reason.message, "label": "Hele leverancen"}
        for reason in error.reasons
    ]
    return BpmnError("payroll-refused", "Lønsystemet har afvist leverancen.", {"refused": refused})


def _to_send(calculation: Mapping[str, Any], paid: Iterable[dict[str, Any]]) -> list[PayLine]:
    wanted = [line for line in map(PayLine.from_data, calculation["lines"]) if line.in_total]
    return list(difference([PayLine.from_data(line) for line in paid], wanted))


def _delivery(delivery: Mapping[str, Any], facts: Mapping[str, Any]) -> Delivery:
    return Delivery(
        key=delivery["key"],
        lines=tuple(
            WageLine(
                reference=f"{delivery['key']}/{position}",
                employment=facts["employment"],
                wage_code=line.wage_code,
                effective=line.day,
                period=delivery["period"],
                quantity=line.quantity,
                rate=line.rate.quantize(Decimal("0.000001")),
                amount=line.amount,
                account=facts["account"],
                text=line.title[:50],
            )
            for position, line in enumerate(map(PayLine.from_data, delivery["lines"]), start=1)
        ),
    )


@errand(retries=8, queue="payroll")
def receipt(work: Work, delivery: dict[str, Any], facts: dict[str, Any]) -> dict[str, Any]:
    """Fetch payroll's word on each line; ask again until it is there.

    Raises:
        TryAgain: Payroll has not booked the delivery yet.
        JobError: Payroll does not know the delivery, which a person must look into.
    """
    if not delivery["lines"]:
        return {"answers": []}
    answer = systems.payroll().receipt(delivery["key"])
    if answer.state is ReceiptState.PENDING:
        asked = work.memo.get("asked", 0)
        raise TryAgain(
            min(_FIRST_LOOK * 2**asked, _LATER_LOOKS),
            "Lønsystemet har ikke bogført endnu.",
            until=_PATIENCE,
            memo={"asked": min(asked + 1, 20)},
        )
    if answer.state is ReceiptState.UNKNOWN:
        raise JobError("payroll-unknown-delivery", "Lønsystemet kender ikke leverancen.")
    answer.check(_delivery(delivery, facts))
    word = {line.reference: line for line in answer.lines}
    return {
        "answers": [
            {
                "line": position,
                "accepted": line.accepted,
                "code": line.code.value,
                "message": line.message,
            }
            for position in range(1, len(delivery["lines"]) + 1)
            if (line := word[f"{delivery['key']}/{position}"])
        ]
    }


@computation
def settle(
    work: Work,
    sheet: dict[str, Any],
    delivery: dict[str, Any],
    answers: list[dict[str, Any]],
    paid: list[dict[str, Any]],
    round: int,  # noqa: A002 - the name of the process variable
) -> dict[str, Any]:
    """Record what payroll has booked, in the same transaction as the step of the flow."""
    case = Case.objects.get(number=work.case)
    accepted = [
        delivery["lines"][int(answer["line"]) - 1] for answer in answers if answer["accepted"]
    ]
    refused = [
        {**answer, "label": delivery["lines"][int(answer["line"]) - 1]["label"]}
        for answer in answers
        if not answer["accepted"]
    ]
    in_all = [*paid, *accepted]
    if delivery["lines"]:
        RegisterEntry.objects.create(
            solution=case.solution,
            kind=DELIVERY,
            subject=delivery["period"],
            key=delivery["key"],
            quantity=len(accepted),
            amount=_kroner(accepted),
            case=case,
            data={"sent": len(delivery["lines"])},
        )
    switch_off(PAID, case=case.pk)
    if case.corrects_id is not None:
        switch_off(PAID, case=case.corrects_id)
        switch_off(SHIFT, case=case.corrects_id)
    RegisterEntry.objects.create(
        solution=case.solution,
        kind=PAID,
        subject=sheet["employment"],
        quantity=len(in_all),
        amount=_kroner(in_all),
        case=case,
        data={"lines": in_all, "sheet": sheet},
    )
    return {"paid": in_all, "refused": refused, "round": round + 1}


def _kroner(lines: Iterable[Mapping[str, Any]]) -> Decimal:
    return sum((Decimal(line["amount"]) for line in lines), Decimal("0.00"))


# --- A rate that changes backwards ------------------------------------------------------------


def regulations(employments: Mapping[str, date]) -> list[Order]:
    """Orders that calculate paid sheets anew after terms have changed backwards.

    Each becomes a case that corrects the paid one and sends the difference, if there is any.

    Args:
        employments: Employment number to the first day that the change covers.
    """
    orders: list[Order] = []
    paid = (
        RegisterEntry.objects.filter(
            kind=PAID,
            active=True,
            subject__in=list(employments),
            case__status=Case.Status.COMPLETED,
        )
        .select_related("case")
        .order_by("id")
    )
    for entry in paid:
        since = employments[entry.subject]
        if entry.case is None or not entry.data:
            continue
        sheet = Sheet.model_validate(entry.data["sheet"])
        if any(line.date >= since for line in sheet.lines):
            orders.append(
                Order(f"{entry.case.number}@{since}", entry.data["sheet"], entry.case.number)
            )
    return orders

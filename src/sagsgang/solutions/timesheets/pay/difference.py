# SPDX-License-Identifier: MPL-2.0
"""Corrections as difference lines (K2): what must be sent so that payroll ends at the new pay.

Lines are netted by wage code, date and rate. A changed number of hours gives the difference in
hours; a changed rate takes the old line back and gives the new one. Because every line has a rate
that its amount follows from, differences of differences net out in the same way.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from typing import Final, TypeAlias

from sagsgang.solutions.timesheets.pay.results import PayLine

__all__ = ["difference"]

_ORE: Final = Decimal("0.01")
_NOTHING: Final = Decimal("0.00")
_Key: TypeAlias = tuple[date, str, Decimal]


@dataclass(slots=True)
class _Net:
    """What new lines hold more than old ones at one wage code, date and rate."""

    line: PayLine
    quantity: Decimal = _NOTHING
    amount: Decimal = _NOTHING
    minutes: int = 0

    def add(self, line: PayLine, sign: int) -> None:
        self.quantity += sign * line.quantity
        self.amount += sign * line.amount
        self.minutes += sign * (line.minutes or 0)


def difference(old: Iterable[PayLine], new: Iterable[PayLine]) -> tuple[PayLine, ...]:
    """Return the lines that lead from what payroll has to what it should have.

    For every wage code and date the amounts and the quantities of the result are exactly those of
    ``new`` less those of ``old``. What is the same gives no line. Each line's amount is within one
    øre of its quantity times its rate; where the rounding of several lines adds up to more, the
    rest is given in lines of one øre without quantity.

    Args:
        old: Lines that payroll has accepted, earlier differences among them.
        new: Lines of the present calculation.

    Returns:
        The differences, by date, wage code and rate, taken back before given.
    """
    nets: dict[_Key, _Net] = {}
    for sign, lines in ((-1, old), (1, new)):
        for line in lines:
            key = (line.day, line.wage_code, line.rate)
            net = nets.get(key)
            if net is None:
                net = nets[key] = _Net(line)
            elif sign > 0:
                net.line = line
            net.add(line, sign)
    found: list[PayLine] = []
    for key in sorted(nets, key=lambda key: (key[0], key[1], nets[key].quantity, key[2])):
        net = nets[key]
        if net.quantity or net.amount:
            found.extend(_lines(net))
    return tuple(found)


def _lines(net: _Net) -> Iterable[PayLine]:
    exact = (net.quantity * net.line.rate).quantize(_ORE, ROUND_HALF_UP)
    amount = net.amount if abs(net.amount - exact) <= _ORE / 2 else exact
    rest = net.amount - amount
    if (
        net.quantity
        and abs(rest) <= _ORE
        and abs(net.amount - net.quantity * net.line.rate) <= _ORE
    ):
        amount, rest = net.amount, _NOTHING
    if net.quantity:
        yield _line(net, net.quantity, amount, net.minutes)
    step = _ORE.copy_sign(rest)
    while rest:
        yield _line(net, Decimal(0), step, 0)
        rest -= step


def _line(net: _Net, quantity: Decimal, amount: Decimal, minutes: int) -> PayLine:
    line = net.line
    if not quantity:
        note = "øreafrunding"
    elif quantity < 0:
        note = "tidligere sendt linje tages tilbage"
    else:
        note = "rettelse af det, der er sendt før"
    return PayLine(
        line.wage_code,
        line.day,
        line.kind,
        line.rule,
        quantity,
        line.rate,
        amount,
        None if line.minutes is None else minutes,
        None,
        line.reference,
        line.basis,
        note,
    )

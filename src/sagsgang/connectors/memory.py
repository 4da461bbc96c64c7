# SPDX-License-Identifier: MPL-2.0
"""A payroll system in memory, for scenarios: books at once, refuses what it is told to."""

from __future__ import annotations

from collections.abc import Collection
from datetime import UTC, datetime
from decimal import Decimal

from sagsgang.connectors.errors import Reason, Rejected
from sagsgang.connectors.payroll import (
    BusinessReceipt,
    Delivery,
    EmploymentChanges,
    EmploymentTerms,
    LineCode,
    LineReceipt,
    Period,
    ReceiptState,
    TransportReceipt,
)

__all__ = ["PayrollInMemory"]

_RECEIVED = datetime(2000, 1, 1, tzinfo=UTC)


class PayrollInMemory:
    """A :class:`~sagsgang.connectors.payroll.PayrollSystem` that keeps its deliveries in a dict.

    Args:
        refuse: Wage codes whose lines it refuses.

    Attributes:
        deliveries: What it has taken in, by key.
        refuse: The wage codes; may be changed between deliveries.
    """

    def __init__(self, refuse: Collection[str] = ()) -> None:
        self.deliveries: dict[str, Delivery] = {}
        self._receipts: dict[str, BusinessReceipt] = {}
        self.refuse: Collection[str] = frozenset(refuse)

    def deliver(self, delivery: Delivery) -> TransportReceipt:
        """Keep the delivery; the same key with other content is refused."""
        earlier = self.deliveries.setdefault(delivery.key, delivery)
        if earlier is delivery:
            self._receipts.setdefault(delivery.key, self._book(delivery))
        if earlier != delivery:
            reason = Reason("key_conflict", "Nøglen er brugt til en anden leverance.")
            message = "Leverancens nøgle står for et andet indhold."
            raise Rejected(message, reasons=(reason,))
        return TransportReceipt(
            delivery=delivery.key,
            transport_id=delivery.key,
            received_at=_RECEIVED,
            repeated=earlier is not delivery,
        )

    def _book(self, delivery: Delivery) -> BusinessReceipt:
        return BusinessReceipt(
            delivery=delivery.key,
            state=ReceiptState.PROCESSED,
            lines=tuple(
                LineReceipt(reference=line.reference, accepted=True, code=LineCode.ACCEPTED)
                if line.wage_code not in self.refuse
                else LineReceipt(
                    reference=line.reference,
                    accepted=False,
                    code=LineCode.WAGE_CODE_CLOSED,
                    message="Lønarten er lukket for indberetning.",
                )
                for line in delivery.lines
            ),
        )

    @property
    def booked(self) -> Decimal:
        """Kroner booked in all."""
        return sum(
            (
                line.amount or Decimal(0)
                for key, delivery in self.deliveries.items()
                for line, word in zip(delivery.lines, self._receipts[key].lines, strict=True)
                if word.accepted
            ),
            Decimal("0.00"),
        )

    def receipt(self, key: str) -> BusinessReceipt:
        """The word on each line, given when the delivery came."""
        unknown = BusinessReceipt(delivery=key, state=ReceiptState.UNKNOWN)
        return self._receipts.get(key, unknown)

    def receipts(self, keys: Collection[str]) -> tuple[BusinessReceipt, ...]:
        """The receipts, in the order of the keys."""
        return tuple(self.receipt(key) for key in keys)

    def employments(self, numbers: Collection[str]) -> tuple[EmploymentTerms, ...]:  # noqa: ARG002 - the port
        """None: scenarios give their terms themselves."""
        return ()

    def changed_since(self, watermark: str | None) -> EmploymentChanges:
        """None."""
        return EmploymentChanges(terms=(), watermark=watermark or "0")

    def periods(self) -> tuple[Period, ...]:
        """None: scenarios give their periods themselves."""
        return ()

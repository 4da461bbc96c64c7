# SPDX-License-Identifier: MPL-2.0
"""Client of the payroll simulator's control interface, for tests and demo."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Self

import httpx
import orjson

from sagsgang.connectors.payroll import EmploymentTerms, Period
from sagsgang.simulators.payroll._faults import FaultKind

__all__ = ["FaultKind", "PayrollControl"]


class PayrollControl:
    """Loads the payroll simulator, orders faults from it and reads its books.

    Args:
        url: Base address of the simulator, without path.
        timeout: Seconds before a call is given up.

    Raises:
        httpx.HTTPStatusError: The simulator refused; its answer says what and where.
    """

    def __init__(self, url: str, *, timeout: float = 60.0) -> None:
        self._client = httpx.Client(base_url=f"{url}/control", timeout=timeout, trust_env=False)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the connection."""
        self._client.close()

    def load_employments(self, terms: Iterable[EmploymentTerms]) -> int:
        """Replace all terms of the employments given; the others stay.

        Returns:
            How many employments changed.
        """
        rows = [asdict(row) for row in terms]
        changed: int = self._post("/employments", rows)["changed"]
        return changed

    def load_wage_codes(
        self,
        codes: Mapping[str, str],
        *,
        external: bool = True,
        limit: Decimal | None = None,
        valid_from: date = date(1900, 1, 1),
        valid_to: date | None = None,
    ) -> None:
        """Load wage codes with their texts, all with the same conditions.

        Args:
            codes: Text by code.
            external: Whether other systems may report on them.
            limit: Largest amount of one line in kroner; default: the simulator's setting.
            valid_from: First day.
            valid_to: Last day; default: none.
        """
        conditions = {
            "external": external,
            "limit": limit,
            "valid_from": valid_from,
            "valid_to": valid_to,
        }
        rows = [{"code": code, "text": text, **conditions} for code, text in codes.items()]
        self._post("/wage-codes", rows)

    def load_accounts(
        self,
        accounts: Iterable[str],
        *,
        valid_from: date = date(1900, 1, 1),
        valid_to: date | None = None,
    ) -> None:
        """Load cost centres, PSP elements and type accounts that may be posted to."""
        dates = {"valid_from": valid_from, "valid_to": valid_to}
        self._post("/accounts", [{"account": account, **dates} for account in accounts])

    def load_periods(self, periods: Iterable[Period]) -> None:
        """Load payroll periods, or change those with the same month."""
        self._post("/periods", [asdict(period) for period in periods])

    def change_settings(
        self,
        *,
        amount_limit: Decimal | None = None,
        receipt_delay: tuple[float, float] | None = None,
        seed: str | None = None,
    ) -> None:
        """Change settings; what is left out stays.

        Args:
            amount_limit: Largest amount of one line, kroner.
            receipt_delay: Least and most seconds from delivery to business receipt.
            seed: Decides delays and faults that are left to chance.
        """
        given = {"amount_limit": amount_limit, "receipt_delay": receipt_delay, "seed": seed}
        self._post("/settings", {name: value for name, value in given.items() if value is not None})

    def set_clock(self, now: datetime | None) -> None:
        """Stop the clock at an instant; ``None`` returns to the machine's clock."""
        self._post("/clock", {"now": now})

    def advance_clock(self, seconds: float) -> None:
        """Move the clock on and leave it there."""
        self._post("/clock", {"advance": seconds})

    def order_fault(
        self,
        kind: FaultKind,
        *,
        times: int | None = 1,
        operation: str | None = None,
        rate: float = 1.0,
        seconds: float | None = None,
    ) -> None:
        """Order a fault.

        Args:
            kind: What goes wrong.
            times: How often; ``None``: until cancelled.
            operation: Name of the only operation it hits. Default: all.
            rate: Share of the occasions that it hits, decided by the seed.
            seconds: See the kind.
        """
        order = {
            "kind": kind,
            "times": times,
            "operation": operation,
            "rate": rate,
            "seconds": seconds,
        }
        self._post("/faults", [order])

    def cancel_faults(self) -> None:
        """Cancel all faults."""
        self._client.delete("/faults").raise_for_status()

    def faults(self) -> list[dict[str, Any]]:
        """The faults that are still to come."""
        return self._list("/faults")

    def journal(self) -> list[dict[str, Any]]:
        """Everything received, oldest first: time, operation, key, outcome and body."""
        return self._pages("/journal")

    def lines(self) -> list[dict[str, Any]]:
        """Every line received, with its state and the kroner booked, for reconciliation."""
        return self._pages("/lines")

    def ledger(self, *, employments: bool = False) -> dict[str, Any]:
        """Totals of deliveries, lines and kroner, by period, wage code and rejection.

        Args:
            employments: Whether to break the totals down by employment too.
        """
        answer = self._client.get("/ledger", params={"employments": 1} if employments else {})
        result: dict[str, Any] = orjson.loads(answer.raise_for_status().content)
        return result

    def _pages(self, path: str) -> list[dict[str, Any]]:
        rows: list[dict[str, Any]] = []
        while True:
            page = self._list(path, after=rows[-1]["id"] if rows else 0)
            if not page:
                return rows
            rows += page

    def _list(self, path: str, **params: int) -> list[dict[str, Any]]:
        answer = self._client.get(path, params={**params, "limit": 10_000})
        rows: list[dict[str, Any]] = orjson.loads(answer.raise_for_status().content)
        return rows

    def _post(self, path: str, value: Any) -> dict[str, Any]:
        content = orjson.dumps(value, default=str)
        answer = self._client.post(
            path, content=content, headers={"Content-Type": "application/json"}
        )
        if answer.status_code == 422:
            answer.extensions["reason_phrase"] = answer.text[:500].encode("ascii", "replace")
        result: dict[str, Any] = orjson.loads(answer.raise_for_status().content)
        return result

# SPDX-License-Identifier: MPL-2.0
"""The payroll simulator's durable state: one SQLite file, one transaction per request."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from hashlib import sha256
from importlib.resources import files
from pathlib import Path
from typing import Any, Final

import orjson

from sagsgang.simulators.payroll._faults import Fault, FaultKind, draw, fire, fire_one
from sagsgang.simulators.payroll._rules import Facts, Line, judge

_FAR: Final = "9999-12-31T00:00:00.000000Z"
_DEFAULTS: Final = {
    "amount_limit": "50000.00",
    "clock": "",
    "receipt_delay_from": "0",
    "receipt_delay_to": "0",
    "seed": "1",
}


def to_text(instant: datetime) -> str:
    """An instant as the store keeps it."""
    return instant.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def from_text(text: str) -> datetime:
    """An instant as the store keeps it, read."""
    return datetime.fromisoformat(text)


def to_ore(kroner: Decimal) -> int:
    """Kroner with two decimals as whole ører."""
    return int((kroner * 100).to_integral_exact())


class Store:
    """The state; used from one thread at a time.

    Args:
        path: The file; made when it is not there.
    """

    def __init__(self, path: Path) -> None:
        self.connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        self.connection.row_factory = sqlite3.Row
        # A killed process loses nothing with NORMAL in WAL mode; only a power cut could.
        for pragma in ("journal_mode=WAL", "synchronous=NORMAL", "foreign_keys=ON"):
            self.connection.execute(f"PRAGMA {pragma}")
        self.connection.execute("PRAGMA busy_timeout=5000")
        schema = files(__package__).joinpath("_schema.sql").read_text(encoding="utf-8")
        self.connection.executescript(schema)
        self._settings = self._read_settings()

    def close(self) -> None:
        """Close the file."""
        self.connection.close()

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """All or nothing of what happens inside."""
        self.connection.execute("BEGIN IMMEDIATE")
        try:
            yield self.connection
        except BaseException:
            self.connection.execute("ROLLBACK")
            self._settings = self._read_settings()
            raise
        self.connection.execute("COMMIT")

    # Settings and clock

    def _read_settings(self) -> dict[str, str]:
        rows = self.connection.execute("SELECT name, value FROM setting")
        return _DEFAULTS | {row["name"]: row["value"] for row in rows}

    @property
    def settings(self) -> Mapping[str, str]:
        """All settings by name."""
        return self._settings

    def change_settings(self, values: Mapping[str, str]) -> None:
        """Change some settings; inside a transaction."""
        self.connection.executemany(
            "INSERT INTO setting VALUES (?, ?) ON CONFLICT DO UPDATE SET value = excluded.value",
            values.items(),
        )
        self._settings = self._read_settings()

    def now(self) -> datetime:
        """The virtual clock where one is set, otherwise the machine's."""
        clock = self._settings["clock"]
        return from_text(clock) if clock else datetime.now(UTC)

    # Journal and faults

    def note(self, operation: str, key: str, outcome: str, body: bytes) -> None:
        """Write down something received; inside a transaction."""
        self.connection.execute(
            "INSERT INTO journal (at, operation, key, outcome, body) VALUES (?, ?, ?, ?, ?)",
            (to_text(self.now()), operation, key, outcome, body),
        )

    def fire(self, kinds: Iterable[FaultKind], operation: str) -> list[Fault]:
        """Ordered faults that fire now; inside a transaction."""
        return fire(self.connection, self._settings["seed"], frozenset(kinds), operation)

    def fire_one(self, kinds: Iterable[FaultKind], operation: str) -> Fault | None:
        """The oldest ordered fault that fires now; inside a transaction."""
        return fire_one(self.connection, self._settings["seed"], frozenset(kinds), operation)

    # Deliveries

    def take_in(self, key: str, lines: Sequence[Line]) -> tuple[sqlite3.Row, bool] | None:
        """Take a delivery in, or recognise it; inside a transaction.

        Returns:
            The delivery and whether it was known, or ``None`` when the key is known with other
            content.
        """
        fingerprint = _fingerprint(lines)
        known = self._delivery(key)
        if known is not None:
            return (known, True) if known["fingerprint"] == fingerprint else None
        now = self.now()
        row = self.connection.execute(
            "INSERT INTO delivery (key, fingerprint, received_at, ready_at, processed)"
            " VALUES (?, ?, ?, ?, 0) RETURNING *",
            (key, fingerprint, to_text(now), self._ready_at(key, now)),
        ).fetchone()
        self.connection.executemany(
            "INSERT INTO line (delivery, reference, employment, wage_code, effective, period,"
            " quantity, rate, amount, account, text) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            [(row["id"], *_columns(line)) for line in lines],
        )
        return row, False

    def _delivery(self, key: str) -> sqlite3.Row | None:
        row: sqlite3.Row | None = self.connection.execute(
            "SELECT * FROM delivery WHERE key = ?", (key,)
        ).fetchone()
        return row

    def _ready_at(self, key: str, now: datetime) -> str:
        kinds = {FaultKind.LATE_RECEIPT, FaultKind.NEVER_RECEIPT}
        low = float(self._settings["receipt_delay_from"])
        high = float(self._settings["receipt_delay_to"])
        delay = low + (high - low) * draw(self._settings["seed"], "delay", key)
        for fault in self.fire(kinds, "SendOneOffPayments"):
            if fault.kind is FaultKind.NEVER_RECEIPT:
                return _FAR
            delay += fault.seconds or 0
        return to_text(now + timedelta(seconds=delay))

    def settle(self) -> None:
        """Process the deliveries whose time has come, in that order; inside a transaction."""
        waiting = self.connection.execute(
            "SELECT * FROM delivery WHERE processed = 0 AND ready_at <= ? ORDER BY ready_at, id",
            (to_text(self.now()),),
        ).fetchall()
        for delivery in waiting:
            rows = self.connection.execute(
                "SELECT * FROM line WHERE delivery = ? ORDER BY id", (delivery["id"],)
            ).fetchall()
            for row in rows:
                self._process(row, delivery["received_at"])
            self.connection.execute(
                "UPDATE delivery SET processed = 1 WHERE id = ?", (delivery["id"],)
            )

    def _process(self, row: sqlite3.Row, received_at: str) -> None:
        line = _line(row)
        verdict = judge(line, self._facts(line, received_at))
        returns = [[item.type, item.number, item.message] for item in verdict.returns]
        self.connection.execute(
            "UPDATE line SET state = ?, booked_ore = ?, returns = ? WHERE id = ?",
            (
                "accepted" if verdict.accepted else "rejected",
                to_ore(verdict.booked),
                orjson.dumps(returns).decode(),
                row["id"],
            ),
        )

    def _facts(self, line: Line, received_at: str) -> Facts:
        run = self.connection.execute
        day = line.effective.isoformat()
        employment = run(
            "SELECT starts, ends FROM employment WHERE number = ?", (line.employment,)
        ).fetchone()
        terms = run(
            "SELECT hourly_rate, cost_center FROM terms WHERE number = ? AND valid_from <= ?"
            " AND (valid_to IS NULL OR valid_to >= ?) ORDER BY valid_from DESC LIMIT 1",
            (line.employment, day, day),
        ).fetchone()
        code = run(
            "SELECT external, limit_ore FROM wage_code WHERE code = ? AND valid_from <= ?"
            " AND (valid_to IS NULL OR valid_to >= ?)",
            (line.wage_code, day, day),
        ).fetchone()
        period = run(
            "SELECT state, closes_at FROM period WHERE month = ?", (line.period,)
        ).fetchone()
        booked = run(
            "SELECT 1 FROM line WHERE reference = ? AND state = 'accepted'", (line.reference,)
        ).fetchone()
        limit = Decimal(self._settings["amount_limit"])
        if code is not None and code["limit_ore"] is not None:
            limit = Decimal(code["limit_ore"]) / 100
        account = line.account or (terms["cost_center"] if terms else "")
        return Facts(
            employment=None
            if employment is None
            else (
                date.fromisoformat(employment["starts"]),
                date.fromisoformat(employment["ends"]) if employment["ends"] else None,
            ),
            hourly_rate=Decimal(terms["hourly_rate"]) if terms else None,
            wage_code=None if code is None else bool(code["external"]),
            # What came before the cut-off is in time, however late it is processed.
            period_open=None
            if period is None
            else period["state"] == "open" and received_at < period["closes_at"],
            account_open=self._account_open(account, day),
            reference_booked=booked is not None,
            limit=limit,
            forced=self.fire_one({FaultKind.REJECT_LINE}, "SendOneOffPayments") is not None,
        )

    def _account_open(self, account: str, day: str) -> bool:
        parts = account.split("/")
        if len(parts) > 2:
            return False
        return all(
            self.connection.execute(
                "SELECT 1 FROM account WHERE account = ? AND valid_from <= ?"
                " AND (valid_to IS NULL OR valid_to >= ?)",
                (part, day, day),
            ).fetchone()
            for part in parts
        )

    def receipt(self, key: str) -> dict[str, Any]:
        """The business receipt of a delivery, in the names of the contract."""
        delivery = self._delivery(key)
        if delivery is None:
            return {"DeliveryKey": key, "State": "UKENDT", "Line": []}
        if not delivery["processed"]:
            return {"DeliveryKey": key, "State": "MODTAGET", "Line": []}
        rows = self.connection.execute(
            "SELECT reference, returns FROM line WHERE delivery = ? ORDER BY id", (delivery["id"],)
        )
        return {
            "DeliveryKey": key,
            "State": "BEHANDLET",
            "Line": [
                {
                    "Reference": row["reference"],
                    "Return": [
                        {"Type": kind, "Id": "ZLP", "Number": number, "Message": message}
                        for kind, number, message in orjson.loads(row["returns"])
                    ],
                }
                for row in rows
            ],
        }


def _columns(line: Line) -> tuple[str | None, ...]:
    return (
        line.reference,
        line.employment,
        line.wage_code,
        line.effective.isoformat(),
        line.period,
        _number(line.quantity),
        _number(line.rate),
        _number(line.amount),
        line.account,
        line.text,
    )


def _number(value: Decimal | None) -> str | None:
    return None if value is None else format(value.normalize(), "f")


def _decimal(text: str | None) -> Decimal | None:
    return None if text is None else Decimal(text)


def _line(row: sqlite3.Row) -> Line:
    return Line(
        reference=row["reference"],
        employment=row["employment"],
        wage_code=row["wage_code"],
        effective=date.fromisoformat(row["effective"]),
        period=row["period"],
        quantity=_decimal(row["quantity"]),
        rate=_decimal(row["rate"]),
        amount=_decimal(row["amount"]),
        account=row["account"],
        text=row["text"],
    )


def _fingerprint(lines: Iterable[Line]) -> bytes:
    return sha256(orjson.dumps([_columns(line) for line in lines])).digest()

# SPDX-License-Identifier: MPL-2.0
"""The payroll simulator's control interface: data, faults, clock and the books."""

from __future__ import annotations

import sqlite3
from datetime import date, timedelta
from decimal import Decimal
from typing import Annotated, Any, Literal, TypeVar

import orjson
from pydantic import (
    AwareDatetime,
    BaseModel,
    ConfigDict,
    Field,
    TypeAdapter,
    ValidationError,
    field_validator,
)
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from sagsgang.connectors.opus.wire import OPERATIONS
from sagsgang.simulators.payroll._faults import FaultKind
from sagsgang.simulators.payroll._store import Store, to_ore, to_text

T = TypeVar("T")
Kroner = Annotated[Decimal, Field(max_digits=12, decimal_places=2)]


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Terms(_Model):
    """A row of :class:`sagsgang.connectors.payroll.EmploymentTerms`."""

    number: str = Field(pattern=r"^[0-9]{1,8}$")
    valid_from: date
    agreement: str = Field(min_length=1)
    hourly_rate: Annotated[Kroner, Field(ge=0)]
    weekly_hours: Decimal
    wage_step: str
    unit: str = Field(min_length=1)
    cost_center: str
    starts: date
    ends: date | None = None
    valid_to: date | None = None
    hourly_paid: bool = False
    pension_qualified: bool = False
    municipality_group: str = ""


class WageCode(_Model):
    """A wage code (lønart) and whether other systems may report on it."""

    code: str = Field(pattern=r"^[0-9]{4}$")
    text: str = ""
    external: bool = True
    valid_from: date = date(1900, 1, 1)
    valid_to: date | None = None
    limit: Kroner | None = None


class Account(_Model):
    """A cost centre, PSP element or type account that may be posted to."""

    account: str = Field(pattern=r"^[A-Z0-9.\-]{1,40}$")
    valid_from: date = date(1900, 1, 1)
    valid_to: date | None = None


class Month(_Model):
    """A payroll period."""

    month: str = Field(pattern=r"^[12][0-9]{3}-(0[1-9]|1[0-2])$")
    state: Literal["open", "closed"] = "open"
    closes_at: AwareDatetime


class Order(_Model):
    """A fault to come."""

    kind: FaultKind
    operation: str | None = None
    times: Annotated[int, Field(ge=1)] | None = 1
    rate: float = Field(default=1.0, gt=0, le=1)
    seconds: float | None = Field(default=None, ge=0)

    @field_validator("operation")
    @classmethod
    def _known(cls, value: str | None) -> str | None:
        names = [operation.name for operation in OPERATIONS]
        if value is not None and value not in names:
            message = f"The operation is not one of {', '.join(names)}"
            raise ValueError(message)
        return value


class Settings(_Model):
    """Settings; what is left out stays."""

    amount_limit: Annotated[Kroner, Field(gt=0)] | None = None
    receipt_delay: tuple[float, float] | None = None
    seed: str | None = None


class ClockChange(_Model):
    """Set a virtual clock, move it on, or (with neither) return to the machine's clock."""

    now: AwareDatetime | None = None
    advance: float | None = Field(default=None, ge=0)


class Control:
    """The control interface on a store."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def routes(self) -> list[Route]:
        """Where it is reached."""
        return [
            Route("/employments", self._load_terms, methods=["POST"]),
            Route("/wage-codes", self._load_wage_codes, methods=["POST"]),
            Route("/accounts", self._load_accounts, methods=["POST"]),
            Route("/periods", self._load_periods, methods=["POST"]),
            Route("/settings", self._change_settings, methods=["POST"]),
            Route("/clock", self._change_clock, methods=["POST"]),
            Route("/faults", self._order_faults, methods=["POST"]),
            Route("/faults", self._list_faults, methods=["GET"]),
            Route("/faults", self._cancel_faults, methods=["DELETE"]),
            Route("/journal", self._journal, methods=["GET"]),
            Route("/ledger", self._ledger, methods=["GET"]),
            Route("/lines", self._lines, methods=["GET"]),
        ]

    async def _load_terms(self, request: Request) -> Response:
        rows = await _read(request, list[Terms])
        if isinstance(rows, Response):
            return rows
        groups: dict[str, list[Terms]] = {}
        for row in rows:
            groups.setdefault(row.number, []).append(row)
        for number, group in groups.items():
            if len({(row.starts, row.ends) for row in group}) != 1:
                return _wrong(f"Employment {number} has rows with different starts or ends.")
            if len({row.valid_from for row in group}) != len(group):
                return _wrong(f"Employment {number} has two rows from the same date.")
        with self._store.transaction() as connection:
            changed = _replace_terms(connection, groups)
        return _json({"employments": len(groups), "changed": changed})

    async def _load_wage_codes(self, request: Request) -> Response:
        rows = await _read(request, list[WageCode])
        if isinstance(rows, Response):
            return rows
        with self._store.transaction() as connection:
            connection.executemany(
                "INSERT OR REPLACE INTO wage_code VALUES (?, ?, ?, ?, ?, ?)",
                [
                    (
                        row.code,
                        row.text,
                        row.external,
                        row.valid_from.isoformat(),
                        _day(row.valid_to),
                        None if row.limit is None else to_ore(row.limit),
                    )
                    for row in rows
                ],
            )
        return _json({"wage_codes": len(rows)})

    async def _load_accounts(self, request: Request) -> Response:
        rows = await _read(request, list[Account])
        if isinstance(rows, Response):
            return rows
        with self._store.transaction() as connection:
            connection.executemany(
                "INSERT OR REPLACE INTO account VALUES (?, ?, ?)",
                [(row.account, row.valid_from.isoformat(), _day(row.valid_to)) for row in rows],
            )
        return _json({"accounts": len(rows)})

    async def _load_periods(self, request: Request) -> Response:
        rows = await _read(request, list[Month])
        if isinstance(rows, Response):
            return rows
        with self._store.transaction() as connection:
            connection.executemany(
                "INSERT OR REPLACE INTO period VALUES (?, ?, ?)",
                [(row.month, row.state, to_text(row.closes_at)) for row in rows],
            )
        return _json({"periods": len(rows)})

    async def _change_settings(self, request: Request) -> Response:
        given = await _read(request, Settings)
        if isinstance(given, Response):
            return given
        values: dict[str, str] = {}
        if given.amount_limit is not None:
            values["amount_limit"] = str(given.amount_limit)
        if given.seed is not None:
            values["seed"] = given.seed
        if given.receipt_delay is not None:
            low, high = given.receipt_delay
            if not 0 <= low <= high:
                return _wrong("receipt_delay must be two numbers of seconds, the smallest first.")
            values |= {"receipt_delay_from": str(low), "receipt_delay_to": str(high)}
        with self._store.transaction():
            self._store.change_settings(values)
        return _json(dict(self._store.settings))

    async def _change_clock(self, request: Request) -> Response:
        change = await _read(request, ClockChange)
        if isinstance(change, Response):
            return change
        if change.now is not None and change.advance is not None:
            return _wrong("Give now or advance, not both.")
        now = change.now
        if change.advance is not None:
            now = self._store.now() + timedelta(seconds=change.advance)
        with self._store.transaction():
            self._store.change_settings({"clock": "" if now is None else to_text(now)})
        return _json({"now": to_text(self._store.now()), "virtual": now is not None})

    async def _order_faults(self, request: Request) -> Response:
        orders = await _read(request, list[Order])
        if isinstance(orders, Response):
            return orders
        with self._store.transaction() as connection:
            connection.executemany(
                "INSERT INTO fault (kind, operation, remaining, rate, seconds)"
                " VALUES (?, ?, ?, ?, ?)",
                [
                    (order.kind, order.operation or "", order.times, order.rate, order.seconds)
                    for order in orders
                ],
            )
        return _json({"faults": len(orders)})

    async def _list_faults(self, request: Request) -> Response:  # noqa: ARG002 -- a route's shape
        rows = self._store.connection.execute(
            "SELECT kind, operation, remaining, rate, seconds FROM fault ORDER BY id"
        )
        return _json([dict(row) for row in rows])

    async def _cancel_faults(self, request: Request) -> Response:  # noqa: ARG002 -- a route's shape
        with self._store.transaction() as connection:
            connection.execute("DELETE FROM fault")
        return _json({"faults": 0})

    async def _journal(self, request: Request) -> Response:
        rows = self._store.connection.execute(
            "SELECT * FROM journal WHERE id > ? ORDER BY id LIMIT ?", _page(request)
        )
        return _json(
            [{**dict(row), "body": row["body"].decode("utf-8", "replace")} for row in rows]
        )

    async def _ledger(self, request: Request) -> Response:
        with self._store.transaction():
            self._store.settle()
        return _json(ledger(self._store, employments="employments" in request.query_params))

    async def _lines(self, request: Request) -> Response:
        with self._store.transaction():
            self._store.settle()
        rows = self._store.connection.execute(
            "SELECT line.*, delivery.key FROM line JOIN delivery ON delivery.id = line.delivery"
            " WHERE line.id > ? ORDER BY line.id LIMIT ?",
            _page(request),
        )
        return _json(
            [
                {
                    **{name: row[name] for name in row.keys()},  # noqa: SIM118 -- a row iterates values
                    "kroner": kroner(row["booked_ore"]),
                    "returns": orjson.loads(row["returns"]),
                }
                for row in rows
            ]
        )


def kroner(ore: int) -> str:
    """Whole ører as kroner with two decimals."""
    return str((Decimal(ore) / 100).quantize(Decimal("0.01")))


def ledger(store: Store, *, employments: bool = False) -> dict[str, Any]:
    """The totals of what has been received and booked.

    Args:
        store: The state, settled.
        employments: Whether to break the totals down by employment too.
    """
    run = store.connection.execute
    deliveries = {
        row["processed"]: row["n"]
        for row in run("SELECT processed, count(*) AS n FROM delivery GROUP BY processed")
    }
    lines = dict.fromkeys(("accepted", "rejected", "pending"), 0)
    lines |= {
        row["state"]: row["n"]
        for row in run("SELECT state, count(*) AS n FROM line GROUP BY state")
    }
    total = run("SELECT coalesce(sum(booked_ore), 0) FROM line").fetchone()[0]

    def by(column: Literal["period", "wage_code", "employment"]) -> list[dict[str, Any]]:
        rows = run(
            f"SELECT {column} AS item, count(*) AS n, sum(booked_ore) AS ore FROM line"  # noqa: S608
            f" WHERE state = 'accepted' GROUP BY {column} ORDER BY {column}"
        )
        return [
            {column: row["item"], "lines": row["n"], "kroner": kroner(row["ore"])} for row in rows
        ]

    result: dict[str, Any] = {
        "now": to_text(store.now()),
        "deliveries": {"pending": deliveries.get(0, 0), "processed": deliveries.get(1, 0)},
        "lines": lines,
        "kroner": kroner(total),
        "by_period": by("period"),
        "by_wage_code": by("wage_code"),
        "by_rejection": [
            dict(row)
            for row in run(
                "SELECT json_extract(returns, '$[0][1]') AS number,"
                " json_extract(returns, '$[0][2]') AS message, count(*) AS lines FROM line"
                " WHERE state = 'rejected' GROUP BY 1, 2 ORDER BY 1"
            )
        ],
    }
    if employments:
        result["by_employment"] = by("employment")
    return result


def _replace_terms(connection: sqlite3.Connection, groups: dict[str, list[Terms]]) -> int:
    """Replace all terms of each employment that differs; each change gets a number of its own."""
    last: int = connection.execute("SELECT coalesce(max(changed), 0) FROM employment").fetchone()[0]
    employments = {row["number"]: row for row in connection.execute("SELECT * FROM employment")}
    known: dict[str, list[tuple[Any, ...]]] = {}
    for row in connection.execute("SELECT * FROM terms ORDER BY number, valid_from"):
        known.setdefault(row["number"], []).append(tuple(row))
    first = last
    heads: list[tuple[Any, ...]] = []
    rows: list[tuple[Any, ...]] = []
    for number, group in groups.items():
        head = (group[0].starts.isoformat(), _day(group[0].ends))
        columns = [_columns(row) for row in sorted(group, key=lambda row: row.valid_from)]
        current = employments.get(number)
        if (
            current is not None
            and (current["starts"], current["ends"]) == head
            and known.get(number) == columns
        ):
            continue
        last += 1
        heads.append((number, *head, last))
        rows += columns
    connection.executemany("DELETE FROM terms WHERE number = ?", [(head[0],) for head in heads])
    connection.executemany(
        "INSERT INTO employment VALUES (?, ?, ?, ?) ON CONFLICT DO UPDATE SET"
        " starts = excluded.starts, ends = excluded.ends, changed = excluded.changed",
        heads,
    )
    connection.executemany("INSERT INTO terms VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", rows)
    return last - first


def _columns(row: Terms) -> tuple[Any, ...]:
    return (
        row.number,
        row.valid_from.isoformat(),
        _day(row.valid_to),
        row.agreement,
        str(row.hourly_rate),
        str(row.weekly_hours),
        row.wage_step,
        row.unit,
        row.cost_center,
        int(row.hourly_paid),
        int(row.pension_qualified),
        row.municipality_group,
    )


def _day(value: date | None) -> str | None:
    return None if value is None else value.isoformat()


def _page(request: Request) -> tuple[int, int]:
    def number(name: str, default: int) -> int:
        text = request.query_params.get(name, "")
        return int(text) if text.isascii() and text.isdigit() and len(text) < 19 else default

    return number("after", 0), min(number("limit", 1000), 10_000)


async def _read(request: Request, kind: type[T]) -> T | Response:
    try:
        return TypeAdapter(kind).validate_json(await request.body())
    except ValidationError as error:
        faults = error.errors(include_url=False, include_context=False, include_input=False)
        return _json({"errors": faults[:100]}, status=422)


def _wrong(message: str) -> Response:
    return _json({"errors": [{"msg": message}]}, status=422)


def _json(value: Any, *, status: int = 200) -> Response:
    return Response(orjson.dumps(value), status_code=status, media_type="application/json")

# SPDX-License-Identifier: MPL-2.0
"""The payroll simulator's page for people: the books at a glance, in Danish."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from decimal import Decimal
from html import escape
from typing import Final

from starlette.responses import HTMLResponse

from sagsgang.danish import number
from sagsgang.simulators.payroll._control import ledger
from sagsgang.simulators.payroll._store import Store

_STYLE: Final = (
    "body{font:1rem/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem}"
    "table{border-collapse:collapse;margin:0 0 2rem}caption{text-align:left;font-weight:600}"
    "th,td{border-bottom:1px solid #767676;padding:.25rem 1rem .25rem 0;text-align:left}"
    ".n{text-align:right;font-variant-numeric:tabular-nums}"
)
_POLICY: Final = (
    "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"
)
_OUTCOMES: Final = {
    "done": "udført",
    "malformed": "ikke forstået",
    "refused": "afvist",
    "repeated": "kendt i forvejen",
    "unauthorised": "ikke logget på",
}


def page(store: Store) -> HTMLResponse:
    """The page; the store is settled."""
    totals = ledger(store)
    lines, deliveries = totals["lines"], totals["deliveries"]
    journal = store.connection.execute(
        "SELECT at, operation, key, outcome FROM journal ORDER BY id DESC LIMIT 20"
    ).fetchall()
    faults = store.connection.execute("SELECT * FROM fault ORDER BY id").fetchall()
    parts = [
        (
            '<!doctype html><html lang="da"><head><meta charset="utf-8">'
            '<meta name="viewport" content="width=device-width,initial-scale=1">'
            f"<title>Lønsystem (simulator)</title><style>{_STYLE}</style></head><body><main>"
            "<h1>Lønsystem (simulator)</h1>"
            "<p>Siden viser, hvad simulatoren har modtaget og bogført. Den udbetaler ingen løn.</p>"
        ),
        _table(
            "I alt",
            ("", "Antal"),
            (
                ("Leverancer, behandlet", number(deliveries["processed"])),
                ("Leverancer, venter", number(deliveries["pending"])),
                ("Linjer, bogført", number(lines["accepted"])),
                ("Linjer, afvist", number(lines["rejected"])),
                ("Linjer, venter", number(lines["pending"])),
                ("Kroner, bogført", _kroner(totals["kroner"])),
            ),
        ),
        _table(
            "Bogført pr. lønperiode",
            ("Periode", "Linjer", "Kroner"),
            (
                (row["period"], number(row["lines"]), _kroner(row["kroner"]))
                for row in totals["by_period"]
            ),
        ),
        _table(
            "Bogført pr. lønart",
            ("Lønart", "Linjer", "Kroner"),
            (
                (row["wage_code"], number(row["lines"]), _kroner(row["kroner"]))
                for row in totals["by_wage_code"]
            ),
        ),
        _table(
            "Afviste linjer",
            ("Årsag", "Linjer"),
            ((row["message"], number(row["lines"])) for row in totals["by_rejection"]),
        ),
        _table(
            "Bestilte fejl",
            ("Fejl", "Tilbage"),
            (
                (row["kind"], "til de slettes" if row["remaining"] is None else row["remaining"])
                for row in faults
            ),
        ),
        _table(
            "Senest modtaget",
            ("Tidspunkt (UTC)", "Kald", "Nøgle", "Udfald"),
            (
                (
                    row["at"][:19].replace("T", " "),
                    row["operation"],
                    row["key"],
                    _OUTCOMES.get(row["outcome"], row["outcome"]),
                )
                for row in journal
            ),
        ),
        "</main></body></html>",
    ]
    return HTMLResponse(
        "".join(parts), headers={"Content-Security-Policy": _POLICY, "Cache-Control": "no-store"}
    )


def _table(caption: str, heads: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    numeric = {"Antal", "Kroner", "Linjer", "Tilbage"}
    head = "".join(
        f'<th scope="col"{_numeric(name in numeric)}>{escape(name)}</th>' for name in heads
    )
    body = "".join(
        "<tr>"
        + "".join(
            f"<td{_numeric(name in numeric)}>{escape(str(cell))}</td>"
            for name, cell in zip(heads, row, strict=True)
        )
        + "</tr>"
        for row in rows
    )
    if not body:
        body = f'<tr><td colspan="{len(heads)}">Ingen.</td></tr>'
    return (
        f"<table><caption>{escape(caption)}</caption><thead><tr>{head}</tr></thead>"
        f"<tbody>{body}</tbody></table>"
    )


def _numeric(numeric: bool) -> str:  # noqa: FBT001 -- private, one use
    return ' class="n"' if numeric else ""


def _kroner(text: str) -> str:
    return number(Decimal(text), decimals=2)

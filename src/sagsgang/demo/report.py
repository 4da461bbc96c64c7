# SPDX-License-Identifier: MPL-2.0
"""The result of the demonstration as one HTML file that opens anywhere: nothing is fetched."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from html import escape
from pathlib import Path
from typing import Any, Final

from sagsgang.danish import kroner, number, percent

_STYLE: Final = """
body{font:17px/1.5 "IBM Plex Sans",system-ui,sans-serif;color:#1a1a1a;max-width:60rem;
margin:2rem auto;padding:0 1rem}
h1{font-size:2rem;margin:0 0 .25rem}h2{margin:2.5rem 0 .75rem;font-size:1.35rem}
.lead{color:#454545;margin:0 0 1.5rem}.tiles{display:flex;flex-wrap:wrap;gap:1rem}
.tile{border:1px solid #bfbfbf;border-radius:4px;padding:.75rem 1rem;flex:1 1 9rem}
.tile b{display:block;font-size:1.6rem;line-height:1.25;white-space:nowrap}
.ok{color:#1d7a3c}.bad{color:#b3001b}
table{border-collapse:collapse;width:100%}th,td{padding:.4rem .6rem;text-align:left;
border-bottom:1px solid #dcdcdc}td.n,th.n{text-align:right;font-variant-numeric:tabular-nums}
svg{width:100%;height:auto;display:block}svg text{font:13px "IBM Plex Sans",system-ui,sans-serif}
"""
_LEAD: Final = (
    '<p class="lead">Timesedler for oktober 2025, fra indsendte filer til bogført løn. '
    "Kommunen og alle personer er opdigtede.</p>"
)
_COLOURS: Final = ("#0059b3", "#1d7a3c", "#b35900", "#8f8f8f")


def write_report(path: Path, result: Mapping[str, Any]) -> None:
    """Write the report.

    Args:
        path: The file.
        result: What ``sagsgang demo`` found; the same as in ``demo-result.json``.
    """
    path.write_text(_page(result), encoding="utf-8")


def _page(result: Mapping[str, Any]) -> str:
    service = result["services"]["timesheets"]
    payroll = result["reconciliation"]["payroll"]
    reconciles = result["reconciles"]
    reasons = _titles(result["stopped_by"])
    touched = service["completed"] - service["straight_through"]
    outcome = (
        ("Udbetalt uden sagsbehandler", service["straight_through"]),
        ("Udbetalt efter sagsbehandling", touched),
        ("Venter på et menneske", service["waiting"]),
        ("Afvist eller trukket tilbage", service["refused"]),
    )
    verdict = (
        '<span class="ok">Alt stemmer</span>'
        if reconciles
        else '<span class="bad">Afstemningen går ikke op</span>'
    )
    parts = [
        "<h1>En måned i Prøvelev Kommune</h1>",
        _LEAD,
        '<div class="tiles">',
        _tile(number(service["received"]), "timesedler modtaget"),
        _tile(number(service["completed"]), "udbetalt"),
        _tile(
            percent(service["straight_through"], service["completed"]),
            "af de udbetalte uden sagsbehandler",
        ),
        _tile(kroner(Decimal(payroll["ours"])), "bogført i løn"),
        _tile(verdict, "Sagsgang mod løn"),
        _tile(number(result["seconds"], decimals=0) + " s", "for det hele"),
        "</div>",
        "<h2>Hvad der blev af timesedlerne</h2>",
        _stack(outcome),
        "<h2>Hvad der stoppede hos en sagsbehandler</h2>",
        _bars(sorted(reasons.items(), key=lambda each: -each[1])),
        "<h2>Afstemning</h2>",
        _reconciliation(payroll, result["balance"]),
        "<h2>Gik det, som det skulle?</h2>",
        _truth(result),
        "<h2>Hvor tiden gik</h2>",
        _bars([(name, value) for name, value in result["timings"].items()], unit=" s", decimals=1),
    ]
    return (
        '<!doctype html><html lang="da"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        f"<title>Sagsgang: en måned</title><style>{_STYLE}</style></head><body><main>"
        + "".join(parts)
        + "</main></body></html>"
    )


def _truth(result: Mapping[str, Any]) -> str:
    expected = result["expected"]
    regulated = result["services"]["timesheets-regulations"]["completed"]
    return (
        "<p>Månedens fejl er lagt ind med vilje, så facit er kendt. "
        f"{number(expected['as_expected'])} af {number(expected['sheets'])} timesedler fik den "
        f"skæbne, de skulle have. {number(regulated)} udbetalte timesedler er reguleret, fordi en "
        "lønsats blev ændret bagud.</p>"
    )


def _titles(stopped: Mapping[str, int]) -> dict[str, int]:
    from sagsgang.cases.solution import get

    solution = get("timesheets")
    return {solution.reason(code).text.rstrip("."): count for code, count in stopped.items()}


def _tile(value: str, label: str) -> str:
    return f'<div class="tile"><b>{value}</b>{escape(label)}</div>'


def _stack(parts: Sequence[tuple[str, int]]) -> str:
    """One bar of shares, with a legend that says the figures in words."""
    total = sum(count for _, count in parts) or 1
    x, bars, legend = 0.0, [], []
    for position, (label, count) in enumerate(parts):
        width = 900 * count / total
        bars.append(
            f'<rect x="{x:.1f}" y="0" width="{width:.1f}" height="42" fill="{_COLOURS[position]}"/>'
        )
        column, row = position % 2, position // 2
        left, top = 450 * column, 70 + 24 * row
        text = f"{escape(label)}: {number(count)} ({percent(count, total)})"
        legend.append(
            f'<rect x="{left}" y="{top - 12}" width="14" height="14" fill="{_COLOURS[position]}"/>'
            f'<text x="{left + 22}" y="{top}">{text}</text>'
        )
        x += width
    label = "; ".join(f"{name}: {count}" for name, count in parts)
    return (
        f'<svg viewBox="0 0 900 105" role="img" aria-label="{escape(label)}">'
        f"{''.join(bars)}{''.join(legend)}</svg>"
    )


def _bars(rows: Sequence[tuple[str, float]], unit: str = "", decimals: int = 0) -> str:
    if not rows:
        return "<p>Ingen.</p>"
    most = max(value for _, value in rows) or 1
    drawn = []
    for position, (label, value) in enumerate(rows):
        y = 30 * position
        width = max(2.0, 380 * value / most)
        figure = number(value, decimals=decimals) + unit
        drawn.append(
            f'<text x="0" y="{y + 16}">{escape(label)}</text>'
            f'<rect x="430" y="{y + 2}" width="{width:.1f}" height="20" fill="{_COLOURS[0]}"/>'
            f'<text x="{430 + width + 8:.1f}" y="{y + 16}">{figure}</text>'
        )
    label = "; ".join(f"{name}: {number(value, decimals=decimals)}{unit}" for name, value in rows)
    return (
        f'<svg viewBox="0 0 900 {30 * len(rows) + 4}" role="img" aria-label="{escape(label)}">'
        f"{''.join(drawn)}</svg>"
    )


def _reconciliation(payroll: Mapping[str, Any], balance: Mapping[str, Mapping[str, str]]) -> str:
    detail = payroll["detail"]
    rows = [
        f"<tr><td>{escape(name)}</td>"
        f'<td class="n">{_plain(each["ours"])}</td><td class="n">{_plain(each["theirs"])}</td>'
        f'<td class="n">{_plain(each["difference"])}</td></tr>'
        for name, each in (
            ("Leverancer til løn", detail["deliveries"]),
            ("Linjer sendt", detail["lines_sent"]),
            ("Linjer bogført", detail["lines_booked"]),
            ("Kroner bogført", payroll),
            ("Timesedler: modtaget = udbetalt + venter + afvist", balance["timesheets"]),
            (
                "Reguleringer: sat i gang = udbetalt + venter + afvist",
                balance["timesheets-regulations"],
            ),
        )
    ]
    return (
        '<table><thead><tr><th></th><th class="n">Sagsgang</th><th class="n">Modpart</th>'
        f'<th class="n">Forskel</th></tr></thead><tbody>{"".join(rows)}</tbody></table>'
    )


def _plain(text: str) -> str:
    return number(Decimal(text), decimals=2 if "." in text else 0)

# SPDX-License-Identifier: MPL-2.0
"""``sagsgang demo``: a month of a city's time sheets, from files to pay, reconciled to the øre.

Everything runs as it would in a municipality: the nightly extract is imported, terms and periods
are fetched from payroll over the wire, files are sent in, a worker process delivers, people decide
through the same functions as the pages use. Payroll fails now and then. At the end the platform's
books are compared with payroll's.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

import orjson
from rich.console import Console
from rich.table import Table

from sagsgang.connectors.payroll import EmploymentTerms
from sagsgang.danish import number, percent
from sagsgang.demo import municipality, stage, timesheets

RESULT: Final = Path("var/demo-result.json")
REPORT: Final = Path("var/demo-report.html")

_WAGE_CODE_NAME = "Lønart"
_RATE_CHANGE_FROM = stage.MONTH + timedelta(days=14)
_EMPLOYMENTS_WITH_NEW_RATE = 25
_RAISE = Decimal("1.03")
_ORE = Decimal("0.01")
_DETAIL = {
    "deliveries": "Leverancer til løn",
    "lines_sent": "Linjer sendt",
    "lines_booked": "Linjer bogført",
}
_INTERRUPTED = 130
_PATIENCE = 600.0
_LOOK_EVERY = 0.5

console = Console(highlight=False)


def run(*, sheets: int, seed: int) -> int:
    """Run the demonstration from an empty folder.

    Args:
        sheets: How many time sheets.
        seed: The same seed gives the same month.

    Returns:
        0 where everything reconciles, 1 where it does not, 2 where the demonstration cannot run.
    """
    started = time.monotonic()
    from sagsgang.site.commands import ending_by_signal

    try:
        with ending_by_signal(code=_INTERRUPTED), stage.alone():
            stage.clear()
            with stage.stage() as where, stage.workers(1):
                result = _play(where, sheets=sheets, seed=seed)
            stage.finish()
    except stage.StageError as error:
        console.print(str(error))
        return 2
    result["seconds"] = round(time.monotonic() - started, 1)
    _write(result)
    _show(result)
    return 0 if result["reconciles"] else 1


@contextmanager
def _part(title: str, timings: dict[str, float]) -> Iterator[None]:
    began = time.monotonic()
    with console.status(title):
        yield
    timings[title] = round(time.monotonic() - began, 2)
    _tick(title, timings[title])


def _tick(what: str, seconds: float) -> None:
    console.print(f"[green]✓[/] {what} [dim]{number(seconds, decimals=1)} s[/]")


def _play(where: stage.Stage, *, sheets: int, seed: int) -> dict[str, Any]:
    from sagsgang.site.commands import migrate, progress, start

    start()
    from sagsgang.cases import clock, ordering, systems
    from sagsgang.demo.actors import Cast
    from sagsgang.demo.people import create_demo_users, demo_users
    from sagsgang.organisation.zlpe import import_extract
    from sagsgang.simulators.payroll import FaultKind, PayrollControl
    from sagsgang.solutions.timesheets.synchronise import synchronise

    timings: dict[str, float] = {}
    console.print(
        f"{number(sheets)} timesedler fra den opdigtede Prøvelev Kommune sendes ind, beregnes, "
        "godkendes og udbetales i et simuleret lønsystem."
    )
    with PayrollControl(where.payroll) as control:
        with _part("Databasen og løsningen gøres klar", timings):
            migrate()
        with _part("Prøvelev Kommune bygges: enheder og medarbejdere", timings):
            city = municipality.generate(seed, on=stage.NOW.date())
            extract = municipality.write_extract(where.folder, city)
        with _part("Lønsystemets natlige udtræk indlæses", timings):
            import_extract(extract, now=clock.now())
            create_demo_users(demo_users(city))
        with _part("Lønsimulatoren fyldes", timings):
            fill_payroll(control, city, ahead=where.ahead)
        with _part("Lønvilkår og lønperioder hentes fra løn", timings):
            synchronise(systems.payroll(), now=clock.now())
        with _part("Vagtplanen indlæses, og timesedlerne skrives", timings):
            month = timesheets.generate(
                seed, month=stage.MONTH, employments=city.employments, sheets=sheets
            )
            enter_plan(month)
            files = _write_files(where.folder, month)
        # Payroll is not perfect: some calls fail, and some answers are lost after the work is done.
        control.order_fault(FaultKind.UNAVAILABLE, times=None, rate=0.02)
        control.order_fault(FaultKind.LOSE_ANSWER, times=None, rate=0.02)
        control.order_fault(FaultKind.REJECT_LINE, times=12)
        began = time.monotonic()
        report = ordering.Report()
        for file in files:
            with progress(f"  {file.name}", stays=False) as advance:
                part, _ = ordering.place_file(
                    "timesheets",
                    file.name,
                    file.read_bytes(),
                    user="system:demo",
                    now=clock.now(),
                    progress=advance,
                )
            report.received += part.received
            report.cases |= part.cases
            report.faults += part.faults
        timings["Timesedlerne sendes ind"] = round(time.monotonic() - began, 2)
        _tick(
            f"{number(report.received)} timesedler sendes ind som CSV, XLSX og JSON Lines",
            timings["Timesedlerne sendes ind"],
        )
        cast = Cast(seed)
        began = time.monotonic()
        _until_quiet(cast)
        with _part("En lønsats ændres bagud; forskellen udbetales", timings):
            _change_rates(control, city)
            done = synchronise(systems.payroll(), now=clock.now())
        _until_quiet(cast)
        control.cancel_faults()
        _until_quiet(cast)
        timings["Ledere, sagsbehandlere og løn"] = round(time.monotonic() - began, 2)
        solved = number(sum(cast.made.values()))
        _tick(
            f"Ledere og sagsbehandlere løser {solved} opgaver, og løn kvitterer",
            timings["Ledere, sagsbehandlere og løn"],
        )
        return _result(control, month, report, cast, timings, regulations=done.regulations)


def fill_payroll(control: Any, city: municipality.Municipality, *, ahead: timedelta) -> None:
    """Give the payroll simulator the municipality's employments, wage codes, accounts, periods.

    Args:
        control: The simulator's control interface.
        city: The municipality.
        ahead: How far the machine's clock is ahead of the demonstration's.
    """
    from sagsgang.solutions.timesheets.parameters import rulebook

    control.load_employments(municipality.payroll_terms(city))
    codes = {
        code: f"{_WAGE_CODE_NAME} {code}"
        for agreement in rulebook().agreements
        for code in agreement.wage_codes.values()
    }
    control.load_wage_codes(codes)
    control.load_accounts({unit.cost_center for unit in city.units if unit.cost_center})
    control.load_periods(stage.periods(ahead))
    control.set_clock(None)
    control.change_settings(receipt_delay=(0.2, 1.5), seed="demo")


def enter_plan(month: timesheets.Month) -> None:
    """Enter the shift plan (vagtplan) in the register."""
    from sagsgang.cases.models import RegisterEntry
    from sagsgang.organisation.bulk import insert_rows
    from sagsgang.solutions.timesheets.facts import PLANNED_SHIFT

    insert_rows(
        [
            RegisterEntry(
                solution="timesheets",
                kind=PLANNED_SHIFT,
                subject=shift.employment,
                starts=shift.start,
                ends=shift.end,
            )
            for shift in month.plan
        ]
    )


def _write_files(folder: Path, month: timesheets.Month) -> list[Path]:
    """The month in three files, one of each kind that can be sent in."""
    folder = folder / "indsendt"
    folder.mkdir()
    third = -(-len(month.sheets) // 3)
    written: list[Path] = []
    for part, (ending, write) in enumerate(
        (
            ("csv", timesheets.write_csv),
            ("xlsx", timesheets.write_xlsx),
            ("jsonl", timesheets.write_jsonl),
        )
    ):
        sheets = month.sheets[part * third : (part + 1) * third]
        path = folder / f"timesedler-{part + 1}.{ending}"
        path.write_bytes(write(timesheets.Month(month.first, sheets, month.plan)))
        written.append(path)
    return written


def _until_quiet(cast: Any) -> None:
    """Let people and the worker take turns until nothing moves any more."""
    from sagsgang.site.commands import progress

    while True:
        with progress("  Ledere og sagsbehandlere", stays=False) as advance:
            decided = cast.act(advance)
        _wait_for_worker()
        if not decided:
            return


def _wait_for_worker() -> None:
    from sagsgang.engine.models import Job
    from sagsgang.site.commands import progress

    end = time.monotonic() + _PATIENCE
    most = 0
    with progress("  Løn: leverancer og kvitteringer", stays=False) as advance:
        while time.monotonic() < end:
            # Jobs that have become incidents wait for a person, not for the worker.
            left = Job.objects.filter(status__in=(Job.Status.READY, Job.Status.RUNNING)).count()
            most = max(most, left)
            advance(most - left, most)
            if not left:
                return
            time.sleep(_LOOK_EVERY)
    message = f"Lønleverancerne blev ikke færdige på {_PATIENCE:.0f} sekunder."
    raise stage.StageError(message)


def _change_rates(control: Any, city: municipality.Municipality) -> None:
    """Payroll agrees new rates for some employees, backwards from the middle of the month."""
    from sagsgang.cases.models import RegisterEntry
    from sagsgang.solutions.timesheets.handlers import PAID

    paid = set(
        RegisterEntry.objects.filter(kind=PAID, active=True).values_list("subject", flat=True)
    )
    chosen = sorted(paid)[:_EMPLOYMENTS_WITH_NEW_RATE]
    terms = [one for one in municipality.payroll_terms(city) if one.number in chosen]
    control.load_employments(_raised(terms))


def _raised(terms: Iterable[EmploymentTerms]) -> Iterator[EmploymentTerms]:
    for row in terms:
        if row.valid_to is not None and row.valid_to < _RATE_CHANGE_FROM:
            yield row
            continue
        if row.valid_from < _RATE_CHANGE_FROM:
            yield replace(row, valid_to=_RATE_CHANGE_FROM - timedelta(days=1))
        rate = (row.hourly_rate * _RAISE).quantize(_ORE)
        yield replace(row, valid_from=max(row.valid_from, _RATE_CHANGE_FROM), hourly_rate=rate)


# --- The result -------------------------------------------------------------------------------


def _result(
    control: Any,
    month: timesheets.Month,
    report: Any,
    cast: Any,
    timings: dict[str, float],
    *,
    regulations: int,
) -> dict[str, Any]:
    from sagsgang.cases.models import Case, RegisterEntry, Task
    from sagsgang.cases.register import totals
    from sagsgang.solutions.timesheets.handlers import DELIVERY

    refused = {fault.item for fault in report.faults} - set(report.cases)
    services = {
        "timesheets": _service(
            Case.objects.exclude(origin="regulation"),
            received=len(month.sheets),
            refused=len(refused),
            seconds=sum(timings.values()),
        ),
        "timesheets-regulations": _service(
            Case.objects.filter(origin="regulation"),
            received=regulations,
            refused=0,
            seconds=timings["En lønsats ændres bagud; forskellen udbetales"],
        ),
    }
    deliveries, lines, kroner = totals(DELIVERY, solution="timesheets")
    sent = sum(
        (data or {}).get("sent", 0)
        for data in RegisterEntry.objects.filter(kind=DELIVERY).values_list("data", flat=True)
    )
    ledger = control.ledger()
    reconciliation = {
        "payroll": {
            **_compared(kroner, Decimal(ledger["kroner"])),
            "detail": {
                "deliveries": _compared(deliveries, sum(ledger["deliveries"].values())),
                "lines_sent": _compared(sent, sum(ledger["lines"].values())),
                "lines_booked": _compared(lines, ledger["lines"]["accepted"]),
            },
        }
    }
    balance = {
        name: _compared(each["received"], each["completed"] + each["waiting"] + each["refused"])
        for name, each in services.items()
    }
    waiting = Counter(Task.objects.filter(status=Task.Status.OPEN).values_list("kind", "reason"))
    stopped = Counter(
        Task.objects.filter(kind=Task.Kind.CASEWORKER).values_list("reason", flat=True)
    )
    return {
        "services": services,
        "reconciliation": reconciliation,
        "balance": balance,
        "reconciles": all(
            Decimal(row["difference"]) == 0
            for row in (
                *reconciliation.values(),
                *(row for system in reconciliation.values() for row in system["detail"].values()),
                *balance.values(),
            )
        ),
        "expected": _against_truth(month, report),
        "waiting": {f"{kind}: {reason}": count for (kind, reason), count in waiting.items()},
        "stopped_by": dict(stopped.most_common()),
        "decisions": cast.made,
        "timings": timings,
    }


def _service(cases: Any, *, received: int, refused: int, seconds: float) -> dict[str, Any]:
    """What became of the orders of a service; each figure is counted by itself."""
    from sagsgang.cases.models import Case

    by_status = Counter(cases.values_list("status", flat=True))
    closed = (Case.Status.REJECTED, Case.Status.WITHDRAWN, Case.Status.FAILED)
    return {
        "received": received,
        "completed": by_status[Case.Status.COMPLETED],
        "straight_through": cases.filter(
            status=Case.Status.COMPLETED, straight_through=True
        ).count(),
        "waiting": by_status[Case.Status.OPEN],
        "refused": refused + sum(by_status[status] for status in closed),
        "refused_at_the_door": refused,
        "seconds": round(seconds, 1),
    }


def _compared(ours: Any, theirs: Any) -> dict[str, Any]:
    if isinstance(ours, Decimal):
        ours, theirs = ours.quantize(_ORE), theirs.quantize(_ORE)
    return {"ours": str(ours), "theirs": str(theirs), "difference": str(ours - theirs)}


def _against_truth(month: timesheets.Month, report: Any) -> dict[str, Any]:
    """How many sheets met the fate that the generator had in store for them."""
    from sagsgang.cases.models import Case, Task

    first: dict[str, str] = {}
    reasons: dict[str, set[str]] = {}
    for item, kind, facts in (
        # What payroll refuses, refuses by order of the demonstration; no sheet is to blame.
        Task.objects.exclude(kind=Task.Kind.REQUESTER)
        .exclude(reason__in=("payroll_refused", "incident"))
        .order_by("id")
        .values_list("case__item", "kind", "facts")
    ):
        first.setdefault(item, kind)
        if kind == Task.Kind.CASEWORKER:
            reasons.setdefault(item, set()).update(
                each["reason"] for each in facts.get("reasons", ()) if isinstance(each, dict)
            )
    made = set(Case.objects.exclude(origin="regulation").values_list("item", flat=True))
    outcome = {None: "automatic", "approver": "approval", "caseworker": "caseworker"}
    differing: list[dict[str, Any]] = []
    for sheet in month.sheets:
        found = outcome[first.get(sheet.reference)] if sheet.reference in made else "refused"
        missing = set(sheet.reasons) - reasons.get(sheet.reference, set())
        if found != sheet.expected or (found == "caseworker" and missing):
            differing.append(
                {
                    "sheet": sheet.reference,
                    "expected": sheet.expected,
                    "reasons": list(sheet.reasons),
                    "found": found,
                    "found_reasons": sorted(reasons.get(sheet.reference, set())),
                    "case": report.cases.get(sheet.reference, ""),
                }
            )
    return {
        "sheets": len(month.sheets),
        "as_expected": len(month.sheets) - len(differing),
        "differing": differing[:50],
    }


def _write(result: dict[str, Any]) -> None:
    from sagsgang.demo.report import write_report

    RESULT.parent.mkdir(parents=True, exist_ok=True)
    RESULT.write_bytes(orjson.dumps(result, option=orjson.OPT_INDENT_2, default=str))
    write_report(REPORT, result)


def _show(result: dict[str, Any]) -> None:
    service = result["services"]["timesheets"]
    regulated = result["services"]["timesheets-regulations"]["completed"]
    straight, paid = service["straight_through"], service["completed"]
    expected = result["expected"]
    table = Table(title="En måned i Prøvelev Kommune", title_justify="left", box=None)
    table.add_column("")
    table.add_column("", justify="right")
    table.add_column("")
    for label, value, note in (
        ("Timesedler modtaget", service["received"], ""),
        ("  udbetalt", paid, ""),
        ("  venter på et menneske", service["waiting"], ""),
        ("  afvist eller trukket tilbage", service["refused"], ""),
        ("Udbetalt uden sagsbehandler", straight, f"{percent(straight, paid)} af de udbetalte"),
        ("Efterreguleret, da en sats steg", regulated, "af de udbetalte"),
        (
            "Behandlet, som facit siger",
            expected["as_expected"],
            f"{percent(expected['as_expected'], expected['sheets'])} af de modtagne",
        ),
    ):
        table.add_row(label, number(value), note)
    console.print()
    console.print(table)
    console.print()
    books = Table(title="Afstemning med lønsystemet", title_justify="left", box=None)
    for column in ("", "Sagsgang", "Lønsystem", "Forskel"):
        books.add_column(column, justify="left" if not column else "right")
    payroll = result["reconciliation"]["payroll"]
    for label, row in (
        *((label, payroll["detail"][key]) for key, label in _DETAIL.items()),
        ("Kroner bogført", payroll),
    ):
        figures = (Decimal(row[key]) for key in ("ours", "theirs", "difference"))
        decimals = 2 if row is payroll else 0
        books.add_row(label, *(number(figure, decimals=decimals) for figure in figures))
    console.print(books)
    refused = int(payroll["detail"]["lines_sent"]["ours"]) - int(
        payroll["detail"]["lines_booked"]["ours"]
    )
    if refused:
        console.print(
            f"{number(refused)} linjer afviste lønsystemet med vilje; de gik til en sagsbehandler."
        )
    verdict = (
        "[green]Alt stemmer.[/]" if result["reconciles"] else "[red]Afstemningen går ikke op.[/]"
    )
    console.print(f"{verdict} Det tog {number(result['seconds'], decimals=0)} sekunder.")
    console.print(f"Rapport: {REPORT}, tal: {RESULT}")
    console.print("Se sagerne på siderne: [bold]make serve[/]")

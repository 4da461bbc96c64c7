# SPDX-License-Identifier: MPL-2.0
"""What the ``sagsgang`` command does with an installation. Texts are Danish, for its operators."""

from __future__ import annotations

import errno
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import django
import typer
from django.conf import settings
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from sagsgang import wrong_use

console = Console(highlight=False)
# A sentence is one line wherever it is read, and shows what it quotes as it is.
errors = Console(stderr=True, highlight=False, markup=False, soft_wrap=True)


def start() -> None:
    """Load the platform."""
    from django.apps import apps

    if not apps.ready:
        django.setup()


def explain(error: Exception) -> tuple[list[str], int] | None:
    """What an operator needs to know of an error: Danish sentences and the exit code.

    Returns:
        None for an error that no operator can mend; its traceback belongs in a bug report.
    """
    from django.db import DatabaseError, OperationalError, ProgrammingError
    from pydantic import ValidationError
    from pydantic_settings import SettingsError

    from sagsgang.cases.errors import CaseError
    from sagsgang.connectors.errors import ConnectorError
    from sagsgang.site.configuration import Configuration, faults
    from sagsgang.site.errors import MovingError
    from sagsgang.site.keys import KeysMissingError

    if isinstance(error, ValidationError) and error.title == Configuration.__name__:
        return list(faults(error)), 2
    if isinstance(error, SettingsError):
        return ['SAGSGANG_QUEUES er forkert: skriv JSON, fx {"payroll": {"rate": "20/s"}}.'], 2
    if isinstance(error, KeysMissingError):
        return [str(error)], 2
    if isinstance(error, CaseError | ConnectorError | MovingError):
        return [str(error)], 1
    if isinstance(error, PermissionError | NotADirectoryError | FileExistsError):
        place = f" {error.filename}" if error.filename else ""
        return [f"Der kan ikke skrives eller læses i{place}. Se efter, hvem der ejer mappen."], 2
    if isinstance(error, DatabaseError):
        text = str(error).strip().splitlines()[0].rstrip(".") if str(error).strip() else ""
        if isinstance(error, OperationalError | ProgrammingError) and _is_about_tables(text):
            return ["Databasens tabeller mangler eller er for gamle. Kør: sagsgang migrate"], 1
        return [f"Databasen svarer ikke, som den skal: {text}. Kør: sagsgang doctor"], 1
    return None


def _is_about_tables(text: str) -> bool:
    return any(part in text for part in ("no such table", "no such column", "does not exist")) and (
        # PostgreSQL says the same of a whole database.
        "database" not in text
    )


def _say_fault(action: Callable[[], int]) -> int:
    """Run an action; a known fault becomes its sentence and exit code 1."""
    from sagsgang.cases.errors import CaseError
    from sagsgang.connectors.errors import ConnectorError

    try:
        return action()
    except (CaseError, ConnectorError) as error:
        errors.print(str(error))
        return 1


# --- Running ----------------------------------------------------------------------------------


def migrate() -> None:
    """Bring the tables up to this version, release the installation's own solutions."""
    from django.core.management import call_command

    start()
    from sagsgang.site import moving

    moving.require_finished()
    settings.SAGSGANG.data_dir.mkdir(parents=True, exist_ok=True)
    call_command("migrate", verbosity=0, interactive=False)
    _release_installed()


def _release_installed() -> None:
    from sagsgang.cases import clock, releases, solution

    for each in solution.installed().values():
        releases.deploy(each, now=clock.now(), user="system:migrate")


def serve(*, host: str, port: int) -> None:
    """Serve the pages; on the embedded database a worker runs beside them."""
    with ending_by_signal(), listening(host, port) as door:
        start()
        migrate()
        with _background_worker(enabled=settings.SAGSGANG.embedded):
            run_server(door)


@contextmanager
def ending_by_signal(code: int = 0) -> Iterator[None]:
    """Let Ctrl-C and SIGTERM leave through every ``finally``, so that no child stays behind.

    Args:
        code: The exit code then.
    """

    def leave(_number: int, _frame: Any) -> None:
        raise SystemExit(code)

    before = {number: signal.signal(number, leave) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def listening(host: str, port: int) -> Iterator[socket.socket]:
    """Take the port at once, before any long work; who comes early waits instead of being refused.

    Args:
        host: Address to listen on.
        port: Port; 0 takes a free one.

    Raises:
        typer.Exit: With 2, after a sentence, where the port cannot be had.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        door = socket.create_server((host, port), family=family)
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            errors.print(f"Porten {port} på {host} er optaget. Vælg en anden med --port.")
        else:
            errors.print(f"Der kan ikke lyttes på {host}:{port}: {error.strerror}.")
        raise typer.Exit(2) from None
    # asyncio does this for sockets that it makes itself, not for one that it is given. Without it
    # the second part of an answer waits until the client has confirmed the first.
    door.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    with door:
        yield door


def run_server(door: socket.socket) -> None:
    """Serve the pages until interrupted."""
    import uvicorn

    host, port = door.getsockname()[:2]
    console.print(f"Sagsgang svarer på http://{f'[{host}]' if ':' in host else host}:{port}")
    console.print("Stop med Ctrl-C.")
    server = uvicorn.Server(
        uvicorn.Config(
            "sagsgang.site.asgi:application",
            log_level="warning",
            lifespan="off",
            proxy_headers=False,
            server_header=False,
            timeout_graceful_shutdown=5,
        )
    )
    server.run(sockets=[door])


@contextmanager
def _background_worker(*, enabled: bool) -> Iterator[None]:
    if not enabled:
        yield
        return
    from sagsgang.site.keeping import KeptWorker

    kept = KeptWorker([sys.executable, "-m", "sagsgang.cli", "worker"], errors.print, _child)
    try:
        yield
    finally:
        kept.stop()


def _child(command: Sequence[str]) -> subprocess.Popen[bytes]:
    with deaf_to_ctrl_c():
        return subprocess.Popen(command)  # noqa: S603 - this Python, fixed arguments


@contextmanager
def deaf_to_ctrl_c() -> Iterator[None]:
    """Children started meanwhile do not hear Ctrl-C: their parent stops them, one after the other.

    The signal is blocked and not ignored, so that one that comes just now still reaches the parent.
    """
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def worker(
    *,
    concurrency: int,
    queues: Collection[str] | None = None,
    metrics: tuple[str, int] | None = None,
) -> None:
    """Do what waits until told to stop; args: metrics: where to tell the worker's numbers."""
    start()
    from sagsgang.site import working

    _await_database()
    try:
        working.work(concurrency=concurrency, queues=queues, metrics=metrics)
    except working.PortTakenError as error:
        errors.print(str(error))
        raise typer.Exit(2) from None
    console.print("Stoppet.")


def _await_database() -> None:
    """Say that the database is away or has no tables yet, which a worker waits out.

    Raises:
        MovingError: It is the target of a move that was cut off.
    """
    from django.db import DatabaseError

    from sagsgang.engine.models import Job
    from sagsgang.site import moving

    try:
        moving.require_finished()
        Job.objects.order_by("pk").first()
    except DatabaseError as error:
        # It may be started before the tables are made or brought up to date.
        sentences, _ = explain(error) or ([str(error)], 1)
        errors.print(*sentences, "Workeren venter.")


def simulators(*, port: int, state: Path) -> None:
    """Run the simulators until interrupted."""
    os.execv(  # noqa: S606 - the same Python, with fixed arguments
        sys.executable,
        [
            sys.executable,
            "-m",
            "sagsgang.simulators",
            "--payroll-port",
            str(port),
            "--state",
            str(state),
        ],
    )


def migrate_database(source: str) -> int:
    """Move everything from another database to this installation's, which must be empty."""
    start()
    from sagsgang.site import moving
    from sagsgang.site.errors import MovingError

    try:
        with console.status("Flytter") as status:
            moved = moving.move(
                source, lambda table, rows: status.update(f"Flytter: {table}, {rows} rækker")
            )
    except MovingError as error:
        errors.print(str(error))
        return 1
    table = Table("Tabel", "Rækker", "Kontrolsum", box=None, pad_edge=False)
    for each in moved.tables:
        if each.rows:
            table.add_row(each.table, str(each.rows), each.sha256[:16])
    console.print(table)
    empty = sum(1 for each in moved.tables if not each.rows)
    console.print(
        f"{moved.rows} rækker i {len(moved.tables) - empty} tabeller er flyttet og sammenlignet på "
        f"{moved.seconds:.1f} s; {empty} tabeller er tomme i begge."
    )
    for fault in moved.faults:
        errors.print(fault)
    if moved.faults:
        errors.print("Alt er flyttet uændret, men der er fejl i det. De var der også før.")
        return 1
    console.print(f"Motorens og revisionssporets kontroller er i orden. Forsegling: {moved.head}")
    console.print("Sæt SAGSGANG_DATABASE til den nye database, og start siderne og workerne.")
    return 0


# --- Looking after ----------------------------------------------------------------------------


def doctor() -> int:
    """Examine the installation; say what is wrong and what to do."""
    from sagsgang.site.doctor import examine

    start()
    table = Table("", "Hvad", "Fundet", box=None, pad_edge=False)
    findings = list(examine())
    for finding in findings:
        sign = {"ok": "[green]✓[/]", "warning": "[yellow]![/]", "fault": "[red]✗[/]"}[finding.level]
        table.add_row(sign, finding.what, finding.found)
    console.print(table)
    return int(any(finding.level == "fault" for finding in findings))


def check(folders: Sequence[Path]) -> int:
    """Check solutions: those in the folders, or every installed one."""
    from sagsgang.cases import solution

    start()

    def action() -> int:
        installed = solution.installed()
        chosen = [solution.load(folder) for folder in folders]
        ids = {each.id for each in chosen}
        solution.check_together(
            [*chosen, *(each for each in installed.values() if each.id not in ids)]
        )
        for each in chosen or installed.values():
            console.print(f"{each.id} {each.version}: i orden")
        return 0

    return _say_fault(action)


# --- Solutions and cases ----------------------------------------------------------------------


def deploy(path: str) -> int:
    """Release a solution, by folder or by name."""
    from sagsgang.cases import clock, releases, solution

    start()

    def action() -> int:
        folder = Path(path)
        chosen = (
            solution.load(folder) if (folder / "solution.toml").exists() else solution.get(path)
        )
        release = releases.deploy(chosen, now=clock.now(), user="system:cli")
        console.print(f"{chosen.title} {release.version} er i drift.")
        return 0

    return _say_fault(action)


def solutions() -> int:
    """List the solutions."""
    from sagsgang.cases.models import Case, SolutionRelease
    from sagsgang.cases.solution import installed

    start()

    def action() -> int:
        table = Table("Løsning", "Titel", "Version", "Tilstand", "Åbne sager", box=None)
        for each in installed().values():
            release = SolutionRelease.objects.filter(solution=each.id, version=each.version).first()
            state = release.get_state_display() if release else "Ikke taget i brug"
            is_open = Case.objects.filter(solution=each.id, status=Case.Status.OPEN).count()
            table.add_row(each.id, each.title, each.version, state, str(is_open))
        console.print(table)
        return 0

    return _say_fault(action)


@contextmanager
def progress(title: str, *, stays: bool = True) -> Iterator[Callable[[int, int], None]]:
    """A progress bar; the function it gives takes what is done and what there is in all.

    Args:
        title: What goes on.
        stays: Whether it is still to be seen when it is over.
    """
    if not stays and not console.is_terminal:
        # What does not stay would leave an empty line in a file.
        yield lambda _done, _total: None
        return
    with Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        console=console,
        transient=not stays,
    ) as bar:
        task = bar.add_task(title, total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)


def content_of(file: Path) -> bytes:
    """What a file holds; ``-`` is what comes in.

    Raises:
        OSError: It cannot be read.
    """
    return sys.stdin.buffer.read() if str(file) == "-" else file.read_bytes()


def submit(solution: str, file: Path, *, user: str, dry_run: bool, report: Path | None) -> int:
    """Send in a file of orders."""
    from sagsgang.cases import clock, ordering

    start()

    def action() -> int:
        name = "stdin.jsonl" if str(file) == "-" else file.name
        try:
            content = content_of(file)
        except OSError as error:
            errors.print(f"Filen {file} kan ikke læses: {wrong_use.unreadable(error)}")
            return 2
        with progress("Efterser" if dry_run else "Modtager") as advance:
            result, _ = ordering.place_file(
                solution,
                name,
                content,
                user=user,
                now=clock.now(),
                dry_run=dry_run,
                progress=advance,
            )
        for fault in result.faults[:50]:
            where = f"Række {fault.row}" if fault.row else "Filen"
            field = f", {fault.field}" if fault.field else ""
            errors.print(f"{where}{field}: {fault.message}")
        if len(result.faults) > 50:
            errors.print(f"... og {len(result.faults) - 50} fejl mere. Se dem alle med --report.")
        if report is not None:
            report.write_bytes(ordering.report_csv(result))
        would = "vil blive modtaget" if dry_run else "er modtaget"
        console.print(
            f"{result.received} bestillinger: {result.accepted} {would}, "
            f"{result.refused} er afvist."
        )
        return int(bool(result.refused or result.faults))

    return _say_fault(action)


def case(number: str) -> int:
    """Show one case. The look is recorded in the audit trail."""
    from sagsgang.audit import trail
    from sagsgang.cases import clock
    from sagsgang.cases.models import Case
    from sagsgang.cases.reading import path_taken
    from sagsgang.site.templatetags.sagsgang import shown

    start()
    found = Case.objects.filter(number=number).select_related("unit").first()
    if found is None:
        errors.print(f"Der er ingen sag med nummeret {number}.")
        return 1
    trail.record_access(
        "view",
        actor="system:cli",
        at=clock.now(),
        subject_type="case",
        subject_id=found.pk,
        case_number=number,
        purpose="Drift",
    )
    console.print(f"[bold]{found.number}[/] {found.title}")
    state = found.get_status_display()
    console.print(state if found.stage in {"", state} else f"{state}: {found.stage}")
    for label, value in found.summary.items():
        console.print(f"  {label}: {shown(value, label)}")
    if found.process_instance is not None:
        console.print("\n[bold]Vejen[/]")
        for step in path_taken(found):
            console.print(f"  {step}")
    console.print("\n[bold]Journal[/]")
    for entry in found.journal.order_by("id"):
        console.print(f"  {entry.at:%d-%m-%Y %H:%M}  {entry.actor}: {entry.text}")
    return 0


def sync() -> int:
    """Fetch terms and periods from payroll."""
    from sagsgang.cases import clock, systems
    from sagsgang.solutions.timesheets.synchronise import synchronise

    start()

    def action() -> int:
        done = synchronise(systems.payroll(), now=clock.now())
        console.print(
            f"{done.new} nye og {done.changed} ændrede ansættelser, {done.periods} lønperioder, "
            f"{done.regulations} reguleringer sat i gang, {done.unknown} ukendte ansættelser."
        )
        return 0

    return _say_fault(action)


def scenarios(solution: str) -> int:
    """Run the scenarios of one solution or of all, in an empty installation."""
    from sagsgang.cases.scenarios import run_all
    from sagsgang.cases.solution import get, installed

    migrate()

    def action() -> int:
        chosen = [get(solution)] if solution else list(installed().values())
        failed = 0
        for each in chosen:
            for outcome in run_all(each):
                sign = "[green]✓[/]" if not outcome.faults else "[red]✗[/]"
                console.print(f"{sign} {each.id}: {outcome.title}")
                for fault in outcome.faults:
                    console.print(f"    {fault}")
                failed += bool(outcome.faults)
        return int(bool(failed))

    return _say_fault(action)

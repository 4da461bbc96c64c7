# SPDX-License-Identifier: MPL-2.0
"""The ``sagsgang`` command. Exit codes: 0 fine, 1 the work found faults, 2 wrong use."""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer

from sagsgang import __version__, wrong_use
from sagsgang.bpmn.cli import app as bpmn_app
from sagsgang.dmn.cli import app as dmn_app
from sagsgang.dmn.cli import feel_command


class _Commands(wrong_use.Group):
    """All commands, with one way to say what an operator can mend: a sentence, no traceback."""

    def invoke(self, ctx: Any) -> Any:
        try:
            return super().invoke(ctx)
        except Exception as error:
            # The libraries' own commands never load the platform, which takes its time.
            if "sagsgang.site" not in sys.modules:
                raise
            from sagsgang.site.commands import explain

            explained = explain(error)
            if explained is None:
                raise
            sentences, code = explained
            for sentence in sentences:
                typer.echo(sentence, err=True)
            raise typer.Exit(code) from None


app = typer.Typer(
    name="sagsgang",
    cls=_Commands,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="Åben administrativ automatisering for kommuner.",
)
app.add_typer(bpmn_app, name="bpmn")
app.add_typer(dmn_app, name="dmn")
app.command("feel")(feel_command)


def _version(*, wanted: bool) -> None:
    if wanted:
        typer.echo(__version__)
        raise typer.Exit


@app.callback()
def _common(
    *,
    version: Annotated[  # noqa: ARG001 - handled by its callback
        bool,
        typer.Option(
            "--version",
            is_eager=True,
            callback=lambda wanted: _version(wanted=wanted),
            help="Vis versionen.",
        ),
    ] = False,
) -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "sagsgang.site.settings")


@contextmanager
def _environment(**values: str) -> Iterator[None]:
    """Other environment variables for a while."""
    before = {name: os.environ.get(name) for name in values}
    os.environ.update(values)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


def _platform() -> Any:
    """The commands that need the installation: loaded late, so that the libraries start fast."""
    from sagsgang.site import commands

    commands.start()
    return commands


@app.command()
def serve(
    host: Annotated[str, typer.Option(help="Adresse at lytte på.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Port at lytte på.")] = 8000,
    *,
    demo: Annotated[
        bool, typer.Option("--demo", help="Demodata, demobrugere og simulatorer.")
    ] = False,
) -> None:
    """Start siderne, med en worker i baggrunden."""
    if demo:
        from sagsgang.demo import hosting

        hosting.serve(host=host, port=port)
    else:
        _platform().serve(host=host, port=port)


@app.command()
def worker(
    concurrency: Annotated[
        int, typer.Option("--concurrency", "--threads", min=1, help="Opgaver ad gangen.")
    ] = 4,
    queues: Annotated[
        str, typer.Option(help="Kun opgaver i disse køer, med komma imellem. Tom: alle.")
    ] = "",
    metrics_port: Annotated[
        int,
        typer.Option(
            min=0, max=65535, envvar="SAGSGANG_METRICS_PORT", help="Port til måltal; 0: ingen."
        ),
    ] = 0,
    metrics_host: Annotated[
        str, typer.Option(envvar="SAGSGANG_METRICS_HOST", help="Adresse til måltal.")
    ] = "127.0.0.1",
) -> None:
    """Udfør det, der venter: leverancer, kvitteringer, frister. Stop med Ctrl-C."""
    chosen = [each.strip() for each in queues.split(",") if each.strip()] or None
    measured = (metrics_host, metrics_port) if metrics_port else None
    _platform().worker(concurrency=concurrency, queues=chosen, metrics=measured)


@app.command()
def simulators(
    port: Annotated[int, typer.Option(help="Port til løn.")] = 8100,
    state: Annotated[Path, typer.Option(help="Mappe til simulatorernes tilstand.")] = Path(
        "var/simulators"
    ),
) -> None:
    """Start simulatorer af de systemer, som Sagsgang taler med. Kun til udvikling og demo."""
    _platform().simulators(port=port, state=state)


@app.command()
def doctor() -> None:
    """Se opsætningen efter, og forklar, hvad der er galt."""
    raise typer.Exit(_platform().doctor())


@app.command()
def migrate() -> None:
    """Opret databasens tabeller, eller bring dem op til denne version."""
    _platform().migrate()


@app.command("migrate-database")
def migrate_database(
    source: Annotated[str, typer.Argument(help="Fra: sqlite:///fil eller postgresql://...")],
    target: Annotated[str, typer.Argument(help="Til: en tom database, skrevet på samme måde.")],
) -> None:
    """Flyt hele installationen til en anden database, og kontrollér, at intet er tabt."""
    from sagsgang.site.configuration import address_fault

    for name, address in (("SOURCE", source), ("TARGET", target)):
        fault = address_fault(address)
        if fault:
            wrong_use.refuse(f"{name} er forkert: {fault}.")
    with _environment(SAGSGANG_DATABASE=target, SAGSGANG_DISPATCH=""):
        raise typer.Exit(_platform().migrate_database(source))


@app.command()
def keys() -> None:
    """Lav nøgler til en ny installation; findes de allerede, sker der intet."""
    from sagsgang.site import keys as installation_keys
    from sagsgang.site.configuration import configuration

    path = configuration().data_dir / "keys.json"
    installation_keys.load(path, create=True)
    typer.echo(f"Nøglerne ligger i {path}. Tag en sikkerhedskopi, og opbevar den et andet sted.")


@app.command()
def deploy(
    path: Annotated[str, typer.Argument(help="En løsnings mappe eller navn.")],
) -> None:
    """Tag en løsning i brug."""
    raise typer.Exit(_platform().deploy(path))


@app.command()
def solutions() -> None:
    """Vis løsningerne med version og tilstand."""
    raise typer.Exit(_platform().solutions())


@app.command()
def submit(
    solution: Annotated[str, typer.Argument(help="Løsningens navn, fx timesheets.")],
    file: Annotated[
        Path,
        typer.Argument(
            help="CSV, XLSX eller JSONL; - læser JSON-linjer fra stdin.", dir_okay=False
        ),
    ],
    user: Annotated[str, typer.Option("--as", help="Brugeren, der sender ind.")] = "system:cli",
    *,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Se kun efter; gem intet.")] = False,
    report: Annotated[
        Path | None, typer.Option(help="Skriv rapporten række for række her.")
    ] = None,
) -> None:
    """Send mange bestillinger ind på én gang."""
    raise typer.Exit(_platform().submit(solution, file, user=user, dry_run=dry_run, report=report))


@app.command()
def case(number: Annotated[str, typer.Argument(help="Sagsnummer, fx 2026-000123.")]) -> None:
    """Vis én sag: tilstand, vej, beslutninger, spor."""
    raise typer.Exit(_platform().case(number))


@app.command()
def sync() -> None:
    """Hent lønvilkår og lønperioder fra lønsystemet, og regulér det, der ændrer sig bagud."""
    raise typer.Exit(_platform().sync())


@app.command()
def scenarios(
    solution: Annotated[str, typer.Argument(help="Løsningens navn; tom: alle.")] = "",
) -> None:
    """Kør løsningernes scenarier i en installation for sig, som fjernes igen."""
    # Apart from the real cases: a scenario makes the worker do everything that is due.
    with (
        tempfile.TemporaryDirectory(prefix="sagsgang-scenarier-") as folder,
        _environment(SAGSGANG_DATA_DIR=folder, SAGSGANG_DATABASE=""),
    ):
        raise typer.Exit(_platform().scenarios(solution))


@app.command()
def check(
    folders: Annotated[
        list[Path] | None,
        typer.Argument(
            help="Løsningers mapper; ingen: dem, der er installeret.", exists=True, file_okay=False
        ),
    ] = None,
) -> None:
    """Se løsninger efter: flow, tabeller, formularer, tekster. Intet tages i brug."""
    raise typer.Exit(_platform().check(folders or ()))


@app.command()
def demo(
    sheets: Annotated[int, typer.Option(min=50, max=30_000, help="Antal timesedler.")] = 2500,
    seed: Annotated[int, typer.Option(help="Samme frø giver samme måned.")] = 2025,
) -> None:
    """Kør en måneds timesedler fra fil til løn, og stem af."""
    from sagsgang.demo import month

    raise typer.Exit(month.run(sheets=sheets, seed=seed))


def _mount_installed_parts() -> None:
    from sagsgang.api.cli import app as api_app
    from sagsgang.audit.cli import app as audit_app
    from sagsgang.organisation.cli import app as organisation_app
    from sagsgang.site.operate import app as operate_app

    app.add_typer(audit_app, name="audit")
    app.add_typer(api_app, name="api-key")
    app.add_typer(operate_app, name="operate")
    app.add_typer(organisation_app, name="organisation")


def main() -> None:
    """Entry point of the command."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "sagsgang.site.settings")
    _mount_installed_parts()
    app(prog_name="sagsgang")


if __name__ == "__main__":
    main()

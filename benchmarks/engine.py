# SPDX-License-Identifier: MPL-2.0
"""The engine beside its peers: the same flow, state committed at each wait, instances a second.

    python -m benchmarks.engine [--quick] [--rounds N] [--no-peers] [--only TEXT] [--postgres URL]

The flow: start, inline service step, decision table, gateway, user task completed, end. Every
contender writes its state durably when the user task opens and when the instance ends, by its own
means: one client, one instance after another; and several at once, each as the contender does it
(processes, threads, tasks in flight). All run in turn, several rounds of all; the table has the
medians of the rounds.

``floor`` is two bare commits of one row: nobody who makes two commits durable, one client at a
time, is faster on this disk. ``cpu ms`` is the processor's time for an instance in the processes
of the contender, without the server's.

How durable: SQLite with a write-ahead log and ``synchronous=FULL`` (Sagsgang flushes the log
itself before a commit returns), PostgreSQL with ``synchronous_commit=on``, bpmn-engine syncs its
files. ``commits`` are transactions that write, as the database counts them; ``all`` those that
read, too; ``syncs`` how often PostgreSQL made its log durable. In flight, many commits share a
sync: at PostgreSQL by themselves, at Sagsgang on both databases by its group commit.

Each contender runs in a process of its own. The peers are installed at the first run, into
``.venv-bench`` and ``benchmarks/peers/engine``; those that cannot be had are reported as absent.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any
from urllib.parse import urlsplit

ROOT = Path(__file__).resolve().parent.parent
PEERS = ROOT / "benchmarks" / "peers" / "engine"
sys.path.insert(0, str(ROOT))

from benchmarks.peer_setup import node_peers, python_peers  # noqa: E402 - run as a file too

OWN = "Sagsgang"
FLOOR = "floor"
IN_FLIGHT = 50
PROCESSES = 4
AIM, AIM_IN_BULK = 3, 10


@dataclass(frozen=True)
class Contender:
    """Who is measured.

    Attributes:
        name: ``Sagsgang``, ``floor`` or the peer.
        how: ``one client``, ``in flight``, ``processes``, ``bulk``, ``workers``, and how many.
        database: ``sqlite``, ``postgresql`` or ``files``.
        command: What to run; None where it could not be installed.
        count: How many instances a round.
    """

    name: str
    how: str
    database: str
    command: Sequence[str] | None
    count: int

    @property
    def is_peer(self) -> bool:
        """Whether it is somebody else's."""
        return self.name not in {OWN, FLOOR}

    def run(self, server: str) -> dict[str, Any]:
        """Run it once, on an empty database; its last line of output is its result."""
        if self.command is None:
            return {"absent": "could not be installed"}
        with tempfile.TemporaryDirectory() as folder:
            environment = {"BENCH_FOLDER": folder, "ENGINE_SQLITE": f"{folder}/db.sqlite3"}
            environment["BENCH_DISPATCH"] = "embedded" if "embedded" in self.how else ""
            on_server = self.database == "postgresql"
            environment["SAGSGANG_DATABASE"] = fresh_database(server) if on_server else ""
            done = subprocess.run(
                self.command,
                env={**os.environ, **environment},
                capture_output=True,
                text=True,
                timeout=420,
                check=False,
            )
        lines = [each for each in done.stdout.splitlines() if each.startswith("{")]
        if done.returncode or not lines:
            return {"absent": (done.stderr.strip().splitlines() or ["no result"])[-1][:200]}
        result: dict[str, Any] = json.loads(lines[-1])
        return result


def contenders(server: str | None, scale: float, *, peers: bool) -> Iterator[Contender]:
    """Everyone, each of ours beside those it is compared with."""

    def count(full: int, at_once: int = 1) -> int:
        return max(int(full * scale) // at_once, 1) * at_once

    def own(how: str, database: str, mode: str, full: int) -> Contender:
        many = count(full, 100)
        command = [sys.executable, str(ROOT / "benchmarks" / "engine_runs.py"), mode, str(many)]
        return Contender(OWN, how, database, command, many)

    python = python_peers("bench-engine.txt", "SpiffWorkflow, dbos, temporalio") if peers else None
    node = "node" if peers and node_peers(PEERS) else None

    def peer(name: str, database: str, script: str, full: int, at_once: int = 1) -> list[Contender]:
        if name != FLOOR and not peers:
            return []
        # Procrastinate is part of the product, so it runs on the product's Python.
        own_python = script in {"bare.py", "procrastinate_bare.py"}
        runs = sys.executable if own_python else node if script.endswith(".mjs") else python
        many = count(full, at_once)
        command = [str(runs), str(PEERS / script), str(many), str(at_once)] if runs else None
        how = "one client" if at_once == 1 else f"{at_once} in flight"
        if script == "spiff.py" and at_once > 1:
            how = f"{at_once} processes"
        return [Contender(name, how, database, command, many)]

    # Rounds of seconds: SQLite's log grows to its size in the first hundreds of commits.
    yield from peer(FLOOR, "sqlite", "bare.py", 4000)
    yield own("one client", "sqlite", "clients1x1", 3000)
    yield from peer("SpiffWorkflow", "sqlite", "spiff.py", 1500)
    yield from peer("bpmn-engine", "files", "bpmn_engine.mjs", 150)
    yield from peer("DBOS", "sqlite", "dbos_flow.py", 60)
    yield from peer("Temporal, development server", "sqlite", "temporal_flow.py", 60)
    yield own(f"{PROCESSES} processes", "sqlite", f"clients{PROCESSES}x1", 4000)
    yield from peer("SpiffWorkflow", "sqlite", "spiff.py", 2000, PROCESSES)
    yield own(f"{IN_FLIGHT} in flight", "sqlite", f"clients2x{IN_FLIGHT // 2}", 3000)
    yield from peer("bpmn-engine", "files", "bpmn_engine.mjs", 200, IN_FLIGHT)
    yield from peer("DBOS", "sqlite", "dbos_flow.py", 150, IN_FLIGHT)
    yield from peer("Temporal, development server", "sqlite", "temporal_flow.py", 200, IN_FLIGHT)
    yield own("bulk", "sqlite", "bulk1", 8000)
    yield own("bulk, 2 processes", "sqlite", "bulk2", 8000)
    if server is None:
        return
    yield from peer(FLOOR, "postgresql", "bare.py", 600)
    yield own("one client", "postgresql", "clients1x1", 600)
    yield from peer("DBOS", "postgresql", "dbos_flow.py", 100)
    yield from peer("Procrastinate, bare", "postgresql", "procrastinate_bare.py", 150)
    yield own(f"{PROCESSES} processes", "postgresql", f"clients{PROCESSES}x1", 1000)
    yield own(f"{IN_FLIGHT} in flight", "postgresql", f"clients2x{IN_FLIGHT // 2}", 3000)
    yield from peer(FLOOR, "postgresql", "bare.py", 3000, IN_FLIGHT)
    yield from peer("DBOS", "postgresql", "dbos_flow.py", 250, IN_FLIGHT)
    yield from peer("Procrastinate, bare", "postgresql", "procrastinate_bare.py", 1000, IN_FLIGHT)
    yield own("bulk", "postgresql", "bulk1", 8000)
    yield own("bulk, 2 processes", "postgresql", "bulk2", 8000)
    for workers in (1, 2, 4, 8):
        yield own(f"{workers} workers", "postgresql", f"workers{workers}", 4000)
    yield own("2 workers, embedded", "postgresql", "workers2", 4000)


def fresh_database(server: str) -> str:
    """A new, empty PostgreSQL database; its address."""
    import psycopg

    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute("DROP DATABASE IF EXISTS sagsgang_bench WITH (FORCE)")
        connection.execute("CREATE DATABASE sagsgang_bench")
    return server.rsplit("/", 1)[0] + "/sagsgang_bench"


def drop_database(server: str) -> None:
    """Remove the database again."""
    import psycopg

    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute("DROP DATABASE IF EXISTS sagsgang_bench WITH (FORCE)")


# --- What is made of the rounds ------------------------------------------------------------


@dataclass(frozen=True)
class Measured:
    """A contender and the result of each round."""

    contender: Contender
    rounds: Sequence[Mapping[str, Any]]

    def median_of(self, figure: str) -> float | None:
        """The median of a figure over the rounds that have it."""
        values = [each[figure] for each in self.rounds if figure in each]
        return median(values) if values else None

    @property
    def rate(self) -> float | None:
        """Instances, or jobs, a second."""
        return self.median_of("instances_per_second") or self.median_of("jobs_per_second")

    def figures(self) -> dict[str, Any]:
        """The medians, and the rates of the rounds, to be kept."""
        names = {name: None for each in self.rounds for name in each}
        contender = self.contender
        told = {"name": contender.name, "how": contender.how, "database": contender.database}
        told |= {"instances_a_round": contender.count}
        if self.rate is None:
            return {**told, "absent": self.rounds[-1].get("absent")}
        medians = {name: self.median_of(name) for name in names if name != "absent"}
        return {**told, **medians, "rounds": [dict(each) for each in self.rounds]}


_COLUMNS = (
    ("commits_per_instance", "commits", 9, ".2f"),
    ("transactions_per_instance", "all", 7, ".2f"),
    ("syncs_per_instance", "syncs", 8, ".2f"),
    ("cpu_ms_per_instance", "cpu ms", 8, ".2f"),
)


def table(measured: Sequence[Measured]) -> Iterator[str]:
    """The lines of the table."""
    heads = "".join(f"{title:>{width}}" for _, title, width, _ in _COLUMNS)
    yield f"{'':30}{'':20}{'database':12}{'per second':>11}{heads}"
    for each in measured:
        contender = each.contender
        line = f"{contender.name:30}{contender.how:20}{contender.database:12}"
        if each.rate is None:
            yield f"{line}  absent: {each.rounds[-1].get('absent')}"
            continue
        line += f"{each.rate:>11,.1f}"
        for figure, _, width, form in _COLUMNS:
            value = each.median_of(figure)
            line += f"{'' if value is None else format(value, form):>{width}}"
        latency = each.median_of("latency_ms_median")
        yield line.rstrip() if latency is None else f"{line}  a job starts after {latency:.1f} ms"


def ratios(measured: Sequence[Measured]) -> list[dict[str, Any]]:
    """Each way of ours beside the best peer that works the same way on the same database.

    Bulk is compared with the best of all ways, and bpmn-engine's files with SQLite.
    """
    found = []
    for ours in measured:
        contender = ours.contender
        if contender.name != OWN or ours.rate is None or "workers" in contender.how:
            continue
        is_bulk = contender.how.startswith("bulk")
        alike = [
            each
            for each in measured
            if (each.contender.database == "postgresql") == (contender.database == "postgresql")
            and each.rate is not None
            and (is_bulk or (each.contender.how == "one client") == (contender.how == "one client"))
        ]
        peers = [each for each in alike if each.contender.is_peer]
        if not peers:
            continue
        best = max(peers, key=lambda each: each.rate or 0)
        pairs = zip(ours.rounds, best.rounds, strict=True)
        each_round = [
            mine["instances_per_second"] / theirs["instances_per_second"]
            for mine, theirs in pairs
            if "instances_per_second" in mine and "instances_per_second" in theirs
        ]
        floors = [each.rate for each in alike if each.contender.name == FLOOR]
        found.append(
            {
                "database": contender.database,
                "how": contender.how,
                "per_second": ours.rate,
                "best_peer": f"{best.contender.name}, {best.contender.how}",
                "best_peer_per_second": best.rate,
                "times": round(median(each_round), 2),
                "least": round(min(each_round), 2),
                "most": round(max(each_round), 2),
                "aim": AIM_IN_BULK if is_bulk else AIM,
                "floor_per_second": None if is_bulk or not floors else floors[0],
            }
        )
    return found


def sentences(compared: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """The ratios in words."""
    for each in compared:
        yield (
            f"{each['database']}, {each['how']}: {each['times']} times the best peer "
            f"({each['best_peer']}: {each['best_peer_per_second']:,.0f} a second); "
            f"rounds {each['least']} to {each['most']}; aim {each['aim']}."
        )
        floor = each["floor_per_second"]
        if floor and each["how"] == "one client":
            most = floor / each["best_peer_per_second"]
            yield (
                f"  Bare commits: {floor:,.0f} a second, {most:.1f} times the best peer; "
                f"the engine reaches {each['per_second'] / floor:.0%} of them."
            )


def main() -> None:
    """Run everything in rounds and print one table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--no-peers", action="store_true", help="leave the peers out")
    parser.add_argument("--quick", action="store_true", help="one round of a fifth of the work")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--only", default="", help="those whose name, way or database has this")
    parser.add_argument("--json", type=Path, default=os.environ.get("BENCH_FIGURES"))
    parser.add_argument(
        "--postgres",
        default=os.environ.get(
            "SAGSGANG_TEST_POSTGRES", "postgresql://postgres@127.0.0.1:5432/postgres"
        ),
    )
    chosen = parser.parse_args()
    server = chosen.postgres if _answers(chosen.postgres) else None
    everyone = [
        each
        for each in contenders(server, 0.2 if chosen.quick else 1, peers=not chosen.no_peers)
        if chosen.only in f"{each.name}, {each.how}, {each.database}"
    ]
    rounds = 1 if chosen.quick else chosen.rounds
    results: list[list[dict[str, Any]]] = [[] for _ in everyone]
    for number in range(1, rounds + 1):
        for contender, kept in zip(everyone, results, strict=True):
            kept.append(contender.run(server or ""))
        print(f"round {number} of {rounds} done", file=sys.stderr, flush=True)
    if server:
        drop_database(server)
    measured = [Measured(each, kept) for each, kept in zip(everyone, results, strict=True)]
    compared = ratios(measured)
    print("\n".join([*table(measured), "", *sentences(compared)]))
    if chosen.json:
        figures = {"contenders": [each.figures() for each in measured], "ratios": compared}
        Path(chosen.json).write_text(json.dumps(figures, indent=2) + "\n")


def _answers(server: str) -> bool:
    import psycopg

    if not urlsplit(server).scheme.startswith("postgres"):
        return False
    try:
        psycopg.connect(server, connect_timeout=3).close()
    except psycopg.OperationalError:
        return False
    return True


if __name__ == "__main__":
    main()

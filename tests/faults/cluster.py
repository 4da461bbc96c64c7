# SPDX-License-Identifier: MPL-2.0
"""A PostgreSQL server of the test's own: on a free port, gone afterwards, restarted at will."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal

import psycopg

from tests.serving import free_port

__all__ = ["Cluster", "absence", "cluster"]

Mode = Literal["smart", "fast", "immediate"]

_SETTINGS = """
listen_addresses = '{addresses}'
port = {port}
unix_socket_directories = '{folder}'
shared_buffers = 32MB
max_connections = 60
max_wal_size = 200MB
# The server crashes here, the machine does not: what was written is there without a sync.
fsync = off
log_min_messages = fatal
"""


def _programs() -> Path | None:
    found = sorted(
        Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: int(path.parts[4])
    )
    if found:
        return found[-1].parent
    there = shutil.which("initdb")
    return Path(there).resolve().parent if there else None


def absence() -> str:
    """Why no server can be made here; "" where one can."""
    if _programs() is None:
        return "there is no initdb (Debian package postgresql)"
    if os.geteuid() == 0:
        try:
            pwd.getpwnam("postgres")
        except KeyError:
            return "there is no user postgres, and PostgreSQL does not run as root"
    return ""


class Cluster:
    """The server. Reached over loopback, and by its socket from every network namespace."""

    def __init__(self, folder: Path, *, namespace: str = "") -> None:
        programs = _programs()
        assert programs is not None
        self.folder = folder
        self.port = free_port()
        self._programs = programs
        self._as = ["runuser", "-u", "postgres", "--"] if os.geteuid() == 0 else []
        self._in = ["nsenter", f"--net={namespace}"] if namespace else []
        self.give(folder)
        self._run("initdb", "-D", self._data, "-U", "postgres", "-A", "trust", "--no-sync", "-N")
        addresses = "*" if namespace else "127.0.0.1"
        settings = _SETTINGS.format(addresses=addresses, port=self.port, folder=folder)
        self._append("postgresql.conf", settings)
        self._append("pg_hba.conf", "host all all 10.77.0.0/16 trust\n")
        self.start()

    @property
    def _data(self) -> str:
        return str(self.folder / "data")

    def _append(self, name: str, text: str) -> None:
        with (self.folder / "data" / name).open("a") as file:
            file.write(text)

    def _run(self, program: str, *arguments: str) -> None:
        command = [*self._in, *self._as, str(self._programs / program), *arguments]
        # Not into pipes: the server would keep them open for ever.
        with tempfile.TemporaryFile() as output:
            ended = subprocess.run(
                command, check=False, stdout=output, stderr=output, cwd=self.folder, timeout=120
            )
            output.seek(0)
            assert ended.returncode == 0, output.read().decode(errors="replace")

    def start(self) -> None:
        """Let the server run; returns when it answers."""
        log = str(self.folder / "server.log")
        self._run("pg_ctl", "-D", self._data, "-l", log, "-w", "-t", "60", "start")

    def stop(self, mode: Mode = "fast") -> None:
        """Stop it: ``fast`` cuts every connection off, ``immediate`` is a crash."""
        self._run("pg_ctl", "-D", self._data, "-m", mode, "-w", "stop")

    def give(self, folder: Path) -> None:
        """Let the server's user own a folder."""
        if self._as:
            shutil.chown(folder, "postgres", "postgres")

    def connect(self, database: str = "postgres") -> psycopg.Connection[Any]:
        """A connection by the socket."""
        return psycopg.connect(
            host=str(self.folder), port=self.port, user="postgres", dbname=database, autocommit=True
        )

    def create(self, name: str, *options: str) -> str:
        """Make a database; its address on loopback."""
        with self.connect() as making:
            making.execute(f'CREATE DATABASE "{name}" {" ".join(options)}')
        return self.url(name)

    def url(self, name: str, host: str = "127.0.0.1") -> str:
        """The address of a database."""
        return f"postgresql://postgres@{host}:{self.port}/{name}"


@contextmanager
def cluster(*, namespace: str = "") -> Iterator[Cluster]:
    """A server that ends with the block."""
    # A socket's path must be short, and the server's user must be able to reach it.
    folder = Path(tempfile.mkdtemp(prefix="sagsgang-pg-", dir="/tmp"))
    try:
        folder.chmod(0o755)
        made = Cluster(folder, namespace=namespace)
        try:
            yield made
        finally:
            made.stop("immediate")
    finally:
        shutil.rmtree(folder, ignore_errors=True)

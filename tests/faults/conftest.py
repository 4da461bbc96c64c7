# SPDX-License-Identifier: MPL-2.0
"""Databases and processes for fault tests: each test has its own, on SQLite and on PostgreSQL."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

RIG = Path(__file__).parent / "rig.py"
SERVER = os.environ.get("SAGSGANG_TEST_POSTGRES", "postgresql://postgres@127.0.0.1:5432/postgres")


class Rig:
    """Starts processes of ``rig.py`` on one database."""

    def __init__(self, database: str, folder: Path) -> None:
        self.database = database
        self.folder = folder
        self._processes: list[subprocess.Popen[str]] = []

    @property
    def is_postgresql(self) -> bool:
        return bool(self.database)

    def environment(self, **settings: Any) -> dict[str, str]:
        return {
            **os.environ,
            "SAGSGANG_DATABASE": self.database,
            "SAGSGANG_DATA_DIR": str(self.folder),
            "RIG_RECORD": str(self.folder / "record"),
            **{f"RIG_{name.upper()}": str(value) for name, value in settings.items()},
        }

    def begin(self, *arguments: str, **settings: Any) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [sys.executable, "-W", "ignore", str(RIG), *arguments],
            env=self.environment(**settings),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self._processes.append(process)
        return process

    def end(self) -> None:
        """Leave no process behind, also where a test has failed."""
        for each in self._processes:
            if each.poll() is None:
                each.kill()
                each.communicate()

    def run(self, *arguments: str, **settings: Any) -> int:
        """Run to the end, natural or not; the return code is negative when it was killed."""
        process = self.begin(*arguments, **settings)
        _, errors = process.communicate(timeout=120)
        assert process.returncode in {0, -9}, errors
        return process.returncode

    def check(self) -> dict[str, Any]:
        process = self.begin("check")
        output, errors = process.communicate(timeout=120)
        assert process.returncode == 0, errors
        found: dict[str, Any] = json.loads(output)
        return found

    def assert_whole(self, count: int) -> dict[str, Any]:
        """Every instance has ended; every effect happened under one key; nothing is left over."""
        found = self.check()
        assert found["violations"] == []
        assert found["statuses"] == {"completed": count}
        assert found["jobs"] == 0
        assert found["effects"] == found["places"] == found["expected"]
        return found


def _server() -> psycopg.Connection[Any] | None:
    try:
        return psycopg.connect(SERVER, autocommit=True, connect_timeout=3)
    except psycopg.OperationalError:
        return None


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def rig(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Rig]:
    if request.param == "sqlite":
        embedded = Rig("", tmp_path)
        yield embedded
        embedded.end()
        return
    server = _server()
    if server is None:
        if "postgres" in os.environ.get("SAGSGANG_REQUIRE", ""):
            pytest.fail("PostgreSQL is required, but does not answer.")
        pytest.skip("PostgreSQL does not answer; set SAGSGANG_TEST_POSTGRES to a server.")
    name = f"sagsgang_fault_{uuid.uuid4().hex[:10]}"
    with server:
        server.execute(f'CREATE DATABASE "{name}"')
    served = Rig(f"{SERVER.rsplit('/', 1)[0]}/{name}", tmp_path)
    try:
        yield served
    finally:
        served.end()
        with psycopg.connect(SERVER, autocommit=True) as dropping:
            dropping.execute(f'DROP DATABASE "{name}" WITH (FORCE)')

# SPDX-License-Identifier: MPL-2.0
"""The example of ``docs/api.md``: robots outside do the work, also when one of them is killed."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.databases import new_database
from tests.serving import environment, serving

EXAMPLE = Path(__file__).resolve().parents[2] / "docs" / "examples" / "external-worker"

PREPARE = """
from sagsgang.site import keys as installation
from sagsgang.site.configuration import configuration
installation.load(configuration().data_dir / "keys.json", create=True)
import django
django.setup()
from django.utils import timezone
from sagsgang.api import keys
from sagsgang.organisation.models import RoleAssignment, User
from sagsgang.site import commands
commands.migrate()
user = User.objects.create_user("indkob")
RoleAssignment.objects.create(user=user, role="caseworker", valid_from="2020-01-01")
now = timezone.now()
print(keys.create("robot", ["jobs"], now=now, by="t", task_types=["book-equipment"]).key)
print(keys.create("portal", ["cases"], now=now, by="t", user="indkob").key)
"""


class OldSystem:
    """The outside system: writes down every key it is called with, and may be made to hang."""

    def __init__(self) -> None:
        self.calls: list[str] = []
        self.begun = threading.Event()
        self.go_on = threading.Event()
        self.go_on.set()
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_PUT(self) -> None:
                outer.calls.append(self.path.removeprefix("/bookings/"))
                self.rfile.read(int(self.headers["Content-Length"]))
                outer.begun.set()
                outer.go_on.wait(120)
                body = b'{"number": "I-17"}'
                try:
                    self.send_response(200)
                    self.send_header("Content-Length", str(len(body)))
                    self.end_headers()
                    self.wfile.write(body)
                except OSError:
                    pass  # Whoever called is dead.

            def log_message(self, *_: Any) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.address = f"http://127.0.0.1:{self.server.server_address[1]}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def close(self) -> None:
        self.go_on.set()
        self.server.shutdown()
        self.server.server_close()


@contextmanager
def running(*command: str, **settings: str) -> Iterator[subprocess.Popen[bytes]]:
    process = subprocess.Popen(command, env=environment(**settings), stderr=subprocess.DEVNULL)
    try:
        yield process
    finally:
        if process.poll() is None:
            process.kill()
        process.wait()


def until(condition: Any, seconds: float = 120) -> Any:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if found := condition():
            return found
        time.sleep(0.1)
    raise AssertionError("It did not happen in time.")


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def database(request: pytest.FixtureRequest) -> Iterator[str]:
    """A database of its own: SQLite in the data folder, or PostgreSQL, where Procrastinate runs."""
    if request.param == "sqlite":
        yield ""
        return
    with new_database() as made:
        yield made


@pytest.fixture
def installed(tmp_path: Path, database: str) -> dict[str, str]:
    """An installation with the example beside the platform; its settings."""
    about = tmp_path / "packages" / "sagsgang_equipment-1.0.0.dist-info"
    about.mkdir(parents=True)
    (about / "METADATA").write_text(
        "Metadata-Version: 2.1\nName: sagsgang-equipment\nVersion: 1.0.0\n"
    )
    (about / "entry_points.txt").write_text("[sagsgang.solutions]\nequipment = equipment\n")
    return {
        "PYTHONPATH": os.pathsep.join([str(about.parent), str(EXAMPLE)]),
        "SAGSGANG_DATA_DIR": str(tmp_path / "var"),
        "SAGSGANG_DATABASE": database,
        "DJANGO_SETTINGS_MODULE": "sagsgang.site.settings",
    }


def test_robots_do_the_work_and_a_killed_one_is_followed_by_another(
    tmp_path: Path, installed: dict[str, str]
) -> None:
    made = subprocess.run(
        [sys.executable, "-c", PREPARE],
        env=environment(**installed),
        capture_output=True,
        text=True,
        check=True,
    )
    robot, portal = made.stdout.split()[-2:]
    old = OldSystem()
    with (
        serving(tmp_path, **installed) as served,
        httpx.Client(
            base_url=f"{served.address}/api/v1",
            headers={"Authorization": f"Bearer {portal}"},
            timeout=60,
            trust_env=False,
        ) as api,
    ):
        outside = {
            "SAGSGANG_URL": served.address,
            "SAGSGANG_KEY": robot,
            "OLD_SYSTEM": old.address,
            "LOCK_SECONDS": "3",
        }

        def order(key: str) -> str:
            answer = api.post(
                "/orders",
                json={"solution": "equipment", "data": {"item": "screen", "count": 1}},
                headers={"Idempotency-Key": key},
            )
            assert answer.status_code == 201, answer.text
            return str(answer.json()["number"])

        def case(number: str) -> Any:
            return api.get(f"/cases/{number}").json()

        worker = (sys.executable, str(EXAMPLE / "worker.py"))
        old.go_on.clear()
        with running(*worker, **outside) as first:
            number = order("1")
            assert old.begun.wait(120)
            assert case(number)["stage"] == "Bestilles i indkøbssystemet"
            first.send_signal(signal.SIGKILL)
        old.go_on.set()
        with running(*worker, **outside):
            done = until(lambda: (found := case(number))["status"] == "completed" and found)
        assert done["summary"] == {"Vare": "screen", "Antal": 1, "Bestillingsnummer": "I-17"}
        assert len(old.calls) == 2
        assert len(set(old.calls)) == 1
        if shutil.which("curl") and shutil.which("jq"):
            with running("bash", str(EXAMPLE / "worker.sh"), **outside) as shell:
                number = order("2")
                shell.wait(120)
            assert case(number)["status"] == "completed"
            assert len(set(old.calls)) == 2
    old.close()

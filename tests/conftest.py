# SPDX-License-Identifier: MPL-2.0
"""What every test may rely on, and what the machine must have for some of them.

A test that needs PostgreSQL, Chromium or the public test kits is marked so. Where the machine lacks
it, the test is skipped and says so; ``SAGSGANG_REQUIRE=postgres,browser`` makes that a failure.
"""

from __future__ import annotations

import os
import shutil
import socket
from functools import lru_cache
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from tests.examples import examples

ROOT = Path(__file__).resolve().parent.parent

settings.register_profile(
    "sagsgang",
    deadline=None,
    max_examples=examples(25),
    suppress_health_check=[HealthCheck.too_slow],
    print_blob=True,
    # What lands is decided by the same examples each time; new ones are for those who work on it.
    derandomize=bool(os.environ.get("CI")),
)
settings.load_profile("sagsgang")


@lru_cache
def _postgres() -> bool:
    try:
        with socket.create_connection(("127.0.0.1", 5432), timeout=20):
            return True
    except OSError:
        return False


@lru_cache
def _browser() -> bool:
    return any(shutil.which(name) for name in ("chromium", "chromium-browser", "google-chrome"))


@lru_cache
def conformance_kit() -> Path | None:
    """The folder of the public test kits, if it is there."""
    folder = Path(os.environ.get("SAGSGANG_CONFORMANCE", ROOT.parent / "shared" / "conformance"))
    return folder if folder.is_dir() else None


@lru_cache
def sample_data() -> Path | None:
    """The folder of real sample files, if it is there."""
    folder = Path(os.environ.get("SAGSGANG_DATA", ROOT.parent / "shared" / "data"))
    return folder if folder.is_dir() else None


_NEEDS = {
    "postgres": (_postgres, "PostgreSQL does not answer on 127.0.0.1:5432"),
    "browser": (_browser, "there is no Chromium on the path"),
    "conformance": (
        lambda: conformance_kit() is not None,
        "the public test kits are not there (set SAGSGANG_CONFORMANCE)",
    ),
}


def pytest_runtest_setup(item: pytest.Item) -> None:
    required = set(os.environ.get("SAGSGANG_REQUIRE", "").split(",")) - {""}
    for name, (present, absence) in _NEEDS.items():
        if item.get_closest_marker(name) is None or present():
            continue
        if name in required:
            pytest.fail(f"SAGSGANG_REQUIRE asks for {name}, but {absence}.", pytrace=False)
        pytest.skip(f"{absence}.")

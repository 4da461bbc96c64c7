# SPDX-License-Identifier: MPL-2.0
"""Databases, servers and machines for fault tests: each test has its own."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from . import cluster as clusters
from . import spaces
from .outside import Outside, outside
from .rigs import Rig, on_postgresql, on_sqlite


def require(part: str, absence: str) -> None:
    """Skip what the machine cannot do, or fail where ``SAGSGANG_REQUIRE`` names it."""
    if not absence:
        return
    if part in os.environ.get("SAGSGANG_REQUIRE", "").split(","):
        pytest.fail(f"SAGSGANG_REQUIRE asks for {part}, but {absence}.", pytrace=False)
    pytest.skip(f"{absence}.")


@pytest.fixture
def system() -> Iterator[Outside]:
    with outside() as served:
        yield served


@pytest.fixture
def embedded(tmp_path: Path, system: Outside) -> Iterator[Rig]:
    """On SQLite, with the engine's own dispatcher."""
    with on_sqlite(tmp_path, system) as rig:
        yield rig


@pytest.fixture
def served(tmp_path: Path, system: Outside) -> Iterator[Rig]:
    """On PostgreSQL, with the engine's own dispatcher."""
    with on_postgresql(tmp_path, system) as rig:
        yield rig


@pytest.fixture
def queued(tmp_path: Path, system: Outside) -> Iterator[Rig]:
    """On PostgreSQL, with Procrastinate."""
    with on_postgresql(tmp_path, system, "procrastinate") as rig:
        yield rig


@pytest.fixture(params=["embedded", pytest.param("served", marks=pytest.mark.postgres)])
def rig(request: pytest.FixtureRequest) -> Rig:
    """On both databases."""
    found: Rig = request.getfixturevalue(request.param)
    return found


@pytest.fixture
def cluster() -> Iterator[clusters.Cluster]:
    """A PostgreSQL server of the test's own."""
    require("postgres", clusters.absence())
    with clusters.cluster() as made:
        yield made


@pytest.fixture
def network() -> Iterator[spaces.Network]:
    """Network namespaces of the test's own."""
    require("netns", spaces.absence())
    with spaces.network() as made:
        yield made

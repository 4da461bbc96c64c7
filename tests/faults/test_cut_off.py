# SPDX-License-Identifier: MPL-2.0
"""A worker on another machine is cut off from the network in the middle of its work: another takes
over, and what the first one brings when it is back is not used."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from . import cluster as clusters
from .conftest import require
from .outside import outside
from .processes import Place
from .rigs import Rig
from .spaces import Network

pytestmark = pytest.mark.postgres

TOTAL = 6
LEASE = 2.0


@dataclass(slots=True)
class Site:
    """Two machines with workers, and a hub with the database and the outside system."""

    rig: Rig
    network: Network
    machines: dict[str, Place]


@contextmanager
def site(network: Network, folder: Path, dispatch: str) -> Iterator[Site]:
    with (
        clusters.cluster(namespace=network.hub) as server,
        outside(listening=network.listen()) as system,
    ):
        server.create("orders")
        # The test itself reaches the database by its socket, from outside of the network.
        here = f"postgresql://postgres@/orders?host={server.folder}&port={server.port}"
        port = system.url.rpartition(":")[2]
        rig = Rig(Place(here, folder, dispatch=dispatch), system)
        machines = {}
        for name in ("a", "b"):
            path, hub = network.machine(name)
            machines[name] = replace(
                rig.place,
                database=server.url("orders", hub),
                outside=f"http://{hub}:{port}",
                namespace=path,
            )
        try:
            yield Site(rig, network, machines)
        finally:
            rig.end()


@pytest.mark.parametrize("dispatch", ["embedded", "procrastinate"])
def test_a_worker_that_is_cut_off_is_replaced(network, tmp_path, dispatch):
    require("postgres", clusters.absence())
    with site(network, tmp_path, dispatch) as where:
        rig = where.rig
        rig.run("prepare", count=TOTAL)
        # Worker A is in the middle of jobs: the outside system has done them, not yet answered.
        rig.outside.answering.clear()
        cut = rig.begin("work", place=where.machines["a"], lease=LEASE)
        rig.outside.wait_for(2)
        network.pull("a")
        held = set(rig.outside.calls)
        rig.outside.answering.set()
        # Worker B takes over when the leases of A have ended, and comes to the end without it.
        other = rig.begin("work", place=where.machines["b"], lease=LEASE)
        rig.run("office", total=TOTAL)
        assert set(rig.outside.calls[len(held) :]) >= held, "B has done again what A held"
        assert cut.is_running(), cut.told
        rig.assert_whole(TOTAL)
        # A is back: it goes on as a worker, and its late results change nothing.
        network.plug("a")
        rig.run("office", total=TOTAL + 2)
        for each in (other, cut):
            each.send(signal.SIGTERM)
            assert each.wait() == 0
        rig.assert_whole(TOTAL + 2)

# SPDX-License-Identifier: MPL-2.0
"""Every test of semantics runs twice: straight, and with the state stored after every step."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.bpmn.host import Host


@pytest.fixture(params=[False, True], ids=["straight", "reloaded"])
def play(request: pytest.FixtureRequest) -> Callable[..., Host]:
    """Makes a host for a model."""

    def make(xml: bytes, process: str | None = None) -> Host:
        return Host(xml, reload=request.param, process=process)

    return make

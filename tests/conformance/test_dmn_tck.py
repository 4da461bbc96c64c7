# SPDX-License-Identifier: MPL-2.0
"""The DMN Technology Compatibility Kit, as far as it is there."""

from __future__ import annotations

import pytest

from sagsgang.dmn.tck import Summary, run
from tests.conftest import conformance_kit


@pytest.mark.conformance
@pytest.mark.parametrize("level", ["compliance-level-2", "compliance-level-3"])
def test_every_case_of_the_kit_passes_but_those_that_need_java(level: str) -> None:
    kit = conformance_kit()
    assert kit is not None
    folder = kit / "dmn-tck" / level
    if not folder.is_dir():
        pytest.skip(f"{folder} is not there")
    summary = Summary.of(run([folder]))
    assert summary.passed > 0
    assert [str(case) for case in summary.failures if "Java" not in str(case)] == []

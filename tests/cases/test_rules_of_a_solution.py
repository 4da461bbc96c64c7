# SPDX-License-Identifier: MPL-2.0
"""A solution is not taken into use with a table that cannot decide."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from sagsgang.cases import solution
from sagsgang.cases.errors import SolutionError

TIMESHEETS = Path(solution.__file__).parent.parent / "solutions" / "timesheets"


def _copy_with_table(folder: Path, old: str, new: str) -> Path:
    copied = folder / "timesheets"
    shutil.copytree(TIMESHEETS, copied, ignore=shutil.ignore_patterns("__pycache__"))
    table = copied / "rules" / "assessment.dmn"
    content = table.read_text(encoding="utf-8")
    assert old in content
    table.write_text(content.replace(old, new, 1), encoding="utf-8")
    return copied


def test_a_cell_that_is_not_feel_is_named_with_its_file_and_rule(tmp_path: Path) -> None:
    with pytest.raises(SolutionError) as refused:
        solution.load(_copy_with_table(tmp_path, "&gt; 13", "&gt; 13 +"))
    (fault,) = refused.value.faults
    assert "assessment.dmn" in fault
    assert "rule 8" in fault.lower() or "r8" in fault


def test_a_table_that_is_no_longer_xml_is_refused_in_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(SolutionError, match=r"assessment\.dmn"):
        solution.load(_copy_with_table(tmp_path, "</definitions>", ""))


def test_a_table_may_use_the_municipal_functions(tmp_path: Path) -> None:
    changed = _copy_with_table(tmp_path, "&gt; 13", "&gt; round to krone(13.2)")
    assert solution.load(changed).id == "timesheets"

# SPDX-License-Identifier: MPL-2.0
"""Each broken model is told about with its element and its rule, and with nothing else."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import pytest

from sagsgang.bpmn import load
from sagsgang.bpmn.validation import Severity, Violation, check, rules
from sagsgang.bpmn.validation.page import page
from tests.bpmn.broken import Case, cases

CASES = {each.name: each for each in cases()}


@cache
def told(xml: bytes) -> list[Violation]:
    return check(load(xml), advice=True)


def test_no_two_cases_have_one_name():
    assert len(CASES) == len(cases())


@pytest.mark.parametrize("name", CASES)
def test_a_broken_model_is_told_and_the_valid_one_beside_it_is_not(name):
    each: Case = CASES[name]
    assert [str(one) for one in told(each.valid)] == []
    found = told(each.broken)
    assert [one.element for one in found if one.rule == each.rule] == [each.element]
    assert sorted(one.rule for one in found) == sorted((each.rule, *each.also))
    for one in found:
        assert one.line > 0
        assert one.message.endswith(".")
        assert len(one.message) > 20
        assert str(one).startswith(f"{one.element}: {one.rule}: ")


# A second file is needed to break them; see test_imports.py.
_WITH_FILES = {"import-broken", "import-file-missing", "import-namespace", "import-unreadable"}


def test_every_rule_has_a_model_that_breaks_it():
    covered = {each.rule for each in cases()} | {rule for each in cases() for rule in each.also}
    assert set(rules()) - covered == _WITH_FILES


def test_what_only_hinders_execution_or_is_advice_is_not_a_violation():
    for each in cases():
        severe = [one for one in check(load(each.broken)) if one.rule == each.rule]
        assert bool(severe) == (rules()[each.rule].severity is Severity.VIOLATION), each.name


def test_the_page_of_rules_is_current():
    written = Path(__file__).parents[2] / "docs" / "bpmn-rules.md"
    assert written.read_text("utf-8") == page(), "run python -m sagsgang.bpmn.validation.page"


def test_each_rule_is_one_sentence_with_its_source():
    for each in rules().values():
        assert each.text.endswith(".")
        assert each.clause
        assert each.id == each.id.lower()

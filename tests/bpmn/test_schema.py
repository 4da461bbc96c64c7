# SPDX-License-Identifier: MPL-2.0
"""The facts of the schema say what the published schema says.

The published schema comes with a package of the browser part; without it these are left out.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from lxml import etree

from sagsgang.bpmn import check, load
from tests.bpmn.broken import cases
from tests.examples import examples

_FILE = (
    Path(__file__).parents[2] / "frontend/node_modules/bpmn-moddle/resources/bpmn/xsd/BPMN20.xsd"
)
if not _FILE.exists():
    pytest.skip("the published schema is not here: run make setup", allow_module_level=True)
PUBLISHED = etree.XMLSchema(etree.parse(_FILE))
_STRUCTURE = ("schema-", "id-not-unique", "extension-namespace", "reference-prefix")
MODELS = sorted({each.valid for each in cases()})


def ours(xml: bytes) -> bool:
    return not any(each.rule.startswith(_STRUCTURE) for each in check(load(xml)))


def theirs(xml: bytes) -> bool:
    return bool(PUBLISHED.validate(etree.fromstring(xml)))


def test_valid_models_are_valid_to_both():
    for xml in MODELS:
        assert theirs(xml), PUBLISHED.error_log
        assert ours(xml)


# The validator of libxml2 lets a lane set stand after flow elements; the schema does not.
_LAX = {"schema-element-order a lane set after flow nodes"}


def test_broken_models_are_broken_to_both_or_to_neither():
    differ = [each.name for each in cases() if ours(each.broken) != theirs(each.broken)]
    assert set(differ) == _LAX


NAMES = [
    "id",
    "name",
    "isExecutable",
    "sourceRef",
    "targetRef",
    "isCollection",
    "default",
    "loopMaximum",
    "gatewayDirection",
    "method",
    "ordering",
    "behavior",
    "implementation",
    "itemKind",
]
VALUES = ["", "x", "1", "true", "Mixed", "-3", "1.5", "a b", "Parallel", "##WebService", "_é"]


@st.composite
def edited(draw: st.DrawFn) -> bytes:
    """A model with one element or attribute moved, doubled, removed or changed."""
    root = etree.fromstring(draw(st.sampled_from(MODELS)))
    elements = [each for each in root.iter() if isinstance(each.tag, str)][1:]
    one, other = draw(st.sampled_from(elements)), draw(st.sampled_from(elements))
    act = draw(st.sampled_from(["move", "remove", "rename", "set", "drop"]))
    parent = one.getparent()
    if act == "move" and one not in other.iterancestors() and one is not other:
        other.insert(draw(st.integers(0, len(other))), one)
    elif act == "remove":
        parent.remove(one)
    elif act == "rename":
        one.tag = other.tag
    elif act == "set":
        one.set(draw(st.sampled_from(NAMES)), draw(st.sampled_from(VALUES)))
    elif act == "drop" and one.attrib:
        del one.attrib[draw(st.sampled_from(sorted(one.attrib)))]
    return etree.tostring(root)


@settings(max_examples=examples(60), deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(edited())
def test_what_the_published_schema_refuses_is_refused_here(xml):
    if not theirs(xml):
        assert not ours(xml), PUBLISHED.error_log

# SPDX-License-Identifier: MPL-2.0
"""Models in the manner of modelling tools: accepted, written back without loss, in any encoding."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from lxml import etree

from sagsgang import bpmn
from sagsgang.bpmn import check, layout, load
from tests.bpmn.broken import cases

FOLDER = Path(__file__).parent / "tools"
FILES = {each.name: each for each in sorted(FOLDER.iterdir()) if each.suffix != ".md"}
OWN = {
    f"{each.parent.name}/{each.name}": each
    for each in (
        *(Path(__file__).parent / "models").rglob("*.bpmn"),
        *(Path(bpmn.__file__).parents[1] / "solutions").glob("*/process.bpmn"),
    )
}
ENCODINGS = {
    "utf-8": "UTF-8",
    "utf-8-sig": "utf-8",
    "utf-16": "UTF-16",
    "utf-16-le": "UTF-16LE",
    "utf-16-be": "UTF-16BE",
    "utf-32": "UTF-32",
    "iso-8859-1": "ISO-8859-1",
    "iso-8859-15": "ISO-8859-15",
    "cp1252": "windows-1252",
    "ascii": "US-ASCII",
}


def canonical(data: bytes) -> str:
    """The content of a file whatever its encoding and the order of its attributes."""
    tree = etree.parse(io.BytesIO(data), etree.XMLParser(resolve_entities=False))
    return etree.canonicalize(tree, with_comments=True)


@pytest.mark.parametrize("name", FILES)
def test_a_model_of_a_tool_is_accepted_and_compiled(name):
    model = load(FILES[name])
    assert [str(each) for each in check(model)] == []
    for process in model.processes:
        assert bpmn.compile(model, process.id)


@pytest.mark.parametrize("name", FILES | OWN)
def test_a_model_is_written_back_without_loss(name):
    path = (FILES | OWN)[name]
    model = load(path)
    assert model.to_xml() == path.read_bytes(), "untouched, not a byte is changed"
    model.changed = True
    written = model.to_xml()
    assert canonical(written) == canonical(path.read_bytes())
    assert written.count(b"<![CDATA[") == path.read_bytes().count(b"<![CDATA[")
    assert load(written).root.getroottree().docinfo.encoding.lower() == (
        model.root.getroottree().docinfo.encoding.lower()
    )


@pytest.mark.parametrize("name", FILES)
def test_a_missing_diagram_is_drawn_and_nothing_else_is_changed(name):
    model = load(FILES[name])
    drawn = layout(model)
    if drawn is model:
        return
    assert [str(each) for each in check(load(drawn.to_xml()))] == []
    diagrams = drawn.root.findall("{*}BPMNDiagram")
    assert diagrams
    for diagram in diagrams:
        drawn.root.remove(diagram)
    assert "".join(canonical(drawn.to_xml()).split()) == "".join(canonical(model.source).split())


@pytest.mark.parametrize("encoding", ENCODINGS)
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_any_encoding_is_read_and_kept(encoding, end):
    text = FILES["camunda-7.bpmn"].read_text("utf-8").partition("?>")[2].replace("\n", end)
    text = f'<?xml version="1.0" encoding="{ENCODINGS[encoding]}"?>' + text
    data = text.encode(encoding, "xmlcharrefreplace")
    model = load(data)
    assert [str(each) for each in check(model)] == []
    assert bpmn.compile(model).nodes["Task_review"].name == "Vurdér ansøgning"
    assert model.to_xml() == data
    model.changed = True
    assert canonical(model.to_xml()) == canonical(data)


def test_a_file_that_says_utf_16_and_is_not_is_read_as_what_it_is():
    """Some programs write a text that they made as UTF-16 to a file in UTF-8."""
    text = FILES["igrafx.bpmn"].read_text("utf-16")
    assert 'encoding="utf-16"' in text
    for encoding in ("utf-8", "utf-8-sig"):
        model = load(text.encode(encoding))
        assert [str(each) for each in check(model)] == []
        model.changed = True
        assert load(model.to_xml()).by_id.keys() == model.by_id.keys()


def test_the_models_that_break_a_rule_are_written_back_too():
    for each in cases():
        model = load(each.broken)
        model.changed = True
        assert canonical(model.to_xml()) == canonical(each.broken)

# SPDX-License-Identifier: MPL-2.0
"""Whatever the file is: checker and run end, soon, and say what they found."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from lxml import etree
from typer.testing import CliRunner

from sagsgang import bpmn
from sagsgang.bpmn import ModelError, UnreadableModel, check, codec, layout, load
from sagsgang.bpmn import run as run_model
from sagsgang.bpmn.cli import app
from sagsgang.bpmn.model import BPMN
from sagsgang.bpmn.validation._facts import facts
from tests.bpmn import traces
from tests.bpmn.broken import cases
from tests.bpmn.drawing import el, end, flow, link, model, start, sub, task, throw, user
from tests.examples import examples

MODELS = sorted({each.valid for each in cases()} | {each.broken for each in cases()})
ELEMENTS = sorted(name for name in facts()["elements"] if ":" not in name)
PLAIN = model(start(), task("a"), end(), flow("s -> a -> e"))


def look(xml: bytes) -> None:
    """All that is done with a file before it is run."""
    try:
        read = load(xml)
    except ModelError:
        return
    found = check(read, advice=True, deploy=True)
    assert all(each.element and each.message for each in found)
    for each in read.processes:
        bpmn.compile(read, each.id)
    layout(read)


@st.composite
def mangled(draw: st.DrawFn, sources: list[bytes]) -> bytes:
    """A model after several random edits to its tree."""
    root = etree.fromstring(draw(st.sampled_from(sources)))
    keys = [each.get("id") for each in root.iter() if each.get("id")]
    for _ in range(draw(st.integers(1, 6))):
        elements = [each for each in root.iter() if isinstance(each.tag, str)]
        one, other = draw(st.sampled_from(elements)), draw(st.sampled_from(elements))
        act = draw(st.sampled_from(["move", "remove", "rename", "point", "text", "add"]))
        if act == "move" and one is not root and one is not other:
            if one not in other.iterancestors():
                other.append(one)
        elif act == "remove" and one is not root:
            one.getparent().remove(one)
        elif act == "rename" and one is not root:
            one.tag = f"{{{BPMN}}}{draw(st.sampled_from(ELEMENTS))}"
        elif act == "point" and one.attrib:
            one.set(draw(st.sampled_from(sorted(one.attrib))), draw(st.sampled_from(keys)))
        elif act == "text":
            one.text = draw(st.sampled_from(["", "x", ":", "a:b", "= 1 +", " ", *keys[:3]]))
        else:
            etree.SubElement(other, f"{{{BPMN}}}{draw(st.sampled_from(ELEMENTS))}")
    return etree.tostring(root)


@settings(max_examples=examples(60), deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(mangled(MODELS))
def test_no_tree_makes_the_checker_fail(xml):
    look(xml)


FEATURES = [each.read_bytes() for each in traces.MODELS]


@settings(max_examples=examples(300), deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(mangled(FEATURES))
def test_no_tree_makes_a_run_fail(xml):
    try:
        *lines, last = run_model(load(xml))
    except ModelError:
        return
    assert last["status"] in {"completed", "waiting", "failed"}
    assert (last["error"] is not None) == (last["status"] == "failed")
    assert last["error"] is None or (last["error"]["code"] and last["error"]["message"])
    for line in (*lines, last):
        codec.dumps(line)


@settings(max_examples=examples(25), deadline=None)
@given(st.sampled_from(MODELS), st.data())
def test_no_change_of_bytes_makes_the_checker_fail(xml, data):
    at = data.draw(st.integers(0, len(xml) - 1))
    look(xml[:at] + data.draw(st.binary(max_size=4)) + xml[at + data.draw(st.integers(0, 8)) :])


BOMB = b"<!DOCTYPE d [<!ENTITY a 'ha'>" + b"".join(
    f"<!ENTITY {chr(98 + i)} '{f'&{chr(97 + i)};' * 20}'>".encode() for i in range(12)
)
UNREADABLE = {
    "nothing": b"",
    "only space": b" \n",
    "no XML": b"PK\x03\x04 a zip file",
    "cut off": PLAIN[: len(PLAIN) // 2],
    "not closed": PLAIN.replace(b"</process>", b""),
    "two roots": PLAIN + PLAIN,
    "bytes that are not of its encoding": PLAIN.replace(b'id="a"', b'id="a" name="\xe6\xf8"'),
    "an unknown encoding": b'<?xml version="1.0" encoding="klingon"?>' + PLAIN,
    "an undeclared prefix": PLAIN.replace(b"<task", b"<q:task", 1),
    "a nul byte": PLAIN.replace(b'id="a"', b'id="a\x00"'),
    "an entity bomb": BOMB + b"]>" + PLAIN.replace(b'id="a"', b'id="a" name="&m;"'),
    "a file as entity": b'<!DOCTYPE d [<!ENTITY x SYSTEM "file:///etc/hostname">]>' + PLAIN,
    "a parameter entity": b'<!DOCTYPE d [<!ENTITY % x SYSTEM "http://127.0.0.1:9/"> %x;]>' + PLAIN,
    "a document type": b"<!DOCTYPE definitions [<!ELEMENT definitions ANY>]>" + PLAIN,
    "a document type elsewhere": b'<!DOCTYPE d PUBLIC "-//X//EN" "http://127.0.0.1:9/">' + PLAIN,
    "another language": b"<Package xmlns='http://www.wfmc.org/2009/XPDL2.2'/>",
    "a first draft of BPMN 2.0": b"<definitions xmlns='http://schema.omg.org/spec/BPMN/2.0'/>",
    "far too deep": model("<subProcess>" * 3000 + "</subProcess>" * 3000),
    "far too long a text": model(task("a", name="x" * 11_000_000)),
}


@pytest.mark.timeout(30)
@pytest.mark.parametrize("name", UNREADABLE)
def test_what_cannot_be_read_is_refused_soon_with_one_sentence(name):
    with pytest.raises(UnreadableModel) as caught:
        load(UNREADABLE[name])
    assert str(caught.value).endswith(".")
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 500


def _names(count: int) -> bytes:
    mapping = (
        '<zeebe:ioMapping><zeebe:input source="= a b {0} + 1" target="a b {0}"/></zeebe:ioMapping>'
    )
    tasks = (
        task(f"t{i}", f"<extensionElements>{mapping.format(i)}</extensionElements>")
        for i in range(count)
    )
    return model(*tasks)


LARGE = {
    "a long chain": model(
        start(),
        *(user(f"t{i}", name="Behandl sagen" * 5) for i in range(4000)),
        end(),
        flow("s -> " + " -> ".join(f"t{i}" for i in range(4000)) + " -> e"),
    ),
    "many at one gateway": model(
        start(),
        el("eventBasedGateway", "g"),
        *(el("receiveTask", f"r{i}", messageRef="m") for i in range(3000)),
        end(),
        flow("s -> g", *(f"g -> r{i} -> e" for i in range(3000))),
    ),
    "deep": model("".join(f'<subProcess id="s{i}">' for i in range(200)) + "</subProcess>" * 200),
    "links of one name": model(*(throw(f"c{i}", link("L")) for i in range(4000))),
    "one id": model(*(task("a") for _ in range(8000))),
    "one task with many flows": model(task("a", "<incoming>x</incoming>" * 20000)),
    "wrong order again and again": model("<textAnnotation/><task/>" * 8000),
    "sub-processes side by side": model(
        *(sub(f"p{i}", start(f"s{i}"), end(f"e{i}"), flow(f"s{i} -> e{i}")) for i in range(1500))
    ),
    "many names with spaces": _names(800),
}  # fmt: skip


@pytest.mark.parametrize("name", LARGE)
def test_a_large_file_is_checked_in_time_that_grows_with_it(name):
    xml = LARGE[name]
    read = load(xml)
    began = time.process_time()
    check(read, advice=True)
    # A second for a megabyte, with room for a machine that does other things.
    assert time.process_time() - began < 2.5


def test_time_grows_in_step_with_the_size():
    def seconds(count: int) -> float:
        path = " -> ".join(f"t{i}" for i in range(count))
        xml = model(
            start(), *(user(f"t{i}") for i in range(count)), end(), flow(f"s -> {path} -> e")
        )
        read = load(xml)
        began = time.process_time()
        check(read)
        return time.process_time() - began

    seconds(100)
    assert seconds(4000) < 30 * max(seconds(400), 0.01)


run = CliRunner().invoke


def test_the_command_tells_element_rule_and_sentence_and_ends_with_one(tmp_path: Path):
    good, bad = tmp_path / "good.bpmn", tmp_path / "bad.bpmn"
    good.write_bytes(PLAIN)
    bad.write_bytes(PLAIN.replace(b'<task id="a">', b'<task id="a" colour="red">'))
    assert run(app, ["check", str(good)]).exit_code == 0
    told = run(app, ["check", str(good), str(bad)])
    assert told.exit_code == 1
    first, last = told.stdout.splitlines()
    assert first.startswith(f"{bad}:1: a: schema-attribute-not-allowed: Attributten 'colour' ")
    assert last == "2 filer, 1 fejl"


def test_remarks_are_told_and_do_not_fail(tmp_path: Path):
    path = tmp_path / "remark.bpmn"
    path.write_bytes(
        PLAIN.replace(b"<task id", b'<scriptTask scriptFormat="groovy" id')
        .replace(b"/task", b"/scriptTask")
        .replace(b"<definitions ", b'<definitions exporter="A tool" ')
    )
    told = run(app, ["check", str(path)])
    assert told.exit_code == 0
    assert "bemærkning: a: script-format-kind:" in told.stdout
    assert told.stdout.splitlines()[-1] == "1 fil, 0 fejl, 1 bemærkning"


def test_findings_can_be_had_as_json(tmp_path: Path):
    path = tmp_path / "bad.bpmn"
    path.write_bytes(PLAIN.replace(b'<endEvent id="e">', b'<endEvent id="a">'))
    told = run(app, ["check", "--json", str(path)])
    lines = [json.loads(each) for each in told.stdout.splitlines()]
    assert told.exit_code == 1
    assert lines[0].keys() == {"file", "line", "element", "rule", "severity", "clause", "message"}
    assert "id-not-unique" in {each["rule"] for each in lines[:-1]}
    assert lines[-1] == {"files": 1, "violations": len(lines) - 1, "remarks": 0}


@pytest.mark.parametrize(
    ("make", "code"),
    [
        (lambda path: path.mkdir(), 2),
        (lambda path: None, 2),
        (lambda path: path.write_bytes(b""), 1),
        (lambda path: path.write_bytes(b"no xml"), 1),
        (lambda path: path.write_bytes(PLAIN[:-9]), 1),
    ],
    ids=["a folder", "no file", "empty", "no XML", "cut off"],
)
def test_what_is_no_model_gets_one_sentence_and_the_other_files_are_checked(tmp_path, make, code):
    path, good = tmp_path / "x.bpmn", tmp_path / "good.bpmn"
    make(path)
    good.write_bytes(PLAIN)
    told = run(app, ["check", str(path), str(good)])
    assert told.exit_code == code
    assert "Traceback" not in told.output
    [sentence] = [line for line in told.output.splitlines() if "x.bpmn" in line]
    assert sentence.endswith(".")
    assert "2 filer" in told.output

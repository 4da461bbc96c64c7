# SPDX-License-Identifier: MPL-2.0
"""Files: read safely, kept whole, refused clearly."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sagsgang import bpmn
from sagsgang.bpmn import ModelError, UnknownProcess, UnreadableModel, check, load, run
from tests.bpmn.drawing import catch as catch_event
from tests.bpmn.drawing import definitions, end, flow, model, process, start, task, timer

PLAIN = model(start(), task("a", name="Æblegrød"), end(), flow("s -> a -> e"))


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "iso-8859-1", "utf-8-sig"])
def test_a_file_is_read_in_any_encoding_and_written_back_as_it_was(encoding):
    declared = "utf-8" if encoding == "utf-8-sig" else encoding
    data = f'<?xml version="1.0" encoding="{declared}"?>{PLAIN.decode()}'.encode(encoding)
    read = load(data)
    assert bpmn.compile(read).nodes["a"].name == "Æblegrød"
    assert read.to_xml() == data


def test_text_with_a_declaration_of_another_encoding_is_read():
    assert load(f'<?xml version="1.0" encoding="utf-16"?>{PLAIN.decode()}').processes[0].id == "p"


def test_a_changed_tree_keeps_comments_extensions_and_encoding():
    data = PLAIN.replace(b"<process", b'<!-- c --><process xmlns:v="urn:v" v:k="1"')
    read = load(b'<?xml version="1.0" encoding="iso-8859-1"?>' + data)
    read.root.set("exporter", "test")
    read.changed = True
    out = read.to_xml()
    assert b"<!-- c -->" in out
    assert b'v:k="1"' in out
    assert b"iso-8859-1" in out
    assert load(out).root.get("exporter") == "test"


def test_a_document_type_that_only_names_the_root_is_kept():
    data = b"<!DOCTYPE definitions>" + PLAIN
    kept = load(data)
    assert kept.to_xml() == data
    kept.changed = True
    assert b"<!DOCTYPE definitions>" in kept.to_xml()


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"no xml",
        b"<definitions/>",
        b'<!DOCTYPE d [<!ENTITY x "y">]>' + PLAIN,
        b'<!DOCTYPE d SYSTEM "http://127.0.0.1/d.dtd">' + PLAIN,
        PLAIN[:-5],
        PLAIN.replace(b"20100524", b"20200524"),
    ],
)
def test_what_is_not_safe_bpmn_is_refused_with_a_sentence(data):
    with pytest.raises(UnreadableModel) as caught:
        load(data)
    assert str(caught.value)


def test_an_entity_never_reads_a_file(tmp_path):
    secret = tmp_path / "secret.txt"
    secret.write_text("secret")
    data = f'<!DOCTYPE d [<!ENTITY x SYSTEM "{secret.as_uri()}">]>'.encode() + PLAIN.replace(
        b'name="', b'name="&x;'
    )
    with pytest.raises(UnreadableModel):
        load(data)


def test_an_unknown_process_is_named_with_those_there_are():
    with pytest.raises(UnknownProcess, match="'p'"):
        bpmn.compile(load(PLAIN), "other")
    with pytest.raises(UnknownProcess):
        bpmn.compile(load(definitions()))


def test_a_process_takes_the_name_of_its_pool_and_the_first_executable_one_is_compiled():
    read = load(
        definitions(
            '<collaboration id="c"><participant id="x" name="Løn" processRef="q"/></collaboration>',
            process(key="p", isExecutable=False),
            process(key="q"),
        )
    )
    assert [each.name for each in read.processes] == ["p", "Løn"]
    assert bpmn.compile(read).process_id == "q"


def test_a_graph_is_compiled_once():
    read = load(PLAIN)
    assert bpmn.compile(read) is bpmn.compile(read, "p")


def test_start_timers_have_their_occurrences():
    from sagsgang.bpmn import next_start, start_waits
    from tests.bpmn.host import Host

    xml = model(
        start("s", timer("R3/2026-03-02T09:00:00Z/P1D", "timeCycle")), end(), flow("s -> e")
    )
    host = Host(xml, reload=False)
    [first] = start_waits(host.graph, host)
    second = next_start(first)
    third = next_start(second)
    assert [each.due.day for each in (first, second, third)] == [2, 3, 4]
    assert next_start(third) is None


@given(st.binary(max_size=300) | st.text(max_size=300))
def test_no_garbage_gets_further_than_a_model_error(data):
    with pytest.raises(ModelError):
        load(data)


@given(st.data())
def test_a_file_with_a_hole_in_it_is_refused_checked_and_compiled_without_a_crash(data):
    whole = model(
        start(), task("a"), catch_event("t", timer("PT1H")), end(), flow("s -> a -> t -> e")
    )
    first = data.draw(st.integers(0, len(whole)))
    last = data.draw(st.integers(first, min(len(whole), first + 60)))
    try:
        read = load(whole[:first] + whole[last:])
    except ModelError:
        return
    check(read)
    for each in read.processes:
        bpmn.compile(read, each.id)
    if read.processes:
        *_, last = run(read)
        assert last["status"] in {"completed", "waiting", "failed"}

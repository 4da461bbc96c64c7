# SPDX-License-Identifier: MPL-2.0
"""Laws of the token semantics on random models: soundness, conservation, storing."""

from __future__ import annotations

from collections import Counter
from itertools import count, pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sagsgang.bpmn import StaleCommand, State, StateError, initial, step
from sagsgang.bpmn.graph import Kind
from sagsgang.bpmn.protocol import Complete, Start
from tests.bpmn.drawing import boundary as boundary_event
from tests.bpmn.drawing import (
    catch,
    definitions,
    el,
    end,
    exclusive,
    flow,
    inclusive,
    model,
    parallel,
    process,
    signal,
    start,
    sub,
    task,
    throw,
    timer,
    user,
)
from tests.bpmn.host import Host
from tests.examples import examples

KINDS = ["and", "or", "xor", "sub", "seq", "loop", "multi", "guarded", "watched"]
BLOCK = st.deferred(
    lambda: st.sampled_from(["task", "user", "timed"]) | st.tuples(st.sampled_from(KINDS), PARTS)
)
PARTS = st.lists(BLOCK, min_size=1, max_size=3)


class Drawer:
    """Turns a block structure into a model: every block has one way in and one way out."""

    def __init__(self) -> None:
        self.ids = count(1)
        self.parts: list[str] = []

    def new(self, prefix: str) -> str:
        return f"{prefix}{next(self.ids)}"

    def draw(self, block) -> tuple[str, str]:
        if block == "task":
            key = self.new("t")
            self.parts.append(task(key))
            return key, key
        if isinstance(block, str):
            key, after = self.new("u"), self.new("m")
            self.parts += [user(key), exclusive(after), flow(f"{key} -> {after}")]
            if block == "timed":
                edge = self.new("b")
                self.parts += [boundary_event(edge, key, timer("PT1H")), flow(f"{edge} -> {after}")]
            return key, after
        kind, inner = block
        if kind in {"sub", "multi", "guarded", "watched"}:
            return self.draw_subprocess(kind, inner)
        if kind == "seq":
            ends = [self.draw(each) for each in inner]
            self.parts.append(chained(ends))
            return ends[0][0], ends[-1][1]
        if kind == "loop":
            merge, split, out = self.new("g"), self.new("g"), self.new("g")
            ends = [self.draw(each) for each in inner]
            self.parts += [
                exclusive(merge),
                exclusive(split, default=f"{split}-{out}"),
                exclusive(out),
                chained([(merge, merge), *ends, (split, split)]),
                flow(f"{split} -> {out}"),
                flow(f"{split} -> {merge} : again = true"),
            ]
            return merge, out
        make = {"and": parallel, "or": inclusive, "xor": exclusive}[kind]
        first, last = self.new("g"), self.new("g")
        branches = [self.draw(each) for each in inner]
        default = f"{first}-{branches[0][0]}"
        opening = (
            parallel(first)
            if kind == "and"
            else ((inclusive if kind == "or" else exclusive)(first, default=default))
        )
        self.parts += [opening, make(last)]
        for index, (a, b) in enumerate(branches):
            guard = f" : n = {index}" if kind != "and" and index else ""
            self.parts += [flow(f"{first} -> {a}{guard}"), flow(f"{b} -> {last}")]
        return first, last

    def draw_subprocess(self, kind, inner) -> tuple[str, str]:
        """A sub-process: plain, for two items, under a deadline, or with an event of its own."""
        outer, self.parts = self.parts, []
        first, last = self.new("s"), self.new("e")
        ends = [self.draw(each) for each in inner]
        chain = [(first, first), *ends, (last, last)]
        body = "".join(self.parts) + start(first) + end(last) + chained(chain)
        key = self.new("p")
        if kind == "multi":
            body = el("multiInstanceLoopCharacteristics", "", TWICE) + body
        elif kind == "watched":
            event, over = self.new("s"), self.new("e")
            watch = start(event, timer("PT2H"), isInterrupting=next(self.ids) % 2 == 0)
            ways = flow(f"{event} -> {over}")
            body += sub(self.new("w"), watch, end(over), ways, triggeredByEvent=True)
        self.parts = [*outer, sub(key, body)]
        if kind != "guarded":
            return key, key
        edge, after = self.new("b"), self.new("m")
        self.parts += [
            boundary_event(edge, key, timer("PT3H")),
            exclusive(after),
            flow(f"{key} -> {after}", f"{edge} -> {after}"),
        ]
        return key, after


TWICE = '<loopCardinality xsi:type="tFormalExpression">2</loopCardinality>'


def chained(pairs: list[tuple[str, str]]) -> str:
    """Flows from the way out of each block to the way into the next."""
    return flow(*(f"{left[1]} -> {right[0]}" for left, right in pairwise(pairs)))


def draw(block) -> bytes:
    drawer = Drawer()
    first, last = drawer.draw(block)
    parts = "".join(drawer.parts)
    return model(start(), end(), parts, flow(f"s -> {first}", f"{last} -> e"))


def weight(block) -> int:
    """How many tasks there are to do at most."""
    if isinstance(block, str):
        return 1
    kind, inner = block
    return (2 if kind == "multi" else 1) * sum(weight(each) for each in inner)


@settings(max_examples=examples(25), deadline=None)
@given(BLOCK.filter(lambda block: weight(block) <= 40), st.integers(0, 3), st.booleans(), st.data())
def test_a_block_structured_model_always_comes_to_its_end(block, n, reload, data):
    """Soundness: whoever is completed in whatever order, the end is reached with nothing left."""
    host = Host(draw(block), reload=reload).start(n=n, again=False)
    for _ in range(200):
        if host.ended is not None:
            break
        assert host.waits, "an instance that is not over waits for something"
        key = data.draw(st.sampled_from(sorted(host.waits)))
        host.send(Complete(key, {}))
    assert host.status == "completed"
    assert host.completed.count("e") == 1
    assert host.state.root.tokens == 0


@settings(max_examples=examples(15), deadline=None)
@given(BLOCK, st.integers(0, 3), st.data())
def test_storing_the_state_never_changes_what_happens(block, n, data):
    xml = draw(block)
    straight, stored = Host(xml, reload=False), Host(xml, reload=True)
    for host in (straight, stored):
        host.start(n=n, again=False)
    for _ in range(50):
        assert straight.effects == stored.effects
        assert straight.records == stored.records
        if not straight.waits:
            break
        key = data.draw(st.sampled_from(sorted(straight.waits)))
        for host in (straight, stored):
            host.send(Complete(key, {}))
    assert straight.state.dumps() == stored.state.dumps()


def everything_entered_is_left(host: Host) -> None:
    """Each element was left as often as it was entered; events that fire need not be entered."""
    count = Counter((each.event, each.element) for each in host.records)
    for key, node in host.graph.nodes.items():
        left = count["completed", key] + count["terminated", key]
        if node.kind not in {Kind.BOUNDARY, Kind.START}:
            assert left == count["entered", key], (key, count)


@settings(max_examples=examples(20), deadline=None)
@given(BLOCK, st.integers(0, 3), st.data())
def test_everything_that_is_entered_is_left_once(block, n, data):
    host = Host(draw(block), reload=True).start(n=n, again=False)
    for _ in range(200):
        if host.ended is not None:
            break
        host.send(Complete(data.draw(st.sampled_from(sorted(host.waits))), {}))
    everything_entered_is_left(host)


NODES = st.lists(
    st.sampled_from(
        ["task", "user", "xor", "and", "or", "complex", "timer", "throw", "hear", "guard", "sub"]
    ),
    min_size=2,
    max_size=9,
)


def tangle(kinds: list[str], ways: list[tuple[int, int]]) -> bytes:
    """Any nodes with any flows between them: what nobody should draw and somebody will."""
    drawn = {
        "task": task,
        "user": user,
        "and": parallel,
        "timer": lambda key: catch(key, timer("PT1H")),
        "throw": lambda key: throw(key, signal("go")),
        "hear": lambda key: catch(key, signal("go")),
        "complex": lambda key: el("complexGateway", key),
        "sub": lambda key: sub(key, start(f"{key}s"), user(f"{key}u"), flow(f"{key}s -> {key}u")),
    }
    parts = [start("n0")]
    used = {f"n{source}" for source, _ in ways}
    for index, kind in enumerate(kinds, 1):
        key = f"n{index}"
        if kind == "guard":
            parts += [user(key), boundary_event(f"{key}b", key, timer("PT1H"))]
            parts.append(flow(f"{key}b -> n{index % len(kinds) + 1}"))
        elif kind in {"xor", "or"}:
            make = exclusive if kind == "xor" else inclusive
            parts.append(make(key) if key not in used else make(key, default=f"{key}-out"))
        else:
            parts.append(drawn[kind](key))
        if kind in {"xor", "or"} and key in used:
            parts += [
                end(f"{key}e"),
                el("sequenceFlow", f"{key}-out", sourceRef=key, targetRef=f"{key}e"),
            ]
    ends = {f"n{each}" for each in range(1, len(kinds) + 1) if kinds[each - 1] in {"xor", "or"}}
    for source, target in dict.fromkeys(ways):
        guard = f" : n >= {target % 4}" if f"n{source}" in ends else ""
        parts.append(flow(f"n{source} -> n{target}{guard}"))
    return model(*parts)


@settings(max_examples=examples(40), deadline=None)
@given(NODES, st.integers(0, 3), st.data())
def test_in_any_graph_tokens_are_conserved_and_storing_changes_nothing(kinds, n, data):
    """The host looks at the tokens after every step, whatever the graph is."""
    places = st.integers(1, len(kinds))
    ways = data.draw(st.lists(st.tuples(places | st.just(0), places), min_size=2, max_size=16))
    xml = tangle(kinds, [(0, 1), *ways])
    straight, stored = Host(xml, reload=False), Host(xml, reload=True)
    for host in (straight, stored):
        host.send(Start({"n": n}), limit=300)
    for _ in range(12):
        assert straight.effects == stored.effects
        assert straight.records == stored.records
        open_now = [key for key, each in straight.waits.items() if each.kind != "incident"]
        if not open_now:
            break
        key = data.draw(st.sampled_from(sorted(open_now)))
        for host in (straight, stored):
            host.send(Complete(key, {}), limit=300)
    if straight.status == "completed":
        everything_entered_is_left(straight)


def test_a_consumed_state_gives_the_same_as_a_copied_one():
    xml = draw(("and", ["user", "timed", "user"]))
    host = Host(xml, reload=False)
    copied = step(host.graph, initial(host.graph), Start({"n": 1}), host)
    moved = step(host.graph, initial(host.graph), Start({"n": 1}), host, consume=True)
    assert copied.effects == moved.effects
    assert copied.state.dumps() == moved.state.dumps()


def test_a_copy_is_independent():
    host = Host(draw(("and", ["user", "timed"])), reload=False).start()
    copy = host.state.copy()
    before = host.state.dumps()
    assert copy.dumps() == before
    copy.root.variables["x"] = 1
    assert host.state.dumps() == before


def test_a_command_after_the_end_is_stale():
    host = Host(model(start(), end(), flow("s -> e")), reload=False).start()
    with pytest.raises(StaleCommand) as caught:
        host.send(Complete(1))
    assert caught.value.code == "bpmn-stale"


@given(st.binary(max_size=60) | st.sampled_from([b"[]", b"{}", b"[1,1,1,[],[]]", b"[2,1,1,[],[]]"]))
def test_bytes_that_are_no_state_are_refused(data):
    with pytest.raises(StateError):
        State.loads(data)


def test_the_state_does_not_grow_with_history():
    xml = draw(("loop", ["user"]))
    host = Host(xml, reload=True).start(n=0, again=True)
    sizes = []
    for _ in range(30):
        key = next(iter(host.waits))
        host.send(Complete(key, {}))
        sizes.append(len(host.state.dumps()))
    assert max(sizes) - min(sizes) < 20


def test_definitions_of_several_processes_are_apart():
    xml = definitions(process(start(), end(), flow("s -> e")), process(key="q"))
    assert Host(xml, reload=False, process="q").start().status == "completed"

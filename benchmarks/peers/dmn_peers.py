# SPDX-License-Identifier: MPL-2.0
"""Run one Python peer on the DMN benchmark's cases; prints one JSON object.

Runs in the peers' environment: ``python dmn_peers.py zen-engine|SpiffWorkflow|bkflow-feel``.
"""

from __future__ import annotations

import json
import logging
import sys
import time
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from types import SimpleNamespace
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from dmn_cases import PARSED, Table, feel_condition, graph_rows, graph_zen

SECONDS = 1.5
logging.disable(logging.CRITICAL)


def rate(decide: Callable[[Any], Any], rows: list[Any]) -> tuple[float, list[Any]]:
    """Return decisions a second, and the values of the first pass, as far as time allowed."""
    values = []
    done = 0
    start = time.perf_counter()
    while True:
        for row in rows:
            value = decide(row)
            if done < len(rows):
                values.append(value)
            done += 1
            if not done & 15 and time.perf_counter() - start > SECONDS:
                return done / (time.perf_counter() - start), values


def timed(make: Callable[[], Any]) -> tuple[float, Any]:
    """Return the seconds something takes to make, and the thing."""
    start = time.perf_counter()
    made = make()
    return time.perf_counter() - start, made


def zen() -> dict[str, Any]:
    """Measure zen-engine."""
    import zen as library

    engine = library.ZenEngine()
    found: dict[str, Any] = {}
    for key, table in tables().items():
        source = table.zen()

        first = table.rows(1)[0]

        def make(source: str = source, row: Any = first) -> Any:
            decision = engine.create_decision(source)
            decision.evaluate(row)
            return decision

        seconds, decision = timed(make)

        def decide(row: dict[str, Any], decision: Any = decision) -> Any:
            return decision.evaluate(row)["result"]["out"]

        each, values = rate(decide, table.rows(1000))
        found[key] = {"compile": seconds, "rate": each, "values": values}
    rows = graph_rows(1000)
    seconds, decision = timed(lambda: engine.create_decision(graph_zen()))
    each, values = rate(lambda row: decision.evaluate(row)["result"]["Pay"], rows)
    found["c"] = {"compile": seconds, "rate": each, "values": values}
    texts = ["1 + 2 * 3 - 4 / 5", "Hours > 37 and Kind == 'nurse' ? Hours * 1.5 : Hours"]
    each, _ = rate(library.compile_expression, texts)
    found["d"] = {"rate": each}
    return found


def spiff() -> dict[str, Any]:
    """Measure the DMN part of SpiffWorkflow; its cells hold Python."""
    from lxml import etree
    from SpiffWorkflow.bpmn.script_engine import PythonScriptEngine
    from SpiffWorkflow.dmn.engine.DMNEngine import DMNEngine
    from SpiffWorkflow.dmn.parser.DMNParser import DMNParser

    script_engine = PythonScriptEngine()
    found: dict[str, Any] = {}
    for key, table in tables().items():
        source = table.xml("python").encode()

        def make(source: bytes = source) -> Any:
            root = etree.fromstring(source)
            namespaces = {"dmn": etree.QName(root).namespace}
            parser = DMNParser(None, root, namespaces)
            parser.parse()
            return DMNEngine(parser.decision.decisionTables[0])

        seconds, engine = timed(make)

        def decide(row: dict[str, Any], engine: Any = engine) -> Any:
            task = SimpleNamespace(
                data=row, workflow=SimpleNamespace(script_engine=script_engine), task_spec=None
            )
            return engine.result(task)["out"]

        each, values = rate(decide, table.rows(1000))
        found[key] = {"compile": seconds, "rate": each, "values": values}
    return found


def bkflow() -> dict[str, Any]:
    """Measure bkflow-feel: expressions only, so a table is its rules' conditions in turn."""
    from bkflow_feel import parser, transformer
    from bkflow_feel.api import parse_expression

    found: dict[str, Any] = {}
    for key, table in tables().items():

        def make(table: Table = table) -> Any:
            rules = []
            for number, rule in enumerate(table.rules):
                tests = [
                    feel_condition(name, test)
                    for name, test in zip(table.names, rule, strict=True)
                    if test[0] != "any"
                ]
                text = " and ".join(tests) or "1 = 1"
                rules.append((transformer.transform(parser.parse(text)), f"r{number}"))
            return rules

        seconds, rules = timed(make)

        def decide(row: dict[str, Any], rules: Any = rules) -> Any:
            return next(name for condition, name in rules if condition.evaluate(row))

        each, values = rate(decide, table.rows(1000))
        found[key] = {"compile": seconds, "rate": each, "values": values}
    texts = [text for text in PARSED if not text.startswith("if")]
    for text in list(texts):
        try:
            parse_expression(text, {"Rate": 150})
        except Exception:  # noqa: BLE001 - what a peer cannot do is left out
            texts.remove(text)
    each, _ = rate(lambda text: transformer.transform(parser.parse(text)), texts)
    found["d"] = {"rate": each}
    return found


def tables() -> dict[str, Table]:
    """Return the two table cases."""
    return {"a": Table.make(10, 4), "b": Table.make(500, 8)}


if __name__ == "__main__":
    name = sys.argv[1]
    measured = {"zen-engine": zen, "SpiffWorkflow": spiff, "bkflow-feel": bkflow}[name]()
    print(json.dumps({"name": name, "version": version(name), "cases": measured}))

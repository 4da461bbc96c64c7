# SPDX-License-Identifier: MPL-2.0
"""SpiffWorkflow with its serializer on SQLite: the whole instance is written at each wait."""

from __future__ import annotations

import json
import os
import sqlite3
import sys
import time
from multiprocessing import Barrier, Process
from pathlib import Path
from resource import RUSAGE_CHILDREN, getrusage
from typing import Any

from SpiffWorkflow.bpmn.serializer import BpmnWorkflowSerializer
from SpiffWorkflow.bpmn.workflow import BpmnWorkflow
from SpiffWorkflow.spiff.parser.process import SpiffBpmnParser
from SpiffWorkflow.spiff.serializer import DEFAULT_CONFIG
from SpiffWorkflow.util.task import TaskState
from synced import counts, per_instance

BPMN = """<?xml version="1.0" encoding="UTF-8"?>
<bpmn:definitions xmlns:bpmn="http://www.omg.org/spec/BPMN/20100524/MODEL"
 xmlns:spiffworkflow="http://spiffworkflow.org/bpmn/schema/1.0/core" id="d" targetNamespace="urn:t">
<bpmn:process id="order" isExecutable="true">
<bpmn:startEvent id="start"><bpmn:outgoing>f1</bpmn:outgoing></bpmn:startEvent>
<bpmn:scriptTask id="prepare"><bpmn:incoming>f1</bpmn:incoming><bpmn:outgoing>f2</bpmn:outgoing>
<bpmn:script>amount = 5000</bpmn:script></bpmn:scriptTask>
<bpmn:businessRuleTask id="decide"><bpmn:extensionElements>
<spiffworkflow:calledDecisionId>route</spiffworkflow:calledDecisionId></bpmn:extensionElements>
<bpmn:incoming>f2</bpmn:incoming><bpmn:outgoing>f3</bpmn:outgoing></bpmn:businessRuleTask>
<bpmn:exclusiveGateway id="split" default="f5"><bpmn:incoming>f3</bpmn:incoming>
<bpmn:outgoing>f4</bpmn:outgoing><bpmn:outgoing>f5</bpmn:outgoing></bpmn:exclusiveGateway>
<bpmn:userTask id="approve"><bpmn:incoming>f4</bpmn:incoming><bpmn:outgoing>f6</bpmn:outgoing>
</bpmn:userTask>
<bpmn:endEvent id="end"><bpmn:incoming>f5</bpmn:incoming><bpmn:incoming>f6</bpmn:incoming>
</bpmn:endEvent>
<bpmn:sequenceFlow id="f1" sourceRef="start" targetRef="prepare"/>
<bpmn:sequenceFlow id="f2" sourceRef="prepare" targetRef="decide"/>
<bpmn:sequenceFlow id="f3" sourceRef="decide" targetRef="split"/>
<bpmn:sequenceFlow id="f4" sourceRef="split" targetRef="approve">
<bpmn:conditionExpression>route == "manual"</bpmn:conditionExpression></bpmn:sequenceFlow>
<bpmn:sequenceFlow id="f5" sourceRef="split" targetRef="end"/>
<bpmn:sequenceFlow id="f6" sourceRef="approve" targetRef="end"/>
</bpmn:process></bpmn:definitions>"""

DMN = """<?xml version="1.0" encoding="UTF-8"?>
<definitions xmlns="https://www.omg.org/spec/DMN/20191111/MODEL/" id="rules" name="rules"
 namespace="urn:t"><decision id="route" name="route"><decisionTable id="t" hitPolicy="UNIQUE">
<input id="i1"><inputExpression id="e1" typeRef="number"><text>amount</text></inputExpression>
</input>
<output id="o1" name="route" typeRef="string"/>
<rule id="r1"><inputEntry id="a"><text>&gt; 1000</text></inputEntry>
<outputEntry id="b"><text>"manual"</text></outputEntry></rule>
<rule id="r2"><inputEntry id="c"><text>&lt;= 1000</text></inputEntry>
<outputEntry id="d"><text>"automatic"</text></outputEntry></rule>
</decisionTable></decision></definitions>"""


def run(first: int, count: int, ready: Any) -> None:
    """Let so many instances run, in this process, on the shared database."""
    folder = Path(os.environ["BENCH_FOLDER"])
    parser = SpiffBpmnParser(validator=None)
    parser.add_bpmn_file(str(folder / "order.bpmn"))
    parser.add_dmn_file(str(folder / "rules.dmn"))
    spec = parser.get_spec("order")
    serializer = BpmnWorkflowSerializer(BpmnWorkflowSerializer.configure(DEFAULT_CONFIG))
    database = sqlite3.connect(folder / "spiff.sqlite3", isolation_level=None, timeout=30)
    database.execute("PRAGMA synchronous=FULL")
    ready.wait()
    for number in range(first, first + count):
        workflow = BpmnWorkflow(spec)
        workflow.do_engine_steps()
        text = serializer.serialize_json(workflow)
        database.execute("INSERT INTO instance VALUES (?, ?)", (number, text))
        [(text,)] = database.execute("SELECT state FROM instance WHERE id = ?", (number,))
        workflow = serializer.deserialize_json(text)
        [task] = workflow.get_tasks(state=TaskState.READY, spec_name="approve")
        task.data["outcome"] = "yes"
        task.run()
        workflow.do_engine_steps()
        assert workflow.is_completed()
        text = serializer.serialize_json(workflow)
        database.execute("UPDATE instance SET state = ? WHERE id = ?", (text, number))


def main(count: int, at_once: int) -> None:
    folder = Path(os.environ["BENCH_FOLDER"])
    (folder / "order.bpmn").write_text(BPMN)
    (folder / "rules.dmn").write_text(DMN)
    file = folder / "spiff.sqlite3"
    database = sqlite3.connect(file, isolation_level=None)
    database.execute("PRAGMA journal_mode=WAL")
    database.execute("CREATE TABLE instance (id INTEGER PRIMARY KEY, state TEXT)")
    each = count // at_once
    ready = Barrier(at_once + 1)
    clients = [Process(target=run, args=(n * each, each, ready)) for n in range(at_once)]
    for client in clients:
        client.start()
    ready.wait()
    before = counts(file)
    begun = time.perf_counter()
    for client in clients:
        client.join()
        assert client.exitcode == 0
    seconds = time.perf_counter() - begun
    done = each * at_once
    used = getrusage(RUSAGE_CHILDREN)
    print(
        json.dumps(
            {
                "instances_per_second": round(done / seconds, 1),
                # With the start of the processes, which is little beside it.
                "cpu_ms_per_instance": round((used.ru_utime + used.ru_stime) / done * 1000, 3),
                **per_instance(before, counts(file), done),
            }
        )
    )
    database.close()


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))

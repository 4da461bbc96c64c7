// SPDX-License-Identifier: MPL-2.0
// bpmn-engine from npm: the state as JSON, written and flushed to a file at each wait.
import { closeSync, fsyncSync, openSync, readFileSync, writeSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { EventEmitter } from 'node:events';
import { Engine } from 'bpmn-engine';

const count = Number(process.argv[2]);
const atOnce = Number(process.argv[3] ?? 1);
const folder = process.env.BENCH_FOLDER;
const source = `<?xml version="1.0" encoding="UTF-8"?>
<definitions xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL"
 xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" id="d" targetNamespace="urn:t">
<process id="order" isExecutable="true">
<startEvent id="start"/><scriptTask id="prepare" scriptFormat="javascript">
<script>environment.output.amount = 5000; next();</script></scriptTask>
<scriptTask id="decide" scriptFormat="javascript">
<script>environment.output.route = environment.output.amount > 1000 ? 'manual' : 'automatic'; next();</script>
</scriptTask>
<exclusiveGateway id="split" default="f5"/><userTask id="approve"/><endEvent id="end"/>
<sequenceFlow id="f1" sourceRef="start" targetRef="prepare"/>
<sequenceFlow id="f2" sourceRef="prepare" targetRef="decide"/>
<sequenceFlow id="f3" sourceRef="decide" targetRef="split"/>
<sequenceFlow id="f4" sourceRef="split" targetRef="approve">
<conditionExpression xsi:type="tFormalExpression" language="javascript">next(null, environment.output.route === 'manual');</conditionExpression>
</sequenceFlow>
<sequenceFlow id="f5" sourceRef="split" targetRef="end"/>
<sequenceFlow id="f6" sourceRef="approve" targetRef="end"/>
</process></definitions>`;

async function write(number, state) {
  if (atOnce > 1) {
    const file = await open(join(folder, `${number % 100}.json`), 'w');
    await file.writeFile(JSON.stringify(state));
    await file.sync();
    await file.close();
    return;
  }
  const file = openSync(join(folder, `${number % 100}.json`), 'w');
  writeSync(file, JSON.stringify(state));
  fsyncSync(file);
  closeSync(file);
}

async function one(number) {
  const engine = new Engine({ name: `order-${number}`, source });
  const listener = new EventEmitter();
  const waiting = new Promise((resolve) => listener.once('activity.wait', resolve));
  const execution = await engine.execute({ listener });
  await waiting;
  await write(number, await engine.getState());
  await engine.stop();
  const stored = JSON.parse(readFileSync(join(folder, `${number % 100}.json`)));
  const again = new Engine({ name: `order-${number}` }).recover(stored);
  const ended = new Promise((resolve) => again.once('end', resolve));
  const resumedListener = new EventEmitter();
  resumedListener.once('activity.wait', (api) => api.signal('yes'));
  await again.resume({ listener: resumedListener });
  await ended;
  await write(number, await again.getState());
}

const begun = performance.now();
for (let first = 0; first < count; first += atOnce) {
  const some = Array.from({ length: Math.min(atOnce, count - first) }, (_, index) => one(first + index));
  await Promise.all(some);
}
const seconds = (performance.now() - begun) / 1000;
console.log(JSON.stringify({ instances_per_second: Math.round((count / seconds) * 10) / 10, commits_per_instance: 2 }));

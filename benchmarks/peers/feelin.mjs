// SPDX-License-Identifier: MPL-2.0
// Run feelin on the DMN benchmark's cases, which come as JSON on standard input; print one JSON object.
// feelin has expressions and unary tests but no tables: a table is its rules' tests in turn.
import { readFileSync } from 'node:fs';
import { evaluate, parseExpression, unaryTest } from 'feelin';

const SECONDS = 1.5;
const cases = JSON.parse(readFileSync(0, 'utf8'));

function rate(decide, rows) {
  const values = [];
  let done = 0;
  const start = performance.now();
  for (;;) {
    for (const row of rows) {
      const value = decide(row);
      if (done < rows.length) values.push(value);
      done += 1;
      const spent = (performance.now() - start) / 1000;
      if (spent > SECONDS) return { rate: done / spent, values };
    }
  }
}

const value = (found) => (found && typeof found === 'object' && 'value' in found ? found.value : found);
const holds = (test, input) => test === '-' || value(unaryTest(test, { '?': input })) === true;

function table(rules, inputs) {
  for (const [tests, output] of rules) {
    if (tests.every((test, place) => holds(test, inputs[place]))) return output;
  }
  return null;
}

const found = {};
for (const key of ['a', 'b']) {
  const { names, rules, rows } = cases[key];
  found[key] = rate((row) => table(rules, names.map((name) => row[name])), rows);
}

const graph = cases.c;
found.c = rate((row) => {
  const context = { ...row, Since: value(evaluate('date(x)', { x: row.Since })), Day: value(evaluate('date(x)', { x: row.Day })) };
  for (const name of ['Seniority', 'Long', 'Hours']) context[name] = value(evaluate(graph.expressions[name], context));
  context.Grade = table(graph.grades, [context.Seniority, context.Kind]);
  context.Supplement = table(graph.supplements, [context.Grade, context.Long.length]);
  return value(evaluate(graph.expressions.Pay, context));
}, graph.rows);

found.d = rate((text) => parseExpression(text, { Hours: 1, Kind: 'a', Rate: 1 }), cases.d);
delete found.d.values;
const version = JSON.parse(readFileSync(new URL('./node_modules/feelin/package.json', import.meta.url))).version;
console.log(JSON.stringify({ name: 'feelin', version, cases: found }));

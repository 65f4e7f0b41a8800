// The drawn plan: rows by wave, an edge wherever a value flows.
import assert from 'node:assert/strict';
import path from 'node:path';
import test from 'node:test';

import { buildSync } from 'esbuild';

import { folder } from './textmate.mjs';

const built = buildSync({ entryPoints: [path.join(folder, 'src/graph.ts')], bundle: true, format: 'esm', write: false });
const { layout, route } = await import(`data:text/javascript,${encodeURIComponent(built.outputFiles[0].text)}`);

const plan = {
  inputs: [{ name: 'question', type: 'string' }],
  ops: [
    { name: 'docs', kind: 'step', module: 'retrieve', wave: 1, after: [], inputs: [{ name: 'query', from: 'upper(question)' }] },
    { name: 'facts', kind: 'step', module: 'predict', wave: 1, after: null, inputs: [{ name: 'q', from: '"of ${question} not docs"' }] },
    { name: 'respond', kind: 'step', module: 'predict', wave: 2, after: ['docs'], inputs: [{ name: 'passages', from: 'docs.passages' }], flow: ['when question != "docs"'] },
  ],
  outputs: [{ name: 'answer', from: 'respond.answer ?? facts.answer' }],
};

test('what flows where', () => {
  const { edges } = layout(plan);
  assert.deepEqual(edges.map(e => `${e.from} > ${e.to}`).sort(), [
    'docs > respond', 'facts > out answer', 'in question > docs', 'in question > facts', 'in question > respond', 'respond > out answer',
  ]);
});

test('rows do not overlap, and steps of one wave stand in one row', () => {
  const { boxes, width, height } = layout(plan);
  const box = id => boxes.find(b => b.id === id);
  assert.equal(box('docs').y, box('facts').y);
  assert.ok(box('docs').x + box('docs').width < box('facts').x);
  for (const [above, below] of [['in question', 'docs'], ['docs', 'respond'], ['respond', 'out answer']]) {
    assert.ok(box(above).y + box(above).height < box(below).y, `${above} above ${below}`);
  }
  assert.ok(boxes.every(b => b.x >= 0 && b.x + b.width <= width && b.y + b.height <= height));
});

test('an edge that skips a row goes around it', () => {
  const g = layout({
    inputs: [{ name: 'q', type: 'string' }],
    ops: [
      { name: 'a', kind: 'step', module: 'retrieve', wave: 1, after: [], inputs: [{ name: 'q', from: 'q' }] },
      { name: 'b', kind: 'step', module: 'predict', wave: 2, after: ['a'], inputs: [{ name: 'q', from: 'q' }] },
    ],
    outputs: [],
  });
  const a = g.boxes.find(b => b.id === 'a');
  const side = Number(/L(\S+) /.exec(route(g, { from: 'in q', to: 'b' }))[1]);
  assert.ok(side > a.x + a.width && side < g.width);
  assert.doesNotMatch(route(g, { from: 'in q', to: 'a' }), /L/);
});

test('a repeat names the steps of its rounds', () => {
  const { boxes } = layout({
    inputs: [], outputs: [],
    ops: [{ name: 'improve', kind: 'repeat', wave: 4, after: [], inputs: [], plan: { ops: [{ name: 'critique', kind: 'step', module: 'predict', wave: 1 }] } }],
  });
  assert.deepEqual(boxes[0].lines, ['improve', 'repeat', '· critique: predict']);
  assert.deepEqual(boxes[0].steps, ['improve', 'critique']);
});

test('an empty plan is an empty graph', () => {
  assert.deepEqual(layout({ inputs: null, ops: null, outputs: null }).boxes, []);
});

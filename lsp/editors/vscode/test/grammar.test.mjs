// No example has a token that the TextMate grammar calls invalid, and the lists
// of words in both grammars are the same.
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import test from 'node:test';

import { folder, tokenizer } from './textmate.mjs';

const root = path.join(folder, '../../..');
const files = readdirSync(path.join(root, 'examples'), { recursive: true })
  .filter(name => name.endsWith('.dsp'))
  .map(name => path.join(root, 'examples', name));
files.push(path.join(folder, '../testdata/every.dsp'));

test('no example has an invalid token', async () => {
  const tokenize = await tokenizer();
  assert.ok(files.length > 10);
  for (const file of files) {
    const wrong = tokenize(readFileSync(file, 'utf8')).filter(t => t.scopes.some(s => s.startsWith('invalid')));
    assert.deepEqual(wrong.map(t => `${file}:${t.line + 1}: ${t.text}`), []);
  }
});

test('mistakes are shown as such', async () => {
  const tokenize = await tokenizer();
  for (const text of ['a = "\\q"', "a = 'single'"]) {
    assert.ok(tokenize(text).some(t => t.scopes.some(s => s.startsWith('invalid'))), text);
  }
});

test('an open string or template ends with its line', async () => {
  const tokenize = await tokenizer();
  for (const text of ['a = "open', 'a = "open ${b']) {
    const last = tokenize(`${text}\nprogram p { }`).find(t => t.text === 'program');
    assert.ok(last?.scopes.some(s => s.startsWith('keyword.other')), text);
  }
});

test('both grammars know the same words', () => {
  const textmate = JSON.stringify(JSON.parse(readFileSync(path.join(folder, 'syntaxes/dspi.tmLanguage.json'), 'utf8')));
  const query = readFileSync(path.join(folder, '../tree-sitter/queries/highlights.scm'), 'utf8');
  const listed = capture => {
    const found = query.match(new RegExp(`#any-of\\? @${capture}\\n([^)]*)\\)`));
    return [...found[1].matchAll(/"(\w+)"/g)].map(m => m[1]);
  };
  assert.ok(textmate.includes(`(${listed('keyword').join('|')})`), 'the kinds of block differ');
  assert.ok(textmate.includes(`(?:${listed('type.builtin').join('|')})`), 'the built-in types differ');
});

// Compares the TextMate grammar with tree-sitter, character by character: what
// is a comment, a string, a word of the language, or none of these. Space counts
// only inside comments and strings of both.
//
//     node agreement.mjs PYTHON FILE …
//
// PYTHON is a Python that has the package tree-sitter.
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import path from 'node:path';

import { category, folder, tokenizer } from './textmate.mjs';

const [python, ...files] = process.argv.slice(2);
const tokenize = await tokenizer();
const script = path.join(folder, '../tree-sitter/test/categories.py');
const trees = JSON.parse(execFileSync(python, [script, ...files], { maxBuffer: 1 << 28 }).toString());
let compared = 0;
let differing = 0;
for (const file of files) {
  const lines = readFileSync(file, 'utf8').split('\n');
  const starts = [];
  lines.reduce((at, line) => (starts.push(at), at + line.length + 1), 0);
  for (const t of tokenize(lines.join('\n'))) {
    const mine = category(t.scopes);
    for (let i = 0; i < t.text.length; i++) {
      if (/\s/.test(t.text[i]) && mine === '.') continue;
      compared++;
      const theirs = trees[file][starts[t.line] + t.start + i];
      if (theirs === mine) continue;
      if (differing++ < 20) {
        console.log(`${file}:${t.line + 1}:${t.start + i + 1} in ${JSON.stringify(t.text)}: TextMate ${mine}, tree-sitter ${theirs} (${t.scopes.at(-1)})`);
      }
    }
  }
}
console.log(`TextMate and tree-sitter differ at ${differing} of ${compared} characters of ${files.length} files`);
process.exit(differing > 0 ? 1 : 0);

// The TextMate grammar as VS Code reads it: vscode-textmate with Oniguruma.
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const require = createRequire(import.meta.url);
const oniguruma = require('vscode-oniguruma');
const textmate = require('vscode-textmate');

export const folder = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '..');

/** Returns a function from a text to its tokens: { text, scopes, line, start }. */
export async function tokenizer() {
  const wasm = readFileSync(require.resolve('vscode-oniguruma/release/onig.wasm'));
  await oniguruma.loadWASM(wasm.buffer.slice(wasm.byteOffset, wasm.byteOffset + wasm.byteLength));
  const registry = new textmate.Registry({
    onigLib: Promise.resolve({
      createOnigScanner: patterns => new oniguruma.OnigScanner(patterns),
      createOnigString: text => new oniguruma.OnigString(text),
    }),
    loadGrammar: async () => textmate.parseRawGrammar(
      readFileSync(path.join(folder, 'syntaxes/dspi.tmLanguage.json'), 'utf8'), 'dspi.tmLanguage.json'),
  });
  const grammar = await registry.loadGrammar('source.dspi');
  return text => {
    const tokens = [];
    let stack = textmate.INITIAL;
    text.split('\n').forEach((line, number) => {
      const result = grammar.tokenizeLine(line, stack);
      stack = result.ruleStack;
      for (const t of result.tokens) {
        tokens.push({ text: line.slice(t.startIndex, t.endIndex), scopes: t.scopes, line: number, start: t.startIndex });
      }
    });
    return tokens;
  };
}

/** Returns what a token is, as the letters of tree-sitter/test/categories.py. */
export function category(scopes) {
  for (const scope of [...scopes].reverse()) {
    if (scope.startsWith('comment.')) return 'c';
    if (scope.startsWith('meta.embedded.')) return '.';
    if (scope.startsWith('string.')) return 's';
    if (scope.startsWith('keyword.') && (!scope.startsWith('keyword.operator.') || scope.startsWith('keyword.operator.word.'))) return 'k';
  }
  return '.';
}

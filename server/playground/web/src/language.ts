// The language as Monaco knows it before the server answers: comments, strings,
// numbers, brackets. Everything else is coloured by the server's semantic tokens.

import * as monaco from 'monaco-editor/esm/vs/editor/editor.api.js';

import type { Colours } from './colours';

/** The name of the language in Monaco. */
export const language = 'dspi';

/** The name of Monaco's theme in which the page is light or dark. */
export const theme = (colours: Colours): string => `dspi-${colours}`;

/** Tells Monaco of the language, and of its colours. */
export function register(): void {
  monaco.languages.register({ id: language, extensions: ['.dsp', '.dspi'] });
  monaco.languages.setLanguageConfiguration(language, {
    comments: { lineComment: '#', blockComment: ['/*', '*/'] },
    brackets: [['{', '}'], ['[', ']'], ['(', ')']],
    autoClosingPairs: ['{}', '[]', '()', '""', '``'].map(([open, close]) => ({ open, close, notIn: ['string', 'comment'] })),
    surroundingPairs: ['{}', '[]', '()', '""', '``'].map(([open, close]) => ({ open, close })),
    wordPattern: /[\p{L}_][\p{L}\p{Nd}\p{M}_]*|-?\d[\d_.]*/u,
  });
  const code: monaco.languages.IMonarchLanguageRule[] = [
    [/(#|\/\/).*$/, 'comment'],
    [/\/\*/, 'comment', '@comment'],
    [/"/, 'string', '@string'],
    [/`/, 'string', '@raw'],
    [/'(?:[^'\\]|\\.)*'/, 'string'],
    [/(<<-?)([A-Za-z_]\w*)[ \t]*$/, { token: 'string', next: '@text.$2' }],
    [/\b\d[\d_]*(?:\.\d[\d_]*)?(?:[eE][+-]?\d+)?\b/, 'number'],
    [/\b(?:true|false|null)\b/, 'keyword'],
    [/\b(?:import|as|let)\b/, 'keyword'],
    [/\b(?:program|signature|type|enum|variable|model|tool|retriever|dataset|metric|evaluate|optimize|constraint|test|module|inputs|outputs|state|next|repeat|assert|suggest)\b(?=[^={]*\{)/, 'keyword'],
    [/[A-Za-z_]\w*/, 'identifier'],
  ];
  const hole: monaco.languages.IMonarchLanguageRule = [/\$\{/, { token: 'delimiter', next: '@hole' }];
  monaco.languages.setMonarchTokensProvider(language, {
    tokenizer: {
      root: code,
      comment: [[/\*\//, 'comment', '@pop'], [/./, 'comment']],
      string: [[/\$\$\{|\\./, 'string.escape'], hole, [/"/, 'string', '@pop'], [/[^"\\$]+|\$/, 'string']],
      raw: [[/`/, 'string', '@pop'], [/[^`]+/, 'string']],
      text: [
        [/^\s*([A-Za-z_]\w*)\s*$/, { cases: { '$1==$S2': { token: 'string', next: '@pop' }, '@default': 'string' } }],
        [/\$\$\{/, 'string.escape'], hole, [/[^$]+|\$/, 'string'],
      ],
      hole: [[/\{/, 'delimiter', '@hole'], [/\}/, 'delimiter', '@pop'], ...code],
    },
  });
  const kinds = ['comment', 'string', 'string.escape', 'number', 'keyword', 'type', 'function', 'variable', 'property'];
  const alike: Record<string, string[]> = {
    number: ['enumMember'], type: ['enum', 'class', 'namespace'], function: ['method'], variable: ['parameter'],
  };
  for (const [colours, base, lenses, bracket, foregrounds] of [
    ['light', 'vs', '#5e6670', '#1a7f37', ['5e6670', '0a5c2f', '953800', '0550ae', 'a0111f', '6f42c1', '8250df', '953800', '1f4e79']],
    ['dark', 'vs-dark', '#9aa4af', '#da70d6', ['9aa4af', '8ddb8c', 'f0a868', '79c0ff', 'ff8f85', 'd2a8ff', 'dcbdfb', 'f0a868', '9ecbff']],
  ] as const) {
    monaco.editor.defineTheme(theme(colours), {
      base, inherit: true, colors: { 'editorCodeLens.foreground': lenses, 'editorBracketHighlight.foreground2': bracket },
      rules: kinds.flatMap((kind, i) => [kind, ...alike[kind] ?? []].map(token => ({ token, foreground: foregrounds[i] }))),
    });
  }
}

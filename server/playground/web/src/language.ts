// The language as Monaco knows it before the server answers: comments, strings,
// numbers, brackets. Everything else is coloured by the server's semantic tokens.

import * as monaco from 'monaco-editor/esm/vs/editor/editor.api.js';

/** The name of the language in Monaco. */
export const language = 'dspi';

/** Tells Monaco of the language. */
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
  monaco.editor.defineTheme('dspi', {
    base: 'vs', inherit: true, colors: {},
    rules: [
      ['comment', '6a737d'], ['string', '0a5c2f'], ['string.escape', '953800'], ['number', '0550ae'], ['keyword', 'a0111f'],
      ['type', '6f42c1'], ['enum', '6f42c1'], ['class', '6f42c1'], ['enumMember', '0550ae'], ['function', '8250df'], ['method', '8250df'],
      ['parameter', '953800'], ['variable', '953800'], ['property', '1f4e79'], ['namespace', '6f42c1'],
    ].map(([token, foreground]) => ({ token, foreground })),
  });
}

// The lenses over programs and tests: what they do here, and how many tests there are.

import * as monaco from 'monaco-editor/esm/vs/editor/editor.api.js';

import { language } from './language';
import { Connection } from './rpc';
import { Range, fromRange, toRange } from './wire';

interface Lens {
  range: Range;
  command?: { title: string; command: string; arguments?: unknown[] };
  data?: unknown;
}

/** What a lens starts: it is told where the lens stands, and the name of what it is over. */
export type Start = (at: monaco.IPosition, name: string) => void;

/**
 * Shows the lenses whose command is one of starts. The others, of what the page does
 * not do, are left out. tests is told how many tests the file has.
 */
export function provideLenses(server: Connection, starts: Record<string, Start>, tests: (count: number) => void): void {
  Object.entries(starts).forEach(([id, start]) =>
    monaco.editor.registerCommand(id, (_, at: monaco.IPosition, name: string) => start(at, name)));
  const shown = (lens: Lens): monaco.languages.CodeLens => {
    const range = fromRange(lens.range);
    const at = { lineNumber: range.startLineNumber, column: range.startColumn };
    return {
      range, id: JSON.stringify(lens.data),
      command: lens.command && { id: lens.command.command, title: lens.command.title, arguments: [at, lens.command.arguments?.[1]] },
    };
  };
  monaco.languages.registerCodeLensProvider(language, {
    provideCodeLenses: async model => {
      const got = await server.request<Lens[] | null>('textDocument/codeLens', { textDocument: { uri: model.uri.toString() } }) ?? [];
      tests(got.filter(l => l.command?.command === 'dspi.test').length);
      return { lenses: got.filter(l => l.command === undefined || l.command.command in starts).map(shown), dispose() { } };
    },
    resolveCodeLens: async (_, lens) => lens.command !== undefined ? lens
      : shown(await server.request<Lens>('codeLens/resolve', { range: toRange(lens.range), data: JSON.parse(lens.id!) })),
  });
}

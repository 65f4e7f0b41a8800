// The parts of the Language Server Protocol that the page uses, and their translation
// into Monaco's own.

import * as monaco from 'monaco-editor/esm/vs/editor/editor.api.js';

export interface Position { line: number; character: number }
export interface Range { start: Position; end: Position }
export interface TextEdit { range: Range; newText: string }
export interface Diagnostic {
  range: Range;
  severity?: number;
  code?: string | number;
  codeDescription?: { href: string };
  message: string;
}
export interface Markup { kind: string; value: string }
export interface CompletionItem {
  label: string;
  kind?: number;
  detail?: string;
  documentation?: string | Markup;
  sortText?: string;
  filterText?: string;
  insertText?: string;
  insertTextFormat?: number;
  textEdit?: { range?: Range; insert?: Range; newText: string };
  additionalTextEdits?: TextEdit[];
  data?: unknown;
}
export interface CompletionList { isIncomplete: boolean; items: CompletionItem[] }
export interface WorkspaceEdit {
  changes?: Record<string, TextEdit[]>;
  documentChanges?: { textDocument?: { uri: string }; edits?: TextEdit[] }[];
}
export interface CodeAction { title: string; kind?: string; isPreferred?: boolean; diagnostics?: Diagnostic[]; edit?: WorkspaceEdit }

export const toPosition = (p: monaco.IPosition): Position => ({ line: p.lineNumber - 1, character: p.column - 1 });
export const toRange = (r: monaco.IRange): Range => ({
  start: { line: r.startLineNumber - 1, character: r.startColumn - 1 }, end: { line: r.endLineNumber - 1, character: r.endColumn - 1 },
});
export const fromRange = (r: Range): monaco.IRange => ({
  startLineNumber: r.start.line + 1, startColumn: r.start.character + 1, endLineNumber: r.end.line + 1, endColumn: r.end.character + 1,
});
export const fromEdit = (e: TextEdit): monaco.languages.TextEdit => ({ range: fromRange(e.range), text: e.newText });

export function fromMarkup(m: string | Markup | undefined): monaco.IMarkdownString | undefined {
  return m === undefined ? undefined : { value: typeof m === 'string' ? m : m.value };
}

/** Returns the edits of a file; another file's edits are refused. */
export function editsOf(edit: WorkspaceEdit, model: monaco.editor.ITextModel): TextEdit[] {
  const all: [string, TextEdit[]][] = [
    ...Object.entries(edit.changes ?? {}),
    ...(edit.documentChanges ?? []).map((c): [string, TextEdit[]] => [c.textDocument?.uri ?? '', c.edits ?? []]),
  ];
  if (all.some(([uri]) => uri === '' || !sameFile(uri, model))) {
    throw new Error('That changes other files, which the playground does not.');
  }
  return all.flatMap(([, edits]) => edits);
}

export const sameFile = (uri: string, model: monaco.editor.ITextModel): boolean =>
  monaco.Uri.parse(uri).toString() === model.uri.toString();

/** Returns the edit of a whole file as Monaco applies it. */
export function fromEdits(edit: WorkspaceEdit, model: monaco.editor.ITextModel): monaco.languages.WorkspaceEdit {
  return { edits: editsOf(edit, model).map(e => ({ resource: model.uri, versionId: undefined, textEdit: fromEdit(e) })) };
}

/** Numbers of the protocol's kinds of completions, as Monaco numbers them. */
export function fromKind(kind: number | undefined): monaco.languages.CompletionItemKind {
  const k = monaco.languages.CompletionItemKind;
  return [k.Text, k.Text, k.Method, k.Function, k.Constructor, k.Field, k.Variable, k.Class, k.Interface, k.Module, k.Property, k.Unit, k.Value,
    k.Enum, k.Keyword, k.Snippet, k.Color, k.File, k.Reference, k.Folder, k.EnumMember, k.Constant, k.Struct, k.Event, k.Operator,
    k.TypeParameter][kind ?? 0] ?? k.Text;
}

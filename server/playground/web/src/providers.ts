// Monaco's features, each answered by the language server.

import * as monaco from 'monaco-editor/esm/vs/editor/editor.api.js';

import { language } from './language';
import { Connection } from './rpc';
import {
  CodeAction, CompletionItem, CompletionList, Diagnostic, Markup, Range, TextEdit, WorkspaceEdit,
  fromEdit, fromEdits, fromKind, fromMarkup, fromRange, sameFile, toPosition, toRange,
} from './wire';

type Model = monaco.editor.ITextModel;
type At = { textDocument: { uri: string } };

/** What the server says of itself, as far as the page needs it. */
export interface Abilities {
  semanticTokensProvider: { legend: { tokenTypes: string[]; tokenModifiers: string[] } };
  completionProvider: { triggerCharacters?: string[] };
  signatureHelpProvider: { triggerCharacters?: string[] };
}

/** The diagnostics of the file that is open, as the server sent them. */
export let diagnostics: Diagnostic[] = [];

const of = (model: Model): At => ({ textDocument: { uri: model.uri.toString() } });
const at = (model: Model, p: monaco.IPosition) => ({ ...of(model), position: toPosition(p) });

/** Shows what the server says is wrong; changed is called after each time. */
export function follow(server: Connection, current: () => Model | null, changed: () => void): void {
  server.on<{ uri: string; diagnostics: Diagnostic[] }>('textDocument/publishDiagnostics', p => {
    const model = current();
    if (model === null || !sameFile(p.uri, model)) {
      return;
    }
    diagnostics = p.diagnostics;
    const severity = monaco.MarkerSeverity;
    monaco.editor.setModelMarkers(model, language, diagnostics.map(d => ({
      ...fromRange(d.range), message: d.message, source: language,
      severity: [severity.Error, severity.Error, severity.Warning, severity.Info, severity.Hint][d.severity ?? 1],
      code: d.code === undefined ? undefined : d.codeDescription === undefined ? String(d.code)
        : { value: String(d.code), target: monaco.Uri.parse(d.codeDescription.href) },
    })));
    changed();
  });
}

/** Registers the features. */
export function provide(server: Connection, abilities: Abilities): void {
  const l = monaco.languages;
  const edits = async (model: Model, method: string, more: object): Promise<monaco.languages.TextEdit[]> =>
    (await server.request<TextEdit[] | null>(method, { ...of(model), ...more }) ?? []).map(fromEdit);

  l.registerHoverProvider(language, {
    provideHover: async (model, p) => {
      const h = await server.request<{ contents: Markup; range?: Range } | null>('textDocument/hover', at(model, p));
      return h === null ? null : { contents: [fromMarkup(h.contents)!], range: h.range && fromRange(h.range) };
    },
  });
  l.registerCompletionItemProvider(language, {
    triggerCharacters: abilities.completionProvider.triggerCharacters,
    provideCompletionItems: async (model, p) => {
      const got = await server.request<CompletionList | CompletionItem[] | null>('textDocument/completion', at(model, p));
      const list = got === null ? [] : Array.isArray(got) ? got : got.items;
      const word = model.getWordUntilPosition(p);
      const around = { startLineNumber: p.lineNumber, endLineNumber: p.lineNumber, startColumn: word.startColumn, endColumn: p.column };
      return {
        incomplete: got !== null && !Array.isArray(got) && got.isIncomplete,
        suggestions: list.map(it => {
          const range = it.textEdit?.range ?? it.textEdit?.insert;
          return {
            label: it.label, kind: fromKind(it.kind), detail: it.detail, documentation: fromMarkup(it.documentation),
            sortText: it.sortText, filterText: it.filterText, insertText: it.textEdit?.newText ?? it.insertText ?? it.label,
            insertTextRules: it.insertTextFormat === 2 ? l.CompletionItemInsertTextRule.InsertAsSnippet : undefined,
            range: range === undefined ? around : fromRange(range), additionalTextEdits: it.additionalTextEdits?.map(fromEdit),
            item: it,
          } as monaco.languages.CompletionItem;
        }),
      };
    },
    resolveCompletionItem: async item => {
      const full = await server.request<CompletionItem>('completionItem/resolve', (item as unknown as { item: CompletionItem }).item);
      return { ...item, detail: full.detail ?? item.detail, documentation: fromMarkup(full.documentation) ?? item.documentation };
    },
  });
  l.registerSignatureHelpProvider(language, {
    signatureHelpTriggerCharacters: abilities.signatureHelpProvider.triggerCharacters,
    provideSignatureHelp: async (model, p) => {
      const h = await server.request<monaco.languages.SignatureHelp | null>('textDocument/signatureHelp', at(model, p));
      return h === null ? null : { value: { ...h, activeSignature: h.activeSignature ?? 0, activeParameter: h.activeParameter ?? 0 }, dispose() { } };
    },
  });
  const places = async (model: Model, method: string, p: monaco.IPosition, more: object = {}): Promise<monaco.languages.Location[]> => {
    const got = await server.request<{ uri: string; range: Range }[] | null>(method, { ...at(model, p), ...more });
    return (got ?? []).filter(x => sameFile(x.uri, model)).map(x => ({ uri: model.uri, range: fromRange(x.range) }));
  };
  l.registerDefinitionProvider(language, { provideDefinition: (model, p) => places(model, 'textDocument/definition', p) });
  l.registerReferenceProvider(language, {
    provideReferences: (model, p, context) => places(model, 'textDocument/references', p, { context }),
  });
  l.registerDocumentHighlightProvider(language, {
    provideDocumentHighlights: async (model, p) =>
      (await server.request<{ range: Range }[] | null>('textDocument/documentHighlight', at(model, p)) ?? []).map(h => ({ range: fromRange(h.range) })),
  });
  l.registerRenameProvider(language, {
    provideRenameEdits: async (model, p, newName) => {
      try {
        return fromEdits(await server.request<WorkspaceEdit>('textDocument/rename', { ...at(model, p), newName }), model);
      } catch (err) {
        return { edits: [], rejectReason: (err as Error).message };
      }
    },
  });
  l.registerDocumentFormattingEditProvider(language, {
    provideDocumentFormattingEdits: (model, options) => edits(model, 'textDocument/formatting', { options }),
  });
  l.registerDocumentRangeFormattingEditProvider(language, {
    provideDocumentRangeFormattingEdits: (model, range, options) => edits(model, 'textDocument/rangeFormatting', { range: toRange(range), options }),
  });
  l.registerFoldingRangeProvider(language, {
    provideFoldingRanges: async model =>
      (await server.request<{ startLine: number; endLine: number }[] | null>('textDocument/foldingRange', of(model)) ?? [])
        .map(f => ({ start: f.startLine + 1, end: f.endLine + 1 })),
  });
  l.registerInlayHintsProvider(language, {
    provideInlayHints: async (model, range) => {
      const got = await server.request<{ position: { line: number; character: number }; label: string; kind?: number; paddingLeft?: boolean; paddingRight?: boolean }[] | null>(
        'textDocument/inlayHint', { ...of(model), range: toRange(range) });
      return {
        hints: (got ?? []).map(h => ({
          label: h.label, kind: h.kind, paddingLeft: h.paddingLeft, paddingRight: h.paddingRight,
          position: { lineNumber: h.position.line + 1, column: h.position.character + 1 },
        })),
        dispose() { },
      };
    },
  });
  l.registerCodeActionProvider(language, {
    provideCodeActions: async (model, range, context) => {
      const here = diagnostics.filter(d => monaco.Range.areIntersectingOrTouching(fromRange(d.range), range));
      const got = await server.request<CodeAction[] | null>('textDocument/codeAction', {
        ...of(model), range: toRange(range), context: { diagnostics: here, only: context.only === undefined ? undefined : [context.only] },
      });
      const actions = (got ?? []).flatMap((a): monaco.languages.CodeAction[] => {
        try {
          return [{ title: a.title, kind: a.kind, isPreferred: a.isPreferred, edit: a.edit && fromEdits(a.edit, model),
            diagnostics: context.markers.filter(m => a.diagnostics?.some(d => d.message === m.message)) }];
        } catch {
          return []; // of other files
        }
      });
      return { actions, dispose() { } };
    },
  });
  l.registerDocumentSemanticTokensProvider(language, {
    getLegend: () => abilities.semanticTokensProvider.legend,
    provideDocumentSemanticTokens: async model => {
      const got = await server.request<{ data: number[] } | null>('textDocument/semanticTokens/full', of(model));
      return { data: new Uint32Array(got?.data ?? []) };
    },
    releaseDocumentSemanticTokens() { },
  });
}

// The playground's page: an editor that the language server serves, and beside it what
// the program is and does.

import 'monaco-editor/esm/vs/editor/editor.all.js';
import * as monaco from 'monaco-editor/esm/vs/editor/editor.api.js';

import { Part, PlanAnswer, Preview, PromptAnswer, SchemaAnswer } from '../../../../lsp/editors/vscode/src/answers';
import { draw, element } from '../../../../lsp/editors/vscode/src/draw';
import { style } from '../../../../lsp/editors/vscode/src/style';
import { language, register } from './language';
import './page.css';
import { Abilities, diagnostics, follow, provide } from './providers';
import { Connection } from './rpc';
import { Shown, run } from './run';
import { fromRange } from './wire';

interface Start {
  root: string | null; // the folder's URI
  model: string;
  files: { name: string; uri: string; text: string }[];
}

const pause = 150; // ms after the last key before the server is asked
const token = location.hash.slice(1);
const by = (id: string): HTMLElement => document.getElementById(id)!;
const state = (text: string): void => { by('state').textContent = text; };

(self as unknown as { MonacoEnvironment: object }).MonacoEnvironment = { getWorker: () => new Worker('/assets/editor.worker.js') };

function show(tab: string): void {
  document.querySelectorAll<HTMLElement>('#tabs button').forEach(b => b.setAttribute('aria-selected', String(b.dataset.tab === tab)));
  document.querySelectorAll<HTMLElement>('.tab').forEach(t => { t.hidden = t.id !== tab; });
}

/** The inputs that a comment in the text gives after `dspi run`. */
function examples(text: string): Record<string, string> {
  const line = /^(?:#|\/\/)\s*dspi run .*$/m.exec(text)?.[0] ?? '';
  return Object.fromEntries([...line.matchAll(/(?<=\s)([\p{L}_][\p{L}\p{N}_]*)=(?:"([^"]*)"|'([^']*)'|(\S+))/gu)]
    .map(m => [m[1], m[2] ?? m[3] ?? m[4]]));
}

async function main(): Promise<void> {
  const answer = await fetch('/api/start', { headers: { Authorization: `Bearer ${token}` } });
  if (!answer.ok) {
    throw new Error(await answer.text());
  }
  const start = await answer.json() as Start;
  document.head.append(element('style', {}, `.tab { ${style} }`));
  by('model').textContent = start.model;
  register();

  const server = await Connection.open(`ws://${location.host}/lsp?token=${encodeURIComponent(token)}`,
    () => state('The playground is gone: start it again.'));
  const answered = await server.request<{ capabilities: Abilities }>('initialize', {
    processId: null, rootUri: start.root, workspaceFolders: start.root === null ? null : [{ uri: start.root, name: 'playground' }],
    capabilities: {
      general: { positionEncodings: ['utf-16'] },
      textDocument: {
        completion: { completionItem: { snippetSupport: true, documentationFormat: ['markdown'], resolveSupport: { properties: ['documentation', 'detail'] } } },
        hover: { contentFormat: ['markdown'] },
        codeAction: { codeActionLiteralSupport: { codeActionKind: { valueSet: ['quickfix', 'refactor', 'source'] } } },
        publishDiagnostics: { codeDescriptionSupport: true },
      },
    },
  });
  server.notify('initialized', {});
  const editor = monaco.editor.create(by('editor'), {
    model: null, theme: 'dspi', automaticLayout: true, minimap: { enabled: false }, tabSize: 2, fontSize: 13, 'semanticHighlighting.enabled': true,
    fixedOverflowWidgets: true, scrollBeyondLastLine: false, wordBasedSuggestions: 'off', lightbulb: { enabled: monaco.editor.ShowLightbulbIconMode.On },
  });
  provide(server, answered.capabilities);

  const problems = (): void => {
    document.querySelector('[data-tab=problems]')!.textContent = diagnostics.length === 0 ? 'Problems' : `Problems (${diagnostics.length})`;
    by('problems').replaceChildren(element('ul', {}, ...diagnostics.map(d => {
      const item = element('li', { 'data-code': String(d.code ?? '') },
        element('strong', {}, `${d.range.start.line + 1}:${d.range.start.character + 1} ${d.code ?? ''} `), d.message);
      item.addEventListener('click', () => {
        editor.setPosition({ lineNumber: fromRange(d.range).startLineNumber, column: fromRange(d.range).startColumn });
        editor.focus();
      });
      return item;
    })));
  };
  follow(server, () => editor.getModel(), problems);

  let program = '';
  let given: Record<string, string> = {};
  const fields = (inputs: readonly { name: string; type: string }[]): void => {
    const form = by('inputs');
    const before = Object.fromEntries([...form.querySelectorAll('textarea')].map(t => [t.name, t.value]));
    const names = inputs.map(f => `${f.name}: ${f.type}`).join('\n');
    if (form.dataset.of === names) {
      return; // a field that somebody writes in stays
    }
    form.dataset.of = names;
    form.replaceChildren(...inputs.map(f => {
      const field = element('textarea', { name: f.name, rows: '2', placeholder: f.type }) as HTMLTextAreaElement;
      field.value = before[f.name] ?? given[f.name] ?? '';
      return element('label', {}, f.name, field);
    }));
  };

  let asked = 0;
  const refresh = async (): Promise<void> => {
    const model = editor.getModel(), at = editor.getPosition(), number = ++asked;
    if (model === null || at === null) {
      return;
    }
    const params = { textDocument: { uri: model.uri.toString() }, position: { line: at.lineNumber - 1, character: at.column - 1 } };
    const part = async <T>(method: string): Promise<Part<T>> => {
      try {
        return { value: await server.request<T>(method, params) };
      } catch (err) {
        return { missing: (err as Error).message };
      }
    };
    const [prompt, schema, plan] = await Promise.all([
      part<PromptAnswer>('dspi/renderPrompt'), part<SchemaAnswer>('dspi/schema'), part<PlanAnswer>('dspi/plan'),
    ]);
    if (number !== asked) {
      return;
    }
    const step = 'value' in prompt ? prompt.value.step : '';
    const preview: Preview = { title: '', step, prompt, schema, plan };
    program = 'value' in plan ? plan.value.program : '';
    draw(preview, by('preview'), text => void navigator.clipboard.writeText(text));
    if ('value' in plan) {
      fields(plan.value.plan.inputs ?? []);
    }
  };
  let timer = 0;
  const later = (): void => {
    clearTimeout(timer);
    timer = window.setTimeout(() => void refresh(), pause);
  };

  let version = 0;
  let file = '';
  const open = (name: string): void => {
    const f = start.files.find(x => x.name === name)!;
    const old = editor.getModel();
    if (old !== null) {
      server.notify('textDocument/didClose', { textDocument: { uri: old.uri.toString() } });
      old.dispose();
    }
    file = f.name;
    given = examples(f.text);
    program = '';
    delete by('inputs').dataset.of;
    by('inputs').replaceChildren();
    diagnostics.length = 0;
    problems();
    const model = monaco.editor.createModel(f.text, language, monaco.Uri.parse(f.uri));
    const uri = model.uri.toString();
    server.notify('textDocument/didOpen', { textDocument: { uri, languageId: language, version: ++version, text: f.text } });
    model.onDidChangeContent(e => {
      server.notify('textDocument/didChange', {
        textDocument: { uri, version: ++version },
        contentChanges: e.isFlush ? [{ text: model.getValue() }] : e.changes.map(c => ({
          range: {
            start: { line: c.range.startLineNumber - 1, character: c.range.startColumn - 1 },
            end: { line: c.range.endLineNumber - 1, character: c.range.endColumn - 1 },
          },
          text: c.text,
        })),
      });
      later();
    });
    editor.setModel(model);
    const first = f.text.split('\n').findIndex(l => l.startsWith('program '));
    editor.setPosition({ lineNumber: Math.max(1, first + 1), column: 1 });
    later();
  };
  editor.onDidChangeCursorPosition(later);

  const chooser = by('examples') as HTMLSelectElement;
  chooser.append(...start.files.map(f => element('option', { value: f.name }, f.name)));
  chooser.addEventListener('change', () => open(chooser.value));
  document.querySelectorAll<HTMLElement>('#tabs button').forEach(b => b.addEventListener('click', () => show(b.dataset.tab!)));

  const runs = by('run') as HTMLButtonElement, stops = by('stop') as HTMLButtonElement;
  let running = new AbortController();
  by('form').addEventListener('submit', async e => {
    e.preventDefault();
    const shown = new Shown(by('outputs'), by('messages'), by('trace'));
    show('outputs');
    running = new AbortController();
    runs.disabled = true;
    stops.disabled = false;
    state('running …');
    clearTimeout(timer);
    await refresh(); // what was typed last may have another program
    const inputs = Object.fromEntries([...by('inputs').querySelectorAll('textarea')].filter(t => t.value !== '').map(t => [t.name, t.value]));
    try {
      shown.end(await run({ file, text: editor.getValue(), program, inputs }, token, running.signal, l => shown.line(l)));
    } catch (err) {
      shown.end({ error: running.signal.aborted ? 'stopped' : (err as Error).message });
    }
    runs.disabled = false;
    stops.disabled = true;
    state('ready');
  });
  stops.addEventListener('click', () => running.abort());
  editor.addCommand(monaco.KeyMod.CtrlCmd | monaco.KeyCode.Enter, () => (by('form') as HTMLFormElement).requestSubmit());

  open(start.files[0].name);
  state('ready');
}

main().catch(err => state((err as Error).message));

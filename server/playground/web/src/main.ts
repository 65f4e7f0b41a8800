// The playground's page: an editor that the language server serves, and beside it what
// the program is and does.

import 'monaco-editor/esm/vs/editor/editor.all.js';
import 'monaco-editor/esm/vs/editor/standalone/browser/quickAccess/standaloneCommandsQuickAccess.js';
import 'monaco-editor/esm/vs/editor/standalone/browser/referenceSearch/standaloneReferenceSearch.js';
import * as monaco from 'monaco-editor/esm/vs/editor/editor.api.js';

import { Part, PlanAnswer, Preview, PromptAnswer, SchemaAnswer } from '../../../../lsp/editors/vscode/src/answers';
import { draw, element } from '../../../../lsp/editors/vscode/src/draw';
import { style } from '../../../../lsp/editors/vscode/src/style';
import * as colours from './colours';
import { language, register, theme } from './language';
import { provideLenses } from './lenses';
import './page.css';
import { Abilities, diagnostics, follow, provide } from './providers';
import { Connection } from './rpc';
import { Shown, run } from './run';
import * as tabs from './tabs';
import { fromRange, sameFile, toPosition } from './wire';

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
    model: null, theme: theme(colours.apply()), ariaLabel: 'Program. F6 leaves the editor, F1 lists its commands',
    automaticLayout: true, minimap: { enabled: false }, tabSize: 2, fontSize: 13, 'semanticHighlighting.enabled': true,
    fixedOverflowWidgets: true, scrollBeyondLastLine: false, wordBasedSuggestions: 'off', lightbulb: { enabled: monaco.editor.ShowLightbulbIconMode.On },
  });
  provide(server, answered.capabilities);

  const scheme = by('colours') as HTMLSelectElement;
  const recolour = (): void => monaco.editor.setTheme(theme(colours.apply()));
  scheme.value = colours.chosen();
  scheme.addEventListener('change', () => {
    colours.choose(scheme.value as colours.Choice);
    recolour();
  });
  colours.follow(recolour);

  const problems = (): void => {
    document.querySelector('[data-tab=problems]')!.textContent = diagnostics.length === 0 ? 'Problems' : `Problems (${diagnostics.length})`;
    by('problems').replaceChildren(element('ul', {}, ...diagnostics.map(d => {
      const go = element('button', { type: 'button' },
        element('strong', {}, `${d.range.start.line + 1}:${d.range.start.character + 1} ${d.code ?? ''} `), d.message);
      go.addEventListener('click', () => {
        editor.setPosition({ lineNumber: fromRange(d.range).startLineNumber, column: fromRange(d.range).startColumn });
        editor.focus();
      });
      return element('li', { 'data-code': String(d.code ?? '') }, go);
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
    draw(preview, by('preview'), text => void navigator.clipboard.writeText(text).then(() => state('copied')));
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
    by('preview').replaceChildren(); // it was of another program
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
  tabs.listen();

  let running: AbortController | undefined;
  const busy = (is: boolean): void => { // a button that is disabled would lose the focus
    ['run', 'test'].forEach(id => by(id).setAttribute('aria-disabled', String(is)));
    by('stop').setAttribute('aria-disabled', String(!is));
  };
  const perform = async (what: 'run' | 'test', test = ''): Promise<void> => {
    if (running !== undefined) {
      state('Something runs already: stop it first.');
      return;
    }
    running = new AbortController();
    const signal = running.signal;
    const shown = new Shown(by('outputs'), by('messages'), by('trace'));
    tabs.show('outputs');
    busy(true);
    state('running …');
    clearTimeout(timer);
    await refresh(); // what was typed last may have another program
    const inputs = Object.fromEntries([...by('inputs').querySelectorAll('textarea')].filter(t => t.value !== '').map(t => [t.name, t.value]));
    let said = what === 'run' ? 'The run ended.' : 'The tests ended.';
    try {
      const end = await run(what, { file, text: editor.getValue(), program, inputs, test }, token, signal, shown);
      said = end.error !== undefined ? 'It failed: see Outputs.' : said;
      shown.end(end);
    } catch (err) {
      said = signal.aborted ? 'Stopped.' : 'It failed: see Outputs.';
      shown.end({ error: signal.aborted ? 'stopped' : (err as Error).message });
    }
    running = undefined;
    busy(false);
    state(said);
  };
  const form = by('form') as HTMLFormElement;
  form.addEventListener('submit', e => {
    e.preventDefault();
    void perform('run');
  });
  form.addEventListener('keydown', e => {
    if (e.key === 'Enter' && (e.ctrlKey || e.metaKey)) {
      form.requestSubmit();
    }
  });
  by('test').addEventListener('click', () => void perform('test'));
  by('stop').addEventListener('click', () => running?.abort());

  provideLenses(server, {
    'dspi.run': at => {
      editor.setPosition(at);
      void perform('run');
    },
    'dspi.test': (_, name) => void perform('test', name),
    'dspi.references': async (at, name) => {
      editor.setPosition(at);
      editor.focus();
      const found = await server.request<{ uri: string }[] | null>('textDocument/references', {
        textDocument: { uri: editor.getModel()!.uri.toString() }, position: toPosition(at), context: { includeDeclaration: false },
      });
      if ((found ?? []).some(r => sameFile(r.uri, editor.getModel()!))) {
        editor.trigger('lens', 'editor.action.referenceSearch.trigger', undefined);
      } else {
        state(found?.length ? `\`${name}\` is used in other files.` : `Nothing uses \`${name}\`.`);
      }
    },
  }, count => { by('test').hidden = count === 0; });
  editor.addAction({
    id: 'dspi.run.here', label: 'Run Program', keybindings: [monaco.KeyMod.CtrlCmd | monaco.KeyCode.Enter], contextMenuGroupId: 'navigation',
    run: () => perform('run'),
  });
  editor.addAction({ id: 'dspi.test.all', label: 'Run Tests of This File', contextMenuGroupId: 'navigation', run: () => perform('test') });
  document.addEventListener('keydown', e => {
    if (e.key === 'F6') { // Tab writes in the editor, so another key leaves it
      e.preventDefault();
      if (editor.hasTextFocus()) {
        (form.querySelector('textarea') ?? by('run')).focus();
      } else {
        editor.focus();
      }
    }
  });

  open(start.files[0].name);
  state('ready');
}

main().catch(err => state((err as Error).message));

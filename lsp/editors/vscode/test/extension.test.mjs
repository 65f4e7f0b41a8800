// The extension, as it is packaged, in Node with the real `dspi lsp`: its client
// library (VS Code's own) talks to the server, the module `vscode` is a small one.
// DSPI names the built command.
import assert from 'node:assert/strict';
import { chmodSync, copyFileSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, watch, writeFileSync } from 'node:fs';
import Module, { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import path from 'node:path';
import test, { after, before } from 'node:test';

import { folder } from './textmate.mjs';

const require = createRequire(import.meta.url);
const fake = require('./vscode.cjs');
const load = Module._load;
Module._load = (name, ...rest) => name === 'vscode' ? fake : load(name, ...rest);
const { host, Uri, Position, Range } = fake;

const command = path.resolve(process.env.DSPI ?? 'dspi');
const work = mkdtempSync(path.join(tmpdir(), 'dspi-extension-'));
const file = path.join(work, 'rag.dsp');
const status = path.join(work, 'status');
const errors = path.join(work, 'errors');

// The server is started through a script that keeps its exit status and stderr.
const server = path.join(work, 'bin', 'dspi');
mkdirSync(path.dirname(server));
writeFileSync(server, `#!/bin/sh
if [ "$1" != lsp ]; then exec '${command}' "$@"; fi
'${command}' "$@" 2>>'${errors}'
echo $? >>'${status}'
`);
chmodSync(server, 0o755);

writeFileSync(status, '');

// ended resolves when the script has noted this many ends of the server, and
// fails when one was not good.
async function ended(count) {
  const changes = watch(status);
  try {
    await new Promise((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error('the server did not end')), 20_000);
      const look = () => {
        if (readFileSync(status, 'utf8').split('\n').length > count) {
          clearTimeout(timer);
          resolve();
        }
      };
      changes.on('change', look);
      look();
    });
  } finally {
    changes.close();
  }
  assert.equal(readFileSync(status, 'utf8'), '0\n'.repeat(count));
}

writeFileSync(file, `program rag {
  question: string -> answer: string
  predict respond {
    passages: list[string], question: string -> answer: string
    inputs { passages = [question] }
  }
  predict   unused { question: string -> other: string }
}

test paris {
  program = program.rag
  inputs { question = "Which river?" }
  assert { that = len(answer) > 0 }
}
`);

let extension, document;
const context = { subscriptions: [], extensionPath: folder, extensionUri: Uri.file(folder) };
const at = (text, more = 0) => document.positionAt(document.text.indexOf(text) + more);
const diagnostics = () => host.diagnostics.get(document.uri.toString());

before(async () => {
  host.settings['dspi.languageServer.path'] = server;
  extension = require(path.join(folder, 'dist/extension.js'));
  await extension.activate(context);
  document = host.open(file);
});

after(() => rmSync(work, { recursive: true, force: true }));

test('a mistake is shown while typing, and its fix applied', async () => {
  await host.until('diagnostics of a file without mistakes', () => diagnostics() !== undefined);
  host.edit(document, 'passages = [question]', 'passages = [questoin]');
  const found = await host.until('a diagnostic', () => diagnostics()?.find(d => d.code?.value === 'E0203' || d.code === 'E0203'));
  assert.equal(document.getText(found.range), 'questoin');
  assert.equal(found.source, 'dspi');
  const actions = await host.ask('CodeActions', 'provideCodeActions', document, found.range, { diagnostics: [found], only: undefined, triggerKind: 1 });
  const fix = actions.find(a => a.edit !== undefined);
  assert.ok(fix, 'no code action');
  await fake.workspace.applyEdit(fix.edit);
  assert.match(document.text, /passages = \[question\]/);
  await host.until('the diagnostic to go', () => diagnostics().every(d => d.severity !== 0));
});

test('completion', async () => {
  const list = await host.ask('CompletionItem', 'provideCompletionItems', document, at('[question]', 1), { triggerKind: 0 });
  const labels = (list.items ?? list).map(i => i.label.label ?? i.label);
  assert.ok(labels.includes('question'), labels.join(' '));
});

test('hover', async () => {
  const hover = await host.ask('Hover', 'provideHover', document, at('predict respond'));
  assert.match([hover.contents].flat().map(c => c.value).join(), /predict/);
});

test('definition', async () => {
  const found = await host.ask('Definition', 'provideDefinition', document, at('program.rag', 'program.'.length + 1));
  const place = [found].flat()[0];
  assert.equal(document.getText(place.range ?? place.targetRange), 'rag');
});

test('references, outline, folds, hints, semantic tokens', async () => {
  const uses = await host.ask('Reference', 'provideReferences', document, at('rag {'), { includeDeclaration: true });
  assert.equal(uses.length, 2);
  const outline = await host.ask('DocumentSymbol', 'provideDocumentSymbols', document);
  assert.deepEqual(outline.map(s => s.name), ['rag', 'paris']);
  assert.ok((await host.ask('FoldingRange', 'provideFoldingRanges', document, {})).length >= 2);
  assert.ok(Array.isArray(await host.ask('InlayHints', 'provideInlayHints', document, new Range(0, 0, 20, 0))));
  assert.ok((await host.ask('DocumentSemanticTokens', 'provideDocumentSemanticTokens', document)).data.length > 20);
});

test('rename', async () => {
  const edit = await host.ask('Rename', 'provideRenameEdits', document, at('rag {'), 'search');
  await fake.workspace.applyEdit(edit);
  assert.match(document.text, /program search \{/);
  assert.match(document.text, /program\.search/);
});

test('formatting is that of dspi fmt', async () => {
  const edits = await host.ask('DocumentFormattingEdit', 'provideDocumentFormattingEdits', document, { tabSize: 2, insertSpaces: true });
  const all = new fake.WorkspaceEdit();
  all.set(document.uri, edits);
  await fake.workspace.applyEdit(all);
  assert.match(document.text, /\n {2}predict unused \{/);
});

test('the lens of a program runs it and shows what it prints', async () => {
  const lenses = await host.ask('CodeLens', 'provideCodeLenses', document);
  const run = lenses.find(l => l.command?.command === 'dspi.run');
  host.answers = ['What is 6 * 7?'];
  assert.equal(await host.commands[run.command.command](...run.command.arguments), 0, host.channels.dspi);
  assert.equal(host.inputs[0].prompt, 'question: string');
  assert.equal(host.inputs[0].placeHolder, 'it is needed');
  assert.match(host.channels.dspi, /^\$ dspi run /);
  assert.match(host.channels.dspi, /answer/);
  assert.match(host.channels.dspi, /\[exit status 0 after /);
  assert.ok(!document.isDirty, 'the file was not saved before the run');
  assert.equal(readFileSync(file, 'utf8'), document.text);
});

test('the lens of a test runs it', async () => {
  const lenses = await host.ask('CodeLens', 'provideCodeLenses', document);
  const lens = lenses.find(l => l.command?.command === 'dspi.test');
  assert.equal(await host.commands[lens.command.command](...lens.command.arguments), 0, host.channels.dspi);
  assert.match(host.channels.dspi, /paris/);
});

test('the lens of references counts them and shows them', async () => {
  const provider = host.providers.CodeLens[0];
  const lenses = await host.ask('CodeLens', 'provideCodeLenses', document);
  const open = lenses.find(l => l.command === undefined);
  const lens = await provider.resolveCodeLens(open, new fake.CancellationTokenSource().token);
  assert.equal(lens.command.title, '1 reference');
  let shown;
  fake.commands.registerCommand('editor.action.showReferences', (...args) => { shown = args; });
  await host.commands[lens.command.command](...lens.command.arguments);
  assert.equal(shown[0], document.uri);
  assert.deepEqual(shown[1], at('search {'));
  assert.equal(document.getText(shown[2][0].range), 'search');
});

test('after an evaluation its lens shows the score', async () => {
  writeFileSync(path.join(work, 'rows.csv'), 'question,answer\nWhat is 2 + 2?,4\n');
  const at = path.join(work, 'measured.dsp');
  writeFileSync(at, `program sum { question: string -> answer: string }
dataset rows { file = "rows.csv" }
metric right { score = exact_match(prediction.answer, example.answer) }
evaluate all {
  program = program.sum
  data    = dataset.rows
  metrics = [metric.right]
  save_to = "all.json"
}
`);
  const measured = host.open(at);
  const lens = async () => (await host.ask('CodeLens', 'provideCodeLenses', measured)).find(l => l.command?.command === 'dspi.evaluate').command;
  const before = await lens();
  assert.equal(before.title, 'evaluate');
  let asked = 0;
  host.providers.CodeLens[0].onDidChangeCodeLenses(() => { asked++; });
  assert.equal(await host.commands['dspi.evaluate'](...before.arguments), 0, host.channels.dspi);
  assert.equal(asked, 1);
  assert.equal((await lens()).title, 'evaluate (last: right 1)');
  host.show(document);
});

test('no program runs in a workspace without trust, or when its inputs are not given', async () => {
  fake.workspace.isTrusted = false;
  assert.equal(await host.commands['dspi.run'](file, 'search'), undefined);
  fake.workspace.isTrusted = true;
  host.answers = [undefined];
  assert.equal(await host.commands['dspi.run'](file, 'search'), undefined);
});

test('the preview shows the step under the cursor and follows it', async () => {
  host.select(at('predict respond'));
  await host.commands['dspi.showPreview']();
  const panel = host.panels[0];
  assert.match(panel.webview.html, /default-src 'none'/);
  assert.ok(existsSync(panel.iconPath.fsPath), 'the icon of the panel');
  const shown = await host.until('a preview', () => panel.posted.at(-1));
  assert.equal(shown.title, 'search.respond');
  assert.ok(shown.prompt.value.messages.some(m => JSON.stringify(m).includes('passages')));
  assert.equal(shown.schema.value.schema.type, 'object');
  assert.deepEqual(shown.plan.value.plan.ops.map(o => o.name).sort(), ['respond', 'unused']);
  host.select(at('predict unused'));
  await host.until('the other step', () => panel.posted.at(-1).title === 'search.unused');
  panel.received.fire({ kind: 'copy', text: 'x' });
  assert.equal(fake.env.clipboard.text, 'x');
});

test('the preview is there again after the window was reloaded', async () => {
  host.panels[0].dispose();
  const [kind] = Object.keys(host.serializers);
  const { activationEvents } = require('../package.json');
  assert.ok(activationEvents.includes(`onWebviewPanel:${kind}`), activationEvents.join());
  const panel = fake.window.createWebviewPanel(kind, 'dspi preview', 2, {});
  const post = panel.webview.postMessage; // a message arrives when the page is loaded, and that is after this
  panel.webview.postMessage = message => { void post(message); return new Promise(() => { }); };
  host.select(at('predict respond'));
  await host.serializers[kind].deserializeWebviewPanel(panel, undefined);
  assert.equal(panel.webview.options.enableScripts, true);
  panel.received.fire({ kind: 'ready' });
  await host.until('a preview', () => panel.posted.at(-1)?.title === 'search.respond');
  assert.equal(panel.title, 'search.respond');
  panel.webview.postMessage = post;
});

test('the settings of a project and the values of variables have diagnostics and completion', async () => {
  const open = (name, text) => {
    writeFileSync(path.join(work, name), text);
    return host.open(path.join(work, name));
  };
  const settings = open('dspi.hcl', 'cache {\n  urll = "off"\n}\n\n');
  assert.equal(settings.languageId, 'dspi-hcl');
  const found = await host.until('a diagnostic of dspi.hcl', () => host.diagnostics.get(settings.uri.toString())?.[0]);
  assert.equal(settings.getText(found.range), 'urll');
  const list = await host.ask('CompletionItem', 'provideCompletionItems', settings, new Position(3, 0), { triggerKind: 0 });
  const labels = (list.items ?? list).map(i => i.label.label ?? i.label);
  assert.ok(labels.includes('default_model'), labels.join(' '));
  const values = open('own.dspvars', 'nothing = 1\n');
  const unknown = await host.until('a diagnostic of own.dspvars', () => host.diagnostics.get(values.uri.toString())?.[0]);
  assert.equal(unknown.code?.value ?? unknown.code, 'W0601');
});

test('a restart starts one server and ends the other', async () => {
  const panel = host.panels.at(-1);
  panel.posted.length = 0;
  await host.commands['dspi.restartServer']();
  await ended(1);
  await host.until('the preview by the new server', () => panel.posted.at(-1)?.prompt.value?.step === 'respond');
  const hover = await host.ask('Hover', 'provideHover', document, at('predict respond'));
  assert.match([hover.contents].flat().map(c => c.value).join(), /predict/);
});

test('the server ends well and said nothing on stderr', async () => {
  await extension.deactivate();
  await ended(2);
  assert.equal(readFileSync(errors, 'utf8'), '');
});

test('a missing command is said, and nothing fails', async () => {
  host.settings['dspi.languageServer.path'] = path.join(work, 'nothing');
  host.messages.length = 0;
  await host.commands['dspi.restartServer']();
  assert.match(host.messages.join(), /warning: The setting dspi\.languageServer\.path names/);
  assert.doesNotMatch(host.messages.join(), /`/, 'a notification shows no Markdown');
});

test('the command is found by setting, bundle and PATH', async () => {
  const own = path.join(work, 'extension');
  mkdirSync(path.join(own, 'bin'), { recursive: true });
  host.settings['dspi.languageServer.path'] = '';
  const kept = process.env.PATH;
  process.env.PATH = path.dirname(server);
  try {
    const started = () => host.channels['dspi Language Server'];
    await host.commands['dspi.restartServer']();
    assert.match(started(), /\(found by path\)\n/);
    await extension.deactivate();
    context.extensionPath = own;
    copyFileSync(server, path.join(own, 'bin', 'dspi'));
    process.env.PATH = '/bin:/usr/bin';
    await host.commands['dspi.restartServer']();
    assert.match(started(), /\(found by bundle\)\n/);
    await extension.deactivate();
  } finally {
    process.env.PATH = kept;
    context.subscriptions.forEach(s => s.dispose());
  }
});

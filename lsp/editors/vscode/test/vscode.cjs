// A small module `vscode`, for running the extension in Node: documents that
// change, events, and lists of what was registered. It shows nothing; what the
// extension would show or ask goes to and comes from `host`.
'use strict';

const fs = require('node:fs');
const path = require('node:path');
const { pathToFileURL, fileURLToPath } = require('node:url');

// record makes a class whose constructor stores its arguments under these names.
function record(...names) {
  return class {
    constructor(...values) {
      names.forEach((name, i) => { this[name] = values[i]; });
    }
  };
}

// numbers makes an enumeration as TypeScript compiles it.
function numbers(first, ...names) {
  const made = {};
  names.forEach((name, i) => { made[made[name] = i + first] = name; });
  return made;
}

class Disposable {
  constructor(end) { this.end = end; }
  dispose() { const end = this.end; this.end = undefined; end?.(); }
  static from(...list) { return new Disposable(() => list.forEach(d => d.dispose())); }
}

class EventEmitter {
  listeners = new Set();
  event = (listener, self, disposables) => {
    const bound = self === undefined ? listener : listener.bind(self);
    this.listeners.add(bound);
    const made = new Disposable(() => this.listeners.delete(bound));
    disposables?.push(made);
    return made;
  };
  fire(value) { [...this.listeners].forEach(l => l(value)); }
  dispose() { this.listeners.clear(); }
}

class CancellationTokenSource {
  emitter = new EventEmitter();
  token = { isCancellationRequested: false, onCancellationRequested: this.emitter.event };
  cancel() { this.token.isCancellationRequested = true; this.emitter.fire(); }
  dispose() { this.emitter.dispose(); }
}

class Uri {
  constructor(scheme, file) { this.scheme = scheme; this.path = file; this.authority = ''; this.query = ''; this.fragment = ''; }
  get fsPath() { return this.path; }
  toString() { return this.scheme === 'file' ? pathToFileURL(this.path).href : `${this.scheme}:${this.path}`; }
  with(change) { return new Uri(change.scheme ?? this.scheme, change.path ?? this.path); }
  toJSON() { return this.toString(); }
  static file(name) { return new Uri('file', path.resolve(name)); }
  static parse(text) {
    return text.startsWith('file:') ? new Uri('file', fileURLToPath(text)) : new Uri(text.slice(0, text.indexOf(':')), text.slice(text.indexOf(':') + 1));
  }
  static joinPath(base, ...parts) { return new Uri(base.scheme, path.posix.join(base.path, ...parts)); }
}

class Position {
  constructor(line, character) { this.line = line; this.character = character; }
  compareTo(other) { return this.line - other.line || this.character - other.character; }
  isBefore(other) { return this.compareTo(other) < 0; }
  isEqual(other) { return this.compareTo(other) === 0; }
}

class Range {
  constructor(a, b, c, d) {
    [this.start, this.end] = typeof a === 'number' ? [new Position(a, b), new Position(c, d)] : [a, b];
  }
  get isEmpty() { return this.start.isEqual(this.end); }
  isEqual(other) { return this.start.isEqual(other.start) && this.end.isEqual(other.end); }
}

class Selection extends Range {
  get active() { return this.end; }
}

class Document {
  constructor(uri, text, languageId) {
    Object.assign(this, { uri, text, languageId, version: 1, isDirty: false, isUntitled: uri.scheme === 'untitled', isClosed: false, eol: 1 });
  }
  get fileName() { return this.uri.fsPath; }
  get lineCount() { return this.text.split('\n').length; }
  getText(range) { return range === undefined ? this.text : this.text.slice(this.offsetAt(range.start), this.offsetAt(range.end)); }
  lineAt(at) { return { text: this.text.split('\n')[typeof at === 'number' ? at : at.line] }; }
  offsetAt(position) {
    const lines = this.text.split('\n');
    return lines.slice(0, position.line).reduce((n, l) => n + l.length + 1, 0) + Math.min(position.character, (lines[position.line] ?? '').length);
  }
  positionAt(offset) {
    const before = this.text.slice(0, offset).split('\n');
    return new Position(before.length - 1, before.at(-1).length);
  }
  validateRange(range) { return range; }
  getWordRangeAtPosition() { return undefined; }
  async save() {
    fs.writeFileSync(this.uri.fsPath, this.text);
    this.isDirty = false;
    emitters.didSave.fire(this);
    return true;
  }
}

const names = [
  'didOpen', 'didChange', 'didClose', 'didSave', 'willSave', 'configuration', 'folders', 'active', 'visible', 'selection',
  'didCreate', 'didRename', 'didDelete', 'willCreate', 'willRename', 'willDelete',
];
const emitters = Object.fromEntries(names.map(name => [name, new EventEmitter()]));

// languageOf returns the language that the extension's manifest gives a file.
function languageOf(file) {
  const { languages } = require('../package.json').contributes;
  const named = languages.find(l => l.filenames?.includes(path.basename(file)));
  return (named ?? languages.find(l => l.extensions?.includes(path.extname(file))))?.id ?? 'plaintext';
}

// fits reports whether a filter of documents takes one. Its patterns are `**/` and a
// name, in which `*` stands for anything.
function fits(filter, document) {
  const { language = document.languageId, scheme = document.uri.scheme, pattern = '**/*' } = filter;
  const name = pattern.replace('**/', '').split('*').map(part => part.replace(/\W/g, '\\$&')).join('.*');
  return language === document.languageId && scheme === document.uri.scheme && new RegExp(`^${name}$`).test(path.basename(document.uri.fsPath));
}

/** What a test reads and decides. */
const host = {
  providers: {},        // by kind: what was registered
  commands: {},         // by name
  settings: {},         // 'dspi.run.model': value
  diagnostics: new Map(), // by document
  channels: {},         // by name: what was written
  messages: [],         // shown to the person
  answers: [],          // of the person, to input boxes
  inputs: [],           // the input boxes that were shown
  panels: [],
  serializers: {},      // by kind of panel
  watchers: [],
  changed: new EventEmitter(), // diagnostics or output changed

  /** Opens a file as a person does. */
  open(file) {
    const document = new Document(Uri.file(file), fs.readFileSync(file, 'utf8'), languageOf(file));
    workspace.textDocuments.push(document);
    emitters.didOpen.fire(document);
    host.show(document);
    return document;
  },

  /** Makes an open document the one in the editor. */
  show(document) {
    const editor = { document, selection: new Selection(new Position(0, 0), new Position(0, 0)), viewColumn: 1 };
    window.visibleTextEditors = [editor];
    window.activeTextEditor = editor;
    emitters.visible.fire(window.visibleTextEditors);
    emitters.active.fire(editor);
  },

  /** Replaces the first occurrence of a text, or a range. */
  edit(document, where, text) {
    const start = where instanceof Range ? document.offsetAt(where.start) : document.text.indexOf(where);
    const length = where instanceof Range ? document.offsetAt(where.end) - start : where.length;
    if (start < 0) throw new Error(`no ${where} in the document`);
    const range = new Range(document.positionAt(start), document.positionAt(start + length));
    document.text = document.text.slice(0, start) + text + document.text.slice(start + length);
    document.version++;
    document.isDirty = true;
    emitters.didChange.fire({ document, contentChanges: [{ range, rangeOffset: start, rangeLength: length, text }], reason: undefined });
  },

  /** Moves the cursor of the active editor. */
  select(position) {
    const editor = window.activeTextEditor;
    editor.selection = new Selection(position, position);
    emitters.selection.fire({ textEditor: editor, selections: [editor.selection] });
  },

  /** Calls one of the providers of a kind and returns its answer. */
  ask(kind, method, ...args) {
    const provider = host.providers[kind]?.[0];
    if (provider === undefined) throw new Error(`nothing is registered for ${kind}`);
    return provider[method](...args, new CancellationTokenSource().token);
  },

  /** Resolves when a condition holds; fails after some seconds. */
  until(what, condition) {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => { made.dispose(); reject(new Error(`not in time: ${what}`)); }, 20_000);
      const look = () => {
        const value = condition();
        if (value) {
          clearTimeout(timer);
          made.dispose();
          resolve(value);
        }
      };
      const made = host.changed.event(look);
      look();
    });
  },
};

const register = new Proxy({}, {
  get: (_, name) => (_selector, provider) => {
    const kind = String(name).replace(/^register/, '').replace(/Provider$/, '');
    (host.providers[kind] ??= []).push(provider);
    return new Disposable(() => { host.providers[kind] = host.providers[kind].filter(p => p !== provider); });
  },
});

const languages = {
  match: (selector, document) => [selector].flat().some(filter => fits(filter, document)) ? 10 : 0,
  createDiagnosticCollection: name => {
    const put = (uri, list) => { host.diagnostics.set(uri.toString(), list ?? []); host.changed.fire(); };
    return {
      name, set: put, delete: uri => put(uri, []), clear: () => host.diagnostics.clear(),
      get: uri => host.diagnostics.get(uri.toString()), has: uri => host.diagnostics.has(uri.toString()),
      forEach: call => host.diagnostics.forEach(call), dispose: () => host.diagnostics.clear(),
    };
  },
};

const workspace = {
  textDocuments: [],
  notebookDocuments: [],
  workspaceFolders: undefined,
  isTrusted: true,
  fs: { stat: async uri => ({ type: fs.statSync(uri.fsPath).isDirectory() ? 2 : 1 }) },
  getWorkspaceFolder: uri => workspace.workspaceFolders?.find(f => uri.fsPath.startsWith(f.uri.fsPath)),
  getConfiguration: section => ({
    get: (name, otherwise) => host.settings[section === undefined ? name : `${section}.${name}`] ?? otherwise,
    has: name => `${section}.${name}` in host.settings,
    inspect: () => undefined,
  }),
  createFileSystemWatcher: pattern => {
    const made = { pattern, create: new EventEmitter(), change: new EventEmitter(), delete: new EventEmitter() };
    host.watchers.push(made);
    return { onDidCreate: made.create.event, onDidChange: made.change.event, onDidDelete: made.delete.event, dispose() { } };
  },
  applyEdit: async edit => {
    for (const [uri, edits] of edit.entries()) {
      const document = workspace.textDocuments.find(d => d.uri.toString() === uri.toString());
      [...edits].sort((a, b) => b.range.start.compareTo(a.range.start)).forEach(e => host.edit(document, e.range, e.newText));
    }
    return true;
  },
  registerTextDocumentContentProvider: () => new Disposable(() => { }),
  onDidOpenTextDocument: emitters.didOpen.event, onDidChangeTextDocument: emitters.didChange.event,
  onDidCloseTextDocument: emitters.didClose.event, onDidSaveTextDocument: emitters.didSave.event,
  onWillSaveTextDocument: emitters.willSave.event, onDidChangeConfiguration: emitters.configuration.event,
  onDidChangeWorkspaceFolders: emitters.folders.event, onDidCreateFiles: emitters.didCreate.event,
  onDidRenameFiles: emitters.didRename.event, onDidDeleteFiles: emitters.didDelete.event,
  onWillCreateFiles: emitters.willCreate.event, onWillRenameFiles: emitters.willRename.event,
  onWillDeleteFiles: emitters.willDelete.event,
  onDidOpenNotebookDocument: new EventEmitter().event, onDidChangeNotebookDocument: new EventEmitter().event,
  onDidCloseNotebookDocument: new EventEmitter().event, onDidSaveNotebookDocument: new EventEmitter().event,
};

const said = level => async text => { host.messages.push(`${level}: ${text}`); host.changed.fire(); return undefined; };

const window = {
  visibleTextEditors: [],
  activeTextEditor: undefined,
  tabGroups: { all: [], onDidChangeTabs: new EventEmitter().event, close: async () => true },
  onDidChangeActiveTextEditor: emitters.active.event,
  onDidChangeVisibleTextEditors: emitters.visible.event,
  onDidChangeTextEditorSelection: emitters.selection.event,
  showInformationMessage: said('information'), showWarningMessage: said('warning'), showErrorMessage: said('error'),
  showInputBox: async options => { host.inputs.push(options); return host.answers.shift(); },
  showTextDocument: async () => window.activeTextEditor,
  withProgress: (_options, task) => task({ report() { } }, new CancellationTokenSource().token),
  createStatusBarItem: () => ({ show() { }, hide() { }, dispose() { } }),
  createOutputChannel: name => {
    host.channels[name] ??= '';
    const append = text => { host.channels[name] += text; host.changed.fire(); };
    const log = level => text => append(`[${level}] ${text}\n`);
    return {
      name, append, appendLine: text => append(`${text}\n`), replace: text => { host.channels[name] = text; },
      clear: () => { host.channels[name] = ''; }, show() { }, hide() { }, dispose() { },
      logLevel: 3, onDidChangeLogLevel: new EventEmitter().event,
      trace: log('trace'), debug: log('debug'), info: log('info'), warn: log('warn'), error: log('error'),
    };
  },
  createWebviewPanel: (_type, title, _column, options) => {
    const received = new EventEmitter(), ended = new EventEmitter();
    const panel = {
      title, options, posted: [], received,
      webview: {
        html: '', cspSource: 'vscode-resource:',
        asWebviewUri: uri => uri,
        postMessage: async message => { panel.posted.push(message); host.changed.fire(); return true; },
        onDidReceiveMessage: received.event,
      },
      onDidDispose: ended.event, reveal() { }, dispose: () => ended.fire(),
    };
    host.panels.push(panel);
    return panel;
  },
  registerWebviewPanelSerializer: (kind, serializer) => {
    host.serializers[kind] = serializer;
    return new Disposable(() => { delete host.serializers[kind]; });
  },
};

const commands = {
  registerCommand: (name, call) => {
    if (name in host.commands) throw new Error(`command '${name}' already exists`);
    host.commands[name] = call;
    return new Disposable(() => { delete host.commands[name]; });
  },
  executeCommand: async (name, ...args) => host.commands[name]?.(...args),
};

class WorkspaceEdit {
  list = new Map();
  set(uri, edits) { this.list.set(uri.toString(), { uri, edits: edits.map(e => Array.isArray(e) ? e[0] : e) }); }
  replace(uri, range, newText) { this.set(uri, [...(this.list.get(uri.toString())?.edits ?? []), new TextEdit(range, newText)]); }
  entries() { return [...this.list.values()].map(({ uri, edits }) => [uri, edits]); }
  get size() { return this.list.size; }
}

class TextEdit {
  constructor(range, newText) { this.range = range; this.newText = newText; }
  static replace(range, text) { return new TextEdit(range, text); }
}

class MarkdownString {
  constructor(value = '') { this.value = value; }
  appendMarkdown(text) { this.value += text; return this; }
  appendCodeblock(text, language = '') { this.value += `\n\`\`\`${language}\n${text}\n\`\`\`\n`; return this; }
}

class CodeActionKind {
  constructor(value) { this.value = value; }
  append(part) { return new CodeActionKind(this.value === '' ? part : `${this.value}.${part}`); }
  static Empty = new CodeActionKind('');
  static QuickFix = new CodeActionKind('quickfix');
  static Refactor = new CodeActionKind('refactor');
  static Source = new CodeActionKind('source');
}

const known = {
  version: '1.92.0', host, Disposable, EventEmitter, CancellationTokenSource, Uri, Position, Range, Selection,
  WorkspaceEdit, TextEdit, MarkdownString, CodeActionKind, workspace, window, commands,
  languages: new Proxy(languages, { get: (own, name) => own[name] ?? register[name] }),
  env: { language: 'en', appName: 'Node', clipboard: { text: '', async writeText(text) { this.text = text; } }, openExternal: async () => true },
  CancellationError: class extends Error { },
  Diagnostic: record('range', 'message', 'severity'),
  DiagnosticRelatedInformation: record('location', 'message'),
  Location: record('uri', 'range'),
  Hover: record('contents', 'range'),
  CompletionItem: record('label', 'kind'),
  CompletionList: record('items', 'isIncomplete'),
  SnippetString: record('value'),
  CodeLens: record('range', 'command'),
  CodeAction: record('title', 'kind'),
  DocumentLink: record('range', 'target'),
  DocumentHighlight: record('range', 'kind'),
  DocumentSymbol: class { constructor(name, detail, kind, range, selectionRange) { Object.assign(this, { name, detail, kind, range, selectionRange, children: [] }); } },
  SymbolInformation: record('name', 'kind', 'containerName', 'location'),
  FoldingRange: record('start', 'end', 'kind'),
  SelectionRange: record('range', 'parent'),
  InlayHint: record('position', 'label', 'kind'),
  InlayHintLabelPart: record('value'),
  SemanticTokens: record('data', 'resultId'),
  SemanticTokensLegend: record('tokenTypes', 'tokenModifiers'),
  SignatureInformation: record('label', 'documentation'),
  ParameterInformation: record('label', 'documentation'),
  RelativePattern: record('baseUri', 'pattern'),
  DiagnosticSeverity: numbers(0, 'Error', 'Warning', 'Information', 'Hint'),
  DiagnosticTag: numbers(1, 'Unnecessary', 'Deprecated'),
  CompletionItemKind: numbers(0, 'Text', 'Method', 'Function', 'Constructor', 'Field', 'Variable', 'Class', 'Interface', 'Module', 'Property', 'Unit', 'Value', 'Enum', 'Keyword', 'Snippet', 'Color', 'Reference', 'File', 'Folder', 'EnumMember', 'Constant', 'Struct', 'Event', 'Operator', 'TypeParameter'),
  CompletionItemTag: numbers(1, 'Deprecated'),
  CompletionTriggerKind: numbers(0, 'Invoke', 'TriggerCharacter', 'TriggerForIncompleteCompletions'),
  CodeActionTriggerKind: numbers(1, 'Invoke', 'Automatic'),
  SignatureHelpTriggerKind: numbers(1, 'Invoke', 'TriggerCharacter', 'ContentChange'),
  DocumentHighlightKind: numbers(0, 'Text', 'Read', 'Write'),
  FoldingRangeKind: numbers(1, 'Comment', 'Imports', 'Region'),
  InlayHintKind: numbers(1, 'Type', 'Parameter'),
  SymbolKind: numbers(0, 'File', 'Module', 'Namespace', 'Package', 'Class', 'Method', 'Property', 'Field', 'Constructor', 'Enum', 'Interface', 'Function', 'Variable', 'Constant', 'String', 'Number', 'Boolean', 'Array', 'Object', 'Key', 'Null', 'EnumMember', 'Struct', 'Event', 'Operator', 'TypeParameter'),
  SymbolTag: numbers(1, 'Deprecated'),
  TextDocumentSaveReason: numbers(1, 'Manual', 'AfterDelay', 'FocusOut'),
  NotebookCellKind: numbers(1, 'Markup', 'Code'),
  ProgressLocation: { SourceControl: 1, Window: 10, Notification: 15 },
  StatusBarAlignment: numbers(1, 'Left', 'Right'),
  ViewColumn: { Beside: -2, Active: -1, One: 1 },
  LogLevel: numbers(0, 'Off', 'Trace', 'Debug', 'Info', 'Warning', 'Error'),
  FileType: { Unknown: 0, File: 1, Directory: 2 },
};

// Classes that the client's library extends or names, and this server never has
// it use.
for (const name of [
  'CallHierarchyIncomingCall', 'CallHierarchyItem', 'CallHierarchyOutgoingCall', 'Color', 'ColorInformation',
  'ColorPresentation', 'InlineCompletionItem', 'InlineCompletionList', 'InlineValueEvaluatableExpression',
  'InlineValueText', 'InlineValueVariableLookup', 'LinkedEditingRanges', 'SemanticTokensEdit', 'SemanticTokensEdits',
  'SignatureHelp', 'SnippetTextEdit', 'TabInputCustom', 'TabInputNotebook', 'TabInputText', 'TabInputTextDiff',
  'TypeHierarchyItem',
]) {
  known[name] = class { };
}

module.exports = known;

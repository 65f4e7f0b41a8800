import * as vscode from 'vscode';

import { page } from './page';
import { Part, PlanAnswer, Preview, PromptAnswer, SchemaAnswer } from './answers';
import { Server } from './server';

const kind = 'dspi.preview'; // of panel, as the manifest's activation event names it
const pause = 150; // ms after the last key before the server is asked

/**
 * The preview panel: for the step under the cursor the exact messages, the JSON
 * Schema of what is asked for, and the plan of its program as a graph. It follows
 * the cursor and the text; nothing is sent to any model.
 */
export class PreviewPanel implements vscode.Disposable, vscode.WebviewPanelSerializer {
  private panel: vscode.WebviewPanel | undefined;
  private timer: NodeJS.Timeout | undefined;
  private asked = 0;
  private document: vscode.TextDocument | undefined;
  private position: vscode.Position | undefined;
  private readonly listeners: vscode.Disposable[] = [];
  private readonly scripts: vscode.Uri;

  constructor(private readonly server: Server, private readonly extension: vscode.Uri) {
    this.scripts = vscode.Uri.joinPath(extension, 'dist');
    this.listeners.push(
      vscode.window.registerWebviewPanelSerializer(kind, this),
      server.onDidStart(() => this.later()),
      vscode.window.onDidChangeTextEditorSelection(e => this.follow(e.textEditor)),
      vscode.window.onDidChangeActiveTextEditor(e => this.follow(e)),
      vscode.workspace.onDidChangeTextDocument(e => {
        if (e.document === this.document) {
          this.later();
        }
      }),
    );
  }

  /** Opens the panel beside the editor, or brings it to the front. */
  async show(): Promise<void> {
    if (this.panel === undefined) {
      this.adopt(vscode.window.createWebviewPanel(
        kind, 'dspi preview', { viewColumn: vscode.ViewColumn.Beside, preserveFocus: true },
        { enableScripts: true, localResourceRoots: [this.scripts], retainContextWhenHidden: true }));
    } else {
      this.panel.reveal(undefined, true);
    }
    this.follow(vscode.window.activeTextEditor);
    await this.refresh();
  }

  /** Takes back the panel that stood here when the window was closed or reloaded. */
  async deserializeWebviewPanel(panel: vscode.WebviewPanel): Promise<void> {
    this.panel?.dispose();
    panel.webview.options = { enableScripts: true, localResourceRoots: [this.scripts] };
    this.adopt(panel);
    vscode.window.visibleTextEditors.forEach(editor => this.follow(editor));
    this.follow(vscode.window.activeTextEditor); // its page is loaded after this, and asks then
  }

  dispose(): void {
    clearTimeout(this.timer);
    this.listeners.forEach(l => l.dispose());
    this.panel?.dispose();
  }

  // adopt makes a panel the one that is drawn into.
  private adopt(panel: vscode.WebviewPanel): void {
    this.panel = panel;
    panel.iconPath = vscode.Uri.joinPath(this.extension, 'media', 'icon.png');
    panel.webview.onDidReceiveMessage(message => this.received(message));
    panel.onDidDispose(() => {
      if (this.panel === panel) {
        this.panel = undefined;
      }
    });
    const script = panel.webview.asWebviewUri(vscode.Uri.joinPath(this.scripts, 'panel.js'));
    panel.webview.html = page(script.toString(), panel.webview.cspSource);
  }

  private follow(editor: vscode.TextEditor | undefined): void {
    if (editor?.document.languageId !== 'dspi') {
      return; // the panel itself, or another file: what was shown stays
    }
    this.document = editor.document;
    this.position = editor.selection.active;
    this.later();
  }

  private later(): void {
    clearTimeout(this.timer);
    if (this.panel !== undefined) {
      this.timer = setTimeout(() => void this.refresh(), pause);
    }
  }

  /** Asks the server and shows what it says, unless it was asked again meanwhile. */
  async refresh(): Promise<void> {
    clearTimeout(this.timer);
    const number = ++this.asked;
    const made = await this.make();
    if (made !== undefined && number === this.asked && this.panel !== undefined) {
      this.panel.title = made.title;
      await this.panel.webview.postMessage(made);
    }
  }

  private async make(): Promise<Preview | undefined> {
    if (this.document === undefined || this.position === undefined) {
      return undefined;
    }
    const client = this.server.client;
    const params = {
      textDocument: { uri: this.document.uri.toString() },
      position: { line: this.position.line, character: this.position.character },
    };
    const dialect = vscode.workspace.getConfiguration('dspi', this.document.uri).get<string>('preview.dialect', '');
    const part = async <T>(method: string, more: object = {}): Promise<Part<T>> => {
      if (client === undefined) {
        return { missing: 'The language server does not run; its log says why.' };
      }
      try {
        return { value: await client.sendRequest<T>(method, { ...params, ...more }) };
      } catch (err) {
        return { missing: err instanceof Error ? err.message : String(err) };
      }
    };
    const [prompt, schema, plan] = await Promise.all([
      part<PromptAnswer>('dspi/renderPrompt'),
      part<SchemaAnswer>('dspi/schema', dialect === '' ? {} : { dialect }),
      part<PlanAnswer>('dspi/plan'),
    ]);
    const step = 'value' in prompt ? prompt.value.step : '';
    const program = 'value' in prompt ? prompt.value.program : 'value' in plan ? plan.value.program : '';
    return { title: [program, step].filter(name => name !== '').join('.') || 'dspi preview', prompt, schema, plan, step };
  }

  private received(message: { kind?: string; text?: string }): void {
    if (message.kind === 'ready') {
      void this.refresh(); // what was posted before the page listened is lost
    } else if (message.kind === 'copy' && typeof message.text === 'string') {
      void vscode.env.clipboard.writeText(message.text);
    }
  }
}

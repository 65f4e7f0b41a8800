import * as vscode from 'vscode';

import { page } from './page';
import { Part, PlanAnswer, Preview, PromptAnswer, SchemaAnswer } from './answers';
import { Server } from './server';

const pause = 150; // ms after the last key before the server is asked

/**
 * The preview panel: for the step under the cursor the exact messages, the JSON
 * Schema of what is asked for, and the plan of its program as a graph. It follows
 * the cursor and the text; nothing is sent to any model.
 */
export class PreviewPanel implements vscode.Disposable {
  private panel: vscode.WebviewPanel | undefined;
  private timer: NodeJS.Timeout | undefined;
  private asked = 0;
  private document: vscode.TextDocument | undefined;
  private position: vscode.Position | undefined;
  private readonly listeners: vscode.Disposable[] = [];

  constructor(private readonly server: Server, private readonly extension: vscode.Uri) {
    this.listeners.push(
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
      this.panel = vscode.window.createWebviewPanel(
        'dspi.preview', 'dspi preview', { viewColumn: vscode.ViewColumn.Beside, preserveFocus: true },
        { enableScripts: true, localResourceRoots: [vscode.Uri.joinPath(this.extension, 'dist')], retainContextWhenHidden: true });
      const script = this.panel.webview.asWebviewUri(vscode.Uri.joinPath(this.extension, 'dist', 'panel.js'));
      this.panel.webview.html = page(script.toString(), this.panel.webview.cspSource);
      this.panel.webview.onDidReceiveMessage(message => this.received(message));
      this.panel.onDidDispose(() => { this.panel = undefined; });
    } else {
      this.panel.reveal(undefined, true);
    }
    this.follow(vscode.window.activeTextEditor);
    await this.refresh();
  }

  dispose(): void {
    clearTimeout(this.timer);
    this.listeners.forEach(l => l.dispose());
    this.panel?.dispose();
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

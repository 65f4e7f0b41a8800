import * as vscode from 'vscode';
import {
  LanguageClient, LanguageClientOptions, ServerOptions, State,
} from 'vscode-languageclient/node';

import { CommandMissing, findCommand, Found } from './command';

/**
 * The language server of this window: found, started, restarted and stopped. What
 * it says on stderr, and what goes wrong with it, is in one log.
 */
export class Server implements vscode.Disposable {
  private current: LanguageClient | undefined;
  private changing: Promise<void> = Promise.resolve();
  private readonly started = new vscode.EventEmitter<void>();
  private readonly log = vscode.window.createOutputChannel('dspi Language Server', { log: true });
  private readonly status = vscode.window.createStatusBarItem('dspi.server', vscode.StatusBarAlignment.Right, 10);

  /** Tells that the server answers. */
  readonly onDidStart = this.started.event;

  constructor(private readonly context: vscode.ExtensionContext) {
    this.status.name = 'dspi';
    this.status.command = 'dspi.showLog';
  }

  /** The client, while it runs. */
  get client(): LanguageClient | undefined {
    return this.current?.state === State.Running ? this.current : undefined;
  }

  /** Finds the command anew, as settings may have changed. */
  command(): Found {
    const settings = vscode.workspace.getConfiguration('dspi');
    return findCommand({
      setting: settings.get<string>('languageServer.path', ''),
      extension: this.context.extensionPath,
      path: process.env.PATH ?? '',
      windows: process.platform === 'win32',
    });
  }

  /** Starts the server. One that is missing is said once; colours work without it. */
  start(): Promise<void> {
    return this.change(async () => {
      let found: Found;
      try {
        found = this.command();
      } catch (err) {
        if (!(err instanceof CommandMissing)) {
          throw err;
        }
        this.log.warn(err.message);
        this.show('$(warning) dspi', err.message);
        void this.explain(err.message);
        return;
      }
      const args = vscode.workspace.getConfiguration('dspi').get<string[]>('languageServer.args', ['lsp']);
      this.log.info(`${found.file} ${args.join(' ')} (found by ${found.by})`);
      const server: ServerOptions = { command: found.file, args };
      const options: LanguageClientOptions = {
        documentSelector: [
          { language: 'dspi', scheme: 'file' },
          { language: 'dspi', scheme: 'untitled' },
          { scheme: 'file', pattern: '**/dspi.hcl' },
          { scheme: 'file', pattern: '**/*.dspvars' },
        ],
        outputChannel: this.log,
        diagnosticCollectionName: 'dspi',
      };
      const client = new LanguageClient('dspi', 'dspi', server, options);
      this.current = client;
      try {
        await client.start();
        const version = client.initializeResult?.serverInfo?.version ?? '';
        this.show('$(check) dspi', `dspi ${version}\n${found.file}`);
        this.started.fire();
      } catch (err) {
        this.log.error(`The language server did not start: ${String(err)}`);
        this.show('$(error) dspi', 'The language server did not start; its log says why.');
      }
    });
  }

  restart(): Promise<void> {
    void this.stop();
    return this.start();
  }

  stop(): Promise<void> {
    return this.change(async () => {
      const client = this.current;
      this.current = undefined;
      if (client !== undefined && client.state !== State.Stopped) {
        await client.stop();
      }
    });
  }

  /** Has the lenses asked for anew: what they tell of the last run has changed. */
  refreshLenses(): void {
    const lenses = this.client?.getFeature('textDocument/codeLens');
    const providers = vscode.workspace.textDocuments.map(document => lenses?.getProvider(document));
    new Set(providers).forEach(provider => provider?.onDidChangeCodeLensEmitter.fire());
  }

  showLog(): void {
    this.log.show(true);
  }

  dispose(): void {
    this.started.dispose();
    this.status.dispose();
    this.log.dispose();
  }

  // change runs one step after the other: a restart in the middle of a start waits.
  private change(step: () => Promise<void>): Promise<void> {
    this.changing = this.changing.then(step, step);
    return this.changing;
  }

  private show(text: string, tooltip: string): void {
    this.status.text = text;
    this.status.tooltip = tooltip;
    this.status.show();
  }

  private async explain(message: string): Promise<void> {
    const settings = 'Open Settings';
    if (await vscode.window.showWarningMessage(message, settings) === settings) {
      await vscode.commands.executeCommand('workbench.action.openSettings', 'dspi.languageServer.path');
    }
  }
}

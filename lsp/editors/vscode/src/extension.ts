import * as vscode from 'vscode';

import { PreviewPanel } from './preview';
import { Runner } from './run';
import { Server } from './server';

let server: Server | undefined;

/** Called by VS Code when the first .dsp file is opened. */
export async function activate(context: vscode.ExtensionContext): Promise<void> {
  const started = new Server(context);
  const runner = new Runner(started);
  const preview = new PreviewPanel(started, context.extensionUri);
  server = started;
  context.subscriptions.push(
    started, runner, preview,
    vscode.commands.registerCommand('dspi.restartServer', () => started.restart()),
    vscode.commands.registerCommand('dspi.showLog', () => started.showLog()),
    vscode.commands.registerCommand('dspi.showPreview', () => preview.show()),
    vscode.commands.registerCommand('dspi.run', (file?: unknown, program?: unknown) => runner.run(text(file), text(program))),
    vscode.commands.registerCommand('dspi.test', (file?: unknown, name?: unknown) => runner.test(text(file), text(name))),
    vscode.commands.registerCommand('dspi.evaluate', (file?: unknown, name?: unknown) => runner.evaluate(text(file), text(name))),
    vscode.commands.registerCommand('dspi.optimize', (file?: unknown, name?: unknown) => runner.optimize(text(file), text(name))),
    vscode.commands.registerCommand('dspi.references', (file: string, program: string) => runner.references(file, program)),
    vscode.commands.registerCommand('dspi.stop', () => runner.stop()),
    vscode.workspace.onDidChangeConfiguration(e => {
      if (e.affectsConfiguration('dspi.languageServer')) {
        void started.restart();
      }
    }),
  );
  await started.start();
}

/** Called by VS Code before it ends. */
export async function deactivate(): Promise<void> {
  await server?.stop();
}

// text returns the argument of a lens; a menu's, which is no text, counts as none.
function text(argument: unknown): string | undefined {
  return typeof argument === 'string' ? argument : undefined;
}

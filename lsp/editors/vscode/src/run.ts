import { ChildProcess, spawn } from 'node:child_process';
import * as path from 'node:path';
import * as vscode from 'vscode';
import type * as lsp from 'vscode-languageclient/node';

import { PlanAnswer, Wanted } from './answers';
import { Server } from './server';

/**
 * Runs programs and tests from the code lenses. What they print goes to an output
 * view; a second run waits for nobody, it ends the first.
 */
export class Runner implements vscode.Disposable {
  private readonly output = vscode.window.createOutputChannel('dspi');
  private child: ChildProcess | undefined;

  constructor(private readonly server: Server) {}

  /** Runs a program, after asking for its inputs. Resolves to the exit status. */
  async run(file?: string, program?: string): Promise<number | undefined> {
    const target = await this.target(file);
    if (target === undefined) {
      return undefined;
    }
    const inputs = await this.ask(target, program);
    if (inputs === undefined) {
      return undefined;
    }
    const args = ['run', target, ...(program === undefined ? [] : [program]), '--input', '-'];
    const model = vscode.workspace.getConfiguration('dspi', vscode.Uri.file(target)).get<string>('run.model', '');
    if (model !== '') {
      args.push('--model', model);
    }
    return this.spawn(args, path.dirname(target), JSON.stringify(inputs));
  }

  /** Runs one test of a file, or all of them. Resolves to the exit status. */
  async test(file?: string, name?: string): Promise<number | undefined> {
    const target = await this.target(file);
    if (target === undefined) {
      return undefined;
    }
    const filter = name === undefined ? [] : ['--filter', `^${name.replace(/[^\p{L}\p{N}_]/gu, '\\$&')}$`];
    return this.spawn(['test', target, ...filter], path.dirname(target), '');
  }

  /** Measures a program on data, as an `evaluate` block says. */
  evaluate(file?: string, name?: string): Promise<number | undefined> {
    return this.named('eval', file, name);
  }

  /** Tunes a program, as an `optimize` block says. */
  optimize(file?: string, name?: string): Promise<number | undefined> {
    return this.named('optimize', file, name);
  }

  /** Shows where a program is used. */
  async references(file: string, program: string): Promise<void> {
    const client = this.server.client;
    const document = vscode.workspace.textDocuments.find(d => d.uri.fsPath === file);
    if (client === undefined || document === undefined) {
      return;
    }
    const name = new RegExp(`^[ \\t]*program[ \\t]+"?(?=${program}(?![\\p{L}\\p{N}_]))`, 'mu').exec(document.getText());
    if (name === null) {
      return;
    }
    const position = document.positionAt(name.index + name[0].length);
    const found = await client.sendRequest<lsp.Location[] | null>('textDocument/references', {
      ...client.code2ProtocolConverter.asTextDocumentPositionParams(document, position),
      context: { includeDeclaration: false },
    });
    await vscode.commands.executeCommand('editor.action.showReferences', document.uri, position,
      (found ?? []).map(place => client.protocol2CodeConverter.asLocation(place)));
  }

  stop(): void {
    this.child?.kill('SIGINT');
  }

  dispose(): void {
    this.stop();
    this.output.dispose();
  }

  private async named(command: string, file?: string, name?: string): Promise<number | undefined> {
    const target = await this.target(file);
    if (target === undefined) {
      return undefined;
    }
    const status = await this.spawn([command, target, ...(name === undefined ? [] : [name])], path.dirname(target), '');
    this.server.refreshLenses(); // they show the last score
    return status;
  }

  // target returns the file to run, saved: the command reads it from the disk.
  private async target(file?: string): Promise<string | undefined> {
    if (!vscode.workspace.isTrusted) {
      void vscode.window.showWarningMessage('Programs are run only in a workspace that is trusted.');
      return undefined;
    }
    const active = vscode.window.activeTextEditor?.document;
    const name = file ?? (active?.languageId === 'dspi' ? active.uri.fsPath : undefined);
    if (name === undefined) {
      void vscode.window.showWarningMessage('Open a .dsp file first.');
      return undefined;
    }
    const document = vscode.workspace.textDocuments.find(d => d.uri.fsPath === name);
    if (document?.isUntitled) {
      void vscode.window.showWarningMessage('Save the file first.');
      return undefined;
    }
    if (document?.isDirty && !await document.save()) {
      return undefined;
    }
    return name;
  }

  // ask asks for a program's inputs, one by one, and returns undefined when the
  // person gives up. A string is taken as it is, anything else read as JSON.
  private async ask(file: string, program?: string): Promise<Record<string, unknown> | undefined> {
    const inputs: Record<string, unknown> = {};
    for (const input of await this.inputs(file, program)) {
      const text = await vscode.window.showInputBox({
        title: `Run ${program ?? path.basename(file)}`,
        prompt: `${input.name}: ${input.type}${input.description === undefined ? '' : ` (${input.description})`}`,
        placeHolder: input.required ? 'it is needed' : input.default === undefined ? 'may be left empty' : `left empty, it is ${JSON.stringify(input.default)}`,
        ignoreFocusOut: true,
      });
      if (text === undefined) {
        return undefined;
      }
      if (text !== '') {
        inputs[input.name] = /^string\b/.test(input.type) ? text : parsed(text);
      }
    }
    return inputs;
  }

  private async inputs(file: string, program?: string): Promise<Wanted[]> {
    const answer = await this.server.client?.sendRequest<PlanAnswer>('dspi/plan', {
      textDocument: { uri: vscode.Uri.file(file).toString() },
      ...(program === undefined ? {} : { program }),
    }).catch(() => undefined); // the run itself says what is wrong
    return answer?.inputs ?? [];
  }

  private spawn(args: string[], folder: string, stdin: string): Promise<number | undefined> {
    this.stop();
    let command: string;
    try {
      command = this.server.command().file;
    } catch (err) {
      void vscode.window.showErrorMessage(String(err instanceof Error ? err.message : err));
      return Promise.resolve(undefined);
    }
    this.output.clear();
    this.output.show(true);
    this.output.appendLine(`$ dspi ${args.join(' ')}`);
    const started = Date.now();
    const child = spawn(command, args, { cwd: folder, env: { ...process.env, NO_COLOR: '1' } });
    this.child = child;
    const write = (text: string) => {
      if (this.child === child) {
        this.output.append(text);
      }
    };
    child.stdout.setEncoding('utf8').on('data', write);
    child.stderr.setEncoding('utf8').on('data', write);
    child.stdin.on('error', () => { /* it ended without reading */ }).end(stdin);
    return new Promise(resolve => {
      child.on('error', err => {
        write(`${err.message}\n`);
        resolve(undefined);
      });
      child.on('close', (code, signal) => {
        const took = ((Date.now() - started) / 1000).toFixed(1);
        write(`\n[${signal === null ? `exit status ${code}` : `ended by ${signal}`} after ${took} s]\n`);
        if (this.child === child) {
          this.child = undefined;
        }
        resolve(code ?? undefined);
      });
    });
  }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

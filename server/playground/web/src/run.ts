// A run: what the page asks the playground for, and how what comes back is shown.

import { element, written } from '../../../../lsp/editors/vscode/src/draw';

/** A line of a trace, as `dspi run --trace` writes it. */
export interface Line {
  kind: string;
  address?: string;
  path?: string;
  call?: number;
  model?: string;
  tool?: string;
  request?: { messages: { role: string; content: unknown }[] };
  reply?: { text?: string };
  inputs?: Record<string, unknown>;
  outputs?: Record<string, unknown>;
  duration_ns?: number;
  reason?: string;
  error?: { text: string; title?: string };
}

/** How a run ended. */
export interface End {
  outputs?: Record<string, unknown>;
  error?: string;
  usage?: string;
}

export interface Request {
  file: string;
  text: string;
  program: string;
  inputs: Record<string, string>;
}

/** Runs a program, and tells each line of its trace as it happens. */
export async function run(request: Request, token: string, signal: AbortSignal, line: (l: Line) => void): Promise<End> {
  const answer = await fetch('/api/run', {
    method: 'POST', signal, body: JSON.stringify(request),
    headers: { 'Content-Type': 'application/json', Authorization: `Bearer ${token}` },
  });
  if (!answer.ok || answer.body === null) {
    return { error: await answer.text() };
  }
  const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = '';
  let end: End = { error: 'The playground ended before the run did.' };
  for (;;) {
    const { done, value } = await reader.read();
    if (done) {
      return end;
    }
    const lines = (rest + value).split('\n');
    rest = lines.pop()!;
    for (const text of lines) {
      const got = JSON.parse(text) as { trace?: Line; end?: End };
      if (got.trace !== undefined) {
        line(got.trace);
      }
      end = got.end ?? end;
    }
  }
}

/** Shows the trace of a run, and the messages in it, as they come. */
export class Shown {
  private readonly rows = element('tbody', {});

  constructor(private readonly outputs: HTMLElement, private readonly messages: HTMLElement, trace: HTMLElement) {
    outputs.replaceChildren();
    messages.replaceChildren();
    trace.replaceChildren(element('table', {}, this.rows));
  }

  line(l: Line): void {
    const what = l.error?.text ?? l.reason ?? l.tool ?? l.model ?? (l.outputs === undefined ? '' : JSON.stringify(l.outputs));
    this.rows.append(element('tr', { 'data-kind': l.kind },
      element('td', {}, l.kind), element('td', {}, l.path ?? l.address ?? ''),
      element('td', {}, l.duration_ns === undefined ? '' : `${(l.duration_ns / 1e6).toFixed(1)} ms`),
      element('td', l.error === undefined ? {} : { class: 'error' }, what)));
    if (l.request !== undefined) {
      this.messages.append(element('h2', {}, l.path ?? l.address ?? '', element('small', {}, l.model ?? '')));
      for (const m of l.request.messages) {
        this.messages.append(element('div', { class: 'role' }, m.role), element('pre', { 'data-role': m.role }, written(m.content)));
      }
    }
    if (l.reply?.text !== undefined) {
      this.messages.append(element('div', { class: 'role' }, `reply${l.path === undefined ? '' : ` to ${l.path}`}`),
        element('pre', { 'data-role': 'reply' }, l.reply.text));
    }
  }

  end(end: End): void {
    this.outputs.replaceChildren(
      ...Object.entries(end.outputs ?? {}).flatMap(([name, value]) => [
        element('h2', {}, name), element('pre', { 'data-output': name }, written(value)),
      ]),
      ...end.error === undefined ? [] : [element('p', { class: 'error' }, end.error)],
      ...end.usage === undefined ? [] : [element('p', { class: 'usage' }, end.usage)]);
  }
}

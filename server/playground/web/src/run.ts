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

/** What became of a test: first that it runs. */
export interface Tested {
  name: string;
  status: 'running' | 'passed' | 'failed' | 'error' | 'skipped';
  error?: string;
  usage?: string;
}

export interface Request {
  file: string;
  text: string;
  program: string;
  inputs: Record<string, string>;
  test: string; // where tests are run: which one; "" for all
}

/** Runs a program or tests, and tells what happens while it happens. */
export async function run(what: 'run' | 'test', request: Request, token: string, signal: AbortSignal, shown: Shown): Promise<End> {
  const answer = await fetch(`/api/${what}`, {
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
      const got = JSON.parse(text) as { trace?: Line; test?: Tested; end?: End };
      if (got.trace !== undefined) {
        shown.line(got.trace);
      }
      if (got.test !== undefined) {
        shown.test(got.test);
      }
      end = got.end ?? end;
    }
  }
}

const words = { running: 'runs', passed: 'passed', failed: 'failed', error: 'could not run', skipped: 'not run' };

/** Shows the trace of a run, and the messages in it, as they come. */
export class Shown {
  private readonly rows = element('tbody', {});

  constructor(private readonly outputs: HTMLElement, private readonly messages: HTMLElement, trace: HTMLElement) {
    outputs.replaceChildren();
    messages.replaceChildren();
    trace.replaceChildren(element('table', { 'aria-label': 'Events' },
      element('thead', {}, element('tr', {}, ...['event', 'where', 'time', 'what'].map(name => element('th', { scope: 'col' }, name)))),
      this.rows));
  }

  test(t: Tested): void {
    this.rows.append(element('tr', { 'data-kind': 'test' },
      element('td', {}, 'test'), element('td', {}, t.name), element('td', {}), element('td', {}, words[t.status])));
    if (t.status === 'running') {
      this.messages.append(element('h2', {}, `test ${t.name}`));
      return;
    }
    const usage = t.usage === undefined ? '' : `; ${t.usage}`;
    this.outputs.append(element('h2', { class: t.status, 'data-test': t.name }, t.name, element('small', {}, words[t.status] + usage)),
      ...t.error === undefined ? [] : [element('pre', { class: 'error' }, t.error)]);
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
    this.outputs.append(
      ...Object.entries(end.outputs ?? {}).flatMap(([name, value]) => [
        element('h2', {}, name), element('pre', { 'data-output': name }, written(value)),
      ]),
      ...end.error === undefined ? [] : [element('p', { class: 'error' }, end.error)],
      ...end.usage === undefined ? [] : [element('p', { class: 'usage' }, end.usage)]);
  }
}

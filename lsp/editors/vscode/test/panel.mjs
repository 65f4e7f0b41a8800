// Draws the preview panel's page in Chromium, with what the real `dspi lsp` answers
// for a step, and looks at what stands there.
//
//     node panel.mjs CHROMIUM DSPI [PICTURE.png]
import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { pathToFileURL } from 'node:url';

import { buildSync } from 'esbuild';

import { folder } from './textmate.mjs';

const require = createRequire(import.meta.url);
const rpc = require('vscode-languageserver-protocol/node');
const [chromium, dspi, picture] = process.argv.slice(2);
const file = path.join(folder, '../../../examples/tour/03_rag.dsp');
const text = readFileSync(file, 'utf8');

async function preview() {
  const server = spawn(dspi, ['lsp'], { stdio: ['pipe', 'pipe', 'inherit'] });
  const ended = new Promise(resolve => server.on('exit', resolve));
  const connection = rpc.createMessageConnection(new rpc.StreamMessageReader(server.stdout), new rpc.StreamMessageWriter(server.stdin));
  connection.listen();
  await connection.sendRequest('initialize', { processId: process.pid, rootUri: null, capabilities: {} });
  await connection.sendNotification('initialized', {});
  const uri = pathToFileURL(file).href;
  await connection.sendNotification('textDocument/didOpen', { textDocument: { uri, languageId: 'dspi', version: 1, text } });
  const line = text.split('\n').findIndex(l => l.includes('chain_of_thought respond'));
  const params = { textDocument: { uri }, position: { line, character: 4 } };
  const [prompt, schema, plan] = await Promise.all(['dspi/renderPrompt', 'dspi/schema', 'dspi/plan'].map(m => connection.sendRequest(m, params)));
  await connection.sendRequest('shutdown');
  await connection.sendNotification('exit');
  assert.equal(await ended, 0);
  return { title: 'rag.respond', step: prompt.step, prompt: { value: prompt }, schema: { value: schema }, plan: { value: plan } };
}

const built = buildSync({ entryPoints: [path.join(folder, 'src/page.ts')], bundle: true, format: 'esm', platform: 'node', write: false });
const { page } = await import(`data:text/javascript,${encodeURIComponent(built.outputFiles[0].text)}`);
const work = mkdtempSync(path.join(tmpdir(), 'dspi-panel-'));
try {
  const shown = await preview();
  const html = page(pathToFileURL(path.join(folder, 'dist/panel.js')).href, 'file:');
  const nonce = /script-src \S+ '(nonce-[^']+)'/.exec(html)[1].slice('nonce-'.length);
  const draw = data => {
    const host = `<script nonce="${nonce}">
      window.acquireVsCodeApi = () => ({ postMessage() { queueMicrotask(() => window.dispatchEvent(new MessageEvent('message', { data: ${JSON.stringify(data).replaceAll('<', '\\u003c')} }))); } });
    </script>`;
    const at = path.join(work, 'panel.html');
    writeFileSync(at, html.replace('<script nonce', `${host}\n<script nonce`));
    const run = (...more) => execFileSync(chromium, ['--headless', '--no-sandbox', '--disable-gpu', `--user-data-dir=${work}/profile`,
      '--force-color-profile=srgb', '--window-size=900,1500', ...more, pathToFileURL(at).href], { stdio: ['ignore', 'pipe', 'ignore'], timeout: 60_000 }).toString();
    return { dom: run('--dump-dom'), run };
  };

  const { dom, run } = draw(shown);
  for (const m of shown.prompt.value.messages) {
    const start = m.content.slice(0, 40).replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
    assert.ok(dom.includes(`<pre data-role="${m.role}">${start}`), `no ${m.role} message in\n${dom}`);
  }
  assert.match(dom, /<pre id="schema">\{\n {2}"\$schema"/);
  assert.match(dom, /<g class="step here"><rect[^>]*><\/rect><text[^>]*>respond<\/text>/);
  assert.equal([...dom.matchAll(/<path d="M[^"]*" marker-end/g)].length, 6, 'edges of the graph');
  if (picture !== undefined) {
    run(`--screenshot=${path.resolve(picture)}`);
  }

  // Texts are texts: nothing of a program's becomes markup.
  const evil = { ...shown, prompt: { missing: '<img src=x onerror=alert(1)>' } };
  assert.ok(draw(evil).dom.includes('<p class="missing">&lt;img src=x onerror=alert(1)&gt;</p>'));
  console.log('panel: 1 passed, 0 failed');
} finally {
  rmSync(work, { recursive: true, force: true, maxRetries: 5 });
}

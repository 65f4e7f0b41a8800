// Draws the preview panel's page in Chromium, with what the real `dspi lsp` answers
// for a step, and looks at what stands there: in each kind of theme that VS Code has.
//
//     node panel.mjs CHROMIUM DSPI [PICTURE.png]
//
// The pictures are PICTURE-light.png, PICTURE-dark.png and so on.
import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { pathToFileURL } from 'node:url';

import { buildSync } from 'esbuild';

import { faint } from './contrast.mjs';
import { folder } from './textmate.mjs';

const require = createRequire(import.meta.url);
const rpc = require('vscode-languageserver-protocol/node');
const [chromium, dspi, picture] = process.argv.slice(2);
const file = path.join(folder, '../../../examples/tour/03_rag.dsp');
const text = readFileSync(file, 'utf8');

// What VS Code sets on the page of a webview: classes of body, and the colours of its
// own themes (Light Modern, Dark Modern, and the two of high contrast).
const themes = {
  light: { classes: 'vscode-light', scheme: 'light', foreground: '#3b3b3b', 'editor-background': '#ffffff', 'textCodeBlock-background': '#f8f8f8',
    'textLink-foreground': '#005fb8', focusBorder: '#005fb8', 'editorWidget-border': '#c8c8c8' },
  dark: { classes: 'vscode-dark', scheme: 'dark', foreground: '#cccccc', 'editor-background': '#1f1f1f', 'textCodeBlock-background': '#2b2b2b',
    'textLink-foreground': '#4daafc', focusBorder: '#0078d4', 'editorWidget-border': '#454545' },
  'high contrast': { classes: 'vscode-high-contrast', scheme: 'dark', foreground: '#ffffff', 'editor-background': '#000000', 'textCodeBlock-background': '#000000',
    'textLink-foreground': '#21a6ff', focusBorder: '#f38518', contrastBorder: '#6fc3df' },
  'high contrast light': { classes: 'vscode-high-contrast vscode-high-contrast-light', scheme: 'light', foreground: '#292929', 'editor-background': '#ffffff',
    'textCodeBlock-background': '#f2f2f2', 'textLink-foreground': '#0f4a85', focusBorder: '#006bbd', contrastBorder: '#0f4a85' },
};

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
  const draw = (data, theme = themes.light) => {
    const { classes, scheme: _, ...colours } = theme;
    const themed = html.replace('<html lang="en">', '<html lang="en">' + `<script nonce="${nonce}">
      for (const [name, colour] of Object.entries(${JSON.stringify(colours)})) { document.documentElement.style.setProperty('--vscode-' + name, colour); }
    </script>`).replace('<body>', `<body class="${classes}">`).replace('</body>', `<script nonce="${nonce}">
      const faint = ${faint};
      const look = (selector, what) => getComputedStyle(document.querySelector(selector) ?? document.body)[what];
      document.body.dataset.looks = JSON.stringify({
        faint: faint(['h2', 'h2 small', 'h2 button', '.role', 'pre', '.missing', 'svg text'].filter(s => s !== '.missing' || document.querySelector(s))),
        page: look('body', 'backgroundColor'), scheme: look('body', 'colorScheme'),
        border: look('pre', 'borderTopColor'), role: look('.role', 'opacity'),
      });
    </script></body>`);
    const host = `<script nonce="${nonce}">
      window.acquireVsCodeApi = () => ({ postMessage() { queueMicrotask(() => window.dispatchEvent(new MessageEvent('message', { data: ${JSON.stringify(data).replaceAll('<', '\\u003c')} }))); } });
    </script>`;
    const at = path.join(work, 'panel.html');
    writeFileSync(at, themed.replace('<main', `${host}\n<main`));
    const run = (...more) => execFileSync(chromium, ['--headless', '--no-sandbox', '--disable-gpu', `--user-data-dir=${work}/profile`,
      '--force-color-profile=srgb', '--window-size=900,1500', ...more, pathToFileURL(at).href], { stdio: ['ignore', 'pipe', 'ignore'], timeout: 60_000 }).toString();
    const dom = run('--dump-dom');
    const looks = JSON.parse(/data-looks="([^"]*)"/.exec(dom)[1].replaceAll('&quot;', '"').replaceAll('&lt;', '<').replaceAll('&gt;', '>').replaceAll('&amp;', '&'));
    return { dom, looks, run };
  };

  const { dom } = draw(shown);
  for (const m of shown.prompt.value.messages) {
    const start = m.content.slice(0, 40).replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
    assert.ok(dom.includes(`<pre data-role="${m.role}">${start}`), `no ${m.role} message in\n${dom}`);
  }
  assert.match(dom, /<pre id="schema">\{\n {2}"\$schema"/);
  assert.match(dom, /<g class="step here"><rect[^>]*><\/rect><text[^>]*>respond<\/text>/);
  assert.equal([...dom.matchAll(/<path d="M[^"]*" marker-end/g)].length, 6, 'edges of the graph');

  // What has no text is not to be copied.
  const copies = text => [...text.matchAll(/aria-label="Copy ([^"]*)"/g)].map(m => m[1]);
  assert.deepEqual(copies(dom), ['Messages', 'JSON Schema']);
  const silent = { ...shown, prompt: { value: { ...shown.prompt.value, messages: [], note: 'It asks no model.' } } };
  assert.deepEqual(copies(draw(silent).dom), ['JSON Schema']);

  // It has the colours of the theme, and everything can be read.
  const rgb = hex => `rgb(${[1, 3, 5].map(i => parseInt(hex.slice(i, i + 2), 16)).join(', ')})`;
  for (const [name, theme] of Object.entries(themes)) {
    const { looks, run } = draw(shown, theme);
    assert.deepEqual(looks.faint, [], name);
    assert.equal(looks.page, rgb(theme['editor-background']), name);
    assert.equal(looks.scheme, theme.scheme, name);
    const high = theme.contrastBorder !== undefined;
    assert.equal(looks.border, high ? rgb(theme.contrastBorder) : 'rgba(0, 0, 0, 0)', name);
    assert.equal(looks.role, high ? '1' : '0.75', name);
    if (picture !== undefined) {
      run(`--screenshot=${path.resolve(picture.replace('.png', `-${name.replaceAll(' ', '-')}.png`))}`);
    }
  }

  // Texts are texts: nothing of a program's becomes markup.
  const evil = { ...shown, prompt: { missing: '<img src=x onerror=alert(1)>' } };
  assert.ok(draw(evil).dom.includes('<p class="missing">&lt;img src=x onerror=alert(1)&gt;</p>'));
  console.log(`panel: in ${Object.keys(themes).length} themes: passed`);
} finally {
  rmSync(work, { recursive: true, force: true, maxRetries: 5 });
}

// Builds what the playground's page is made of into ../assets, gzipped. With --check it
// builds, writes nothing, and fails when ../assets holds something else.
//
//     node build.mjs [--check]
import { mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { gunzipSync, gzipSync } from 'node:zlib';

import { build } from 'esbuild';

const here = path.dirname(fileURLToPath(import.meta.url));
const assets = path.join(here, '../assets');
const monaco = path.join(here, 'node_modules/monaco-editor');

// Parts of the editor that the page has no use for: comparing texts, what a model would
// write at the cursor, choosing colours, dropping files.
const unused = /diffEditor\.contribution|inlineEdits?\.contribution|nlineCompletions|inlineProgress|colorPicker|dropOrPasteInto|placeholderText/;
const fewer = {
  name: 'fewer',
  setup: b => b.onLoad({ filter: /[\\/]editor[\\/]editor\.all\.js$/ }, ({ path: file }) =>
    ({ contents: readFileSync(file, 'utf8').split('\n').filter(line => !unused.test(line)).join('\n') })),
};

const made = await build({
  absWorkingDir: here,
  entryPoints: { playground: 'src/main.ts', colours: 'src/head.ts', 'editor.worker': path.join(monaco, 'esm/vs/editor/editor.worker.js') },
  outdir: assets, entryNames: '[name]', assetNames: '[name]',
  bundle: true, minify: true, plugins: [fewer], format: 'iife', target: 'chrome120', charset: 'utf8', legalComments: 'none',
  loader: { '.ttf': 'file' }, write: false, logLevel: 'warning',
});
const files = Object.fromEntries(made.outputFiles.map(f => [path.basename(f.path), Buffer.from(f.contents)]));
files['index.html'] = readFileSync(path.join(here, 'src/index.html'));
files['licenses.txt'] = Buffer.from(['LICENSE', 'ThirdPartyNotices.txt']
  .map(name => `monaco-editor: ${name}\n\n${readFileSync(path.join(monaco, name), 'utf8')}`).join('\n\n'));

if (process.argv.includes('--check')) {
  const there = readdirSync(assets).map(name => name.replace(/\.gz$/, ''));
  const names = Object.keys(files);
  const stale = [...names.filter(name => !there.includes(name) || !gunzipSync(readFileSync(path.join(assets, `${name}.gz`))).equals(files[name])),
    ...there.filter(name => !names.includes(name))];
  if (stale.length > 0) {
    console.error(`server/playground/assets is not what its sources make: ${stale.join(', ')}; \`make playground\` writes it`);
    process.exit(1);
  }
} else {
  rmSync(assets, { recursive: true, force: true });
  mkdirSync(assets);
  for (const [name, content] of Object.entries(files)) {
    writeFileSync(path.join(assets, `${name}.gz`), gzipSync(content, { level: 9 }));
  }
}

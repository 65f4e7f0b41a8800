// Uses the playground in Chromium as a person does: a program is typed with a mistake,
// the mistake is shown and mended by its action, the program runs, and its messages,
// trace and graph appear. Then the lenses (lenses.mjs), and the colours, the keys, the
// names and narrow windows (looks.mjs).
//
//     node playground.mjs CHROMIUM DSPI [PICTURE.png]
//
// The pictures are PICTURE.png, PICTURE-dark-preview.png and so on.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';

import { chromium } from 'playwright-core';

import { lenses, paste } from './lenses.mjs';
import { keys, names, narrow, scheme } from './looks.mjs';

const [command, dspi, picture] = process.argv.slice(2);
const start = async () => {
  const server = spawn(dspi, ['playground'], { stdio: ['ignore', 'pipe', 'inherit'] });
  const ended = once(server, 'exit');
  const [url] = await once(createInterface(server.stdout), 'line');
  return { url, end: () => (server.kill('SIGINT'), ended) };
};
const server = await start();
const { url } = server;
const browser = await chromium.launch({ executablePath: command, args: ['--no-sandbox'] });
let page, other;
try {
  const context = await browser.newContext({ viewport: { width: 1300, height: 850 }, colorScheme: 'light', permissions: ['clipboard-read', 'clipboard-write'] });
  page = await context.newPage();
  page.setDefaultTimeout(15_000);
  const faults = [];
  // The editor reports a request that a keystroke has overtaken as an error: it is none.
  page.on('pageerror', e => String(e) === 'Canceled: Canceled' || faults.push(String(e)));
  page.on('console', m => m.type() === 'error' && faults.push(m.text()));
  let origin = new URL(url).origin;
  page.on('request', r => r.url().startsWith(origin) || r.url().startsWith('data:') || faults.push(`asks for ${r.url()}`));
  await page.goto(url);
  await page.locator('#state', { hasText: 'ready' }).waitFor();

  // Every example opens, and nothing is wrong in it.
  const examples = await page.locator('#examples option').allTextContents();
  assert.ok(examples.includes('hello.dsp') && examples.length >= 5, examples.join());
  for (const name of examples) {
    await page.selectOption('#examples', name);
    await page.locator('#preview svg g.step').first().waitFor();
    assert.equal(await page.locator('#problems li').count(), 0, `problems in ${name}`);
  }
  await page.selectOption('#examples', 'hello.dsp');
  await page.locator('#preview svg g.step', { hasText: 'predict' }).waitFor();

  // A mistake is typed, and shown.
  const editor = page.locator('.monaco-editor').first();
  await editor.click();
  await page.keyboard.press('Control+A');
  await page.keyboard.press('Delete');
  await page.keyboard.type('program reply {');
  await page.keyboard.press('Escape');
  await page.keyboard.press('Enter');
  await page.keyboard.type('question: strin -> answer: string', { delay: 10 });
  await page.keyboard.press('Escape');
  await page.locator('#problems li[data-code=E0204]:only-child').waitFor({ state: 'attached' }); // on the way there are others
  await page.locator('.squiggly-error').first().waitFor();
  assert.match(await page.locator('#problems li').first().textContent(), /^2:13 E0204 unknown type.*did you mean `string`/s);

  // Its own action mends it.
  await page.click('[data-tab=problems]');
  await page.locator('#problems li[data-code=E0204] button').focus();
  await page.keyboard.press('Enter');
  await page.keyboard.press('Control+.');
  const action = page.locator('.action-widget .action.focused', { hasText: 'did you mean `string`?' });
  await action.waitFor();
  if (picture !== undefined) {
    await page.screenshot({ path: picture.replace('.png', '-action.png') });
  }
  await page.keyboard.press('Enter');
  await page.locator('#problems li').waitFor({ state: 'detached' });
  assert.match(await page.locator('.view-lines').innerText(), /question:\s*string\s*->\s*answer:\s*string/u);
  await page.locator('.mtk1, [class*=mtk]').first().waitFor();

  // It runs.
  await page.fill('#inputs textarea[name=question]', 'What is 17 * 23?');
  await page.click('#run');
  const output = page.locator('#outputs pre[data-output=answer]');
  await output.waitFor();
  assert.notEqual((await output.textContent()).trim(), '');
  await page.click('[data-tab=messages]');
  assert.match(await page.locator('#messages pre[data-role=user]').first().textContent(), /What is 17 \* 23\?/);
  assert.notEqual((await page.locator('#messages pre[data-role=reply]').first().textContent()).trim(), '');
  await page.click('[data-tab=trace]');
  for (const kind of ['run_start', 'step_start', 'call_start', 'call_end', 'step_end', 'run_end']) {
    assert.ok(await page.locator(`#trace tr[data-kind=${kind}]`).count() > 0, kind);
  }

  // The graph is that of what was typed.
  await page.click('[data-tab=preview]');
  await page.locator('#preview svg g.input', { hasText: 'question: string' }).waitFor();
  await page.locator('#preview svg g.output', { hasText: 'answer' }).waitFor();
  assert.equal(await page.locator('#preview svg path[marker-end]').count(), 2);
  if (picture !== undefined) {
    await page.screenshot({ path: picture });
  }

  // What fails says why.
  await page.fill('#inputs textarea[name=question]', '');
  await page.click('#run');
  await page.locator('#outputs .error', { hasText: 'question' }).waitFor();

  await lenses(page);
  const text = `program reply { question: string -> answer: string }

test long {
  program = program.reply
  inputs { question = "Why?" }
  assert { that = len(answer) > 100000 }
}
`;
  await paste(page, text);
  await page.locator('.codelens-decoration a', { hasText: 'test' }).waitFor();
  await keys(page);
  await page.click('[data-tab=preview]');
  await page.locator('#preview svg g.input', { hasText: 'question' }).waitFor();
  await names(page);
  const open = async (p, at = url) => {
    origin = new URL(at).origin;
    await p.goto('about:blank');
    await p.goto(at);
    await p.locator('#state', { hasText: 'ready' }).waitFor();
  };
  await scheme(page, open, picture);
  await page.locator('#preview svg g.step').first().waitFor();
  await narrow(page, picture);

  // The colours that were chosen are those of the next start, too, at another port.
  await page.selectOption('#colours', 'dark');
  other = await start();
  await open(page, other.url);
  await page.locator('html[data-colours=dark]').waitFor();
  assert.deepEqual(await other.end(), [0, null]);
  assert.deepEqual(faults, []);

  // Without the token nothing is served.
  const stranger = await context.newPage();
  await stranger.goto(url.replace(/#.*/, '#wrong'));
  await stranger.locator('#state', { hasText: 'token' }).waitFor();
  console.log(`playground: ${examples.length} examples opened; typed, mended, run; lenses, keys, names, colours, narrow: passed`);
} catch (err) {
  console.error(await page?.locator('body').innerText());
  throw err;
} finally {
  await browser.close();
  await Promise.all([server.end(), other?.end()]);
}
assert.deepEqual(await server.end(), [0, null]);

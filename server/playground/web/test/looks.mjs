// Colours, keys, names and narrow windows.
import assert from 'node:assert/strict';

import { faint } from '../../../../lsp/editors/vscode/test/contrast.mjs';

const colours = page => page.evaluate(() => {
  const background = e => getComputedStyle(e).backgroundColor;
  const dark = text => Math.max(...text.match(/\d+/g).slice(0, 3).map(Number)) < 64;
  return {
    page: dark(background(document.body)) ? 'dark' : 'light',
    editor: dark(background(document.querySelector('.monaco-editor-background'))) ? 'dark' : 'light',
    scheme: getComputedStyle(document.documentElement).colorScheme,
  };
});

const all = kind => ({ page: kind, editor: kind, scheme: kind });

/** Waits until everything on the page is light, or dark. */
async function are(page, kind) {
  await page.locator(`html[data-colours=${kind}]`).waitFor();
  await page.locator(`.monaco-editor.${kind === 'dark' ? 'vs-dark' : 'vs'}`).first().waitFor();
  assert.deepEqual(await colours(page), all(kind));
}

/** What can be read on each tab, with a failed run and failed tests among it. */
async function readable(page, kind) {
  assert.deepEqual(await page.evaluate(`(${faint})(${JSON.stringify([
    'header h1', 'header label', '#state', 'select', '#inputs label', '#run', '#test', '#model', '#tabs button', '.codelens-decoration a',
    '.mtk1', '.view-line span span',
  ])})`), [], kind);
  for (const [tab, ...selectors] of [
    ['preview', 'h2', 'h2 small', 'h2 button', '.role', 'pre', 'svg text'],
    ['outputs', 'h2', 'h2 small', 'pre.error', '.usage'],
    ['messages', 'h2', '.role', 'pre'],
    ['trace', 'th', 'td'],
  ]) {
    await page.click(`[data-tab=${tab}]`);
    assert.deepEqual(await page.evaluate(`(${faint})(${JSON.stringify(selectors.map(s => `#${tab} ${s}`))})`), [], `${kind} ${tab}`);
  }
}

/** The colours are the system's, until others are chosen; the choice is remembered. */
export async function scheme(page, open, picture) {
  const shot = async name => picture !== undefined && await page.screenshot({ path: picture.replace('.png', `-${name}.png`) });
  for (const kind of ['dark', 'light']) {
    await page.emulateMedia({ colorScheme: kind });
    await are(page, kind);
    await readable(page, kind);
    for (const tab of ['outputs', 'preview']) {
      await page.click(`[data-tab=${tab}]`);
      await shot(`${kind}-${tab}`);
    }
  }
  await page.selectOption('#colours', 'dark');
  await are(page, 'dark');
  await open(page);
  assert.equal(await page.locator('#colours').inputValue(), 'dark');
  await are(page, 'dark');
  await page.selectOption('#colours', 'system');
  await are(page, 'light');
  await open(page);
  await are(page, 'light');
  assert.equal(await page.locator('#colours').inputValue(), 'system');
}

/** Without a mouse: everything has a place in the order of Tab, and the editor lets go. */
export async function keys(page) {
  const focused = () => page.evaluate(() => {
    const e = document.activeElement;
    return e.closest('.monaco-editor') ? 'editor' : e.id || e.name || e.tagName;
  });
  const pressed = async (key, times = 1) => {
    for (let i = 0; i < times; i++) {
      await page.keyboard.press(key);
    }
    return focused();
  };
  await page.click('[data-tab=outputs]');
  await page.locator('#examples').focus();
  assert.deepEqual([await pressed('Tab'), await pressed('Tab')], ['colours', 'editor']);
  assert.equal(await pressed('Tab'), 'editor'); // it writes there
  await page.keyboard.press('Control+Z');
  assert.equal(await pressed('F6'), 'question');
  assert.deepEqual([await pressed('Tab'), await pressed('Tab'), await pressed('Tab'), await pressed('Tab'), await pressed('Tab')],
    ['run', 'test', 'stop', 'tab-outputs', 'outputs']);
  await page.locator('#tab-outputs').focus();
  for (const [key, tab] of [['ArrowRight', 'messages'], ['End', 'trace'], ['ArrowRight', 'problems'], ['ArrowLeft', 'trace'], ['Home', 'problems'], ['ArrowRight', 'preview']]) {
    assert.equal(await pressed(key), `tab-${tab}`);
    assert.deepEqual(await page.locator('[role=tab][aria-selected=true]').evaluateAll(a => a.map(e => e.dataset.tab)), [tab]);
    assert.deepEqual(await page.locator('[role=tabpanel]:visible').evaluateAll(a => a.map(e => e.id)), [tab]);
  }
  assert.equal(await pressed('F6'), 'editor');
  await page.keyboard.press('F6');
  await page.fill('#inputs textarea[name=question]', 'What is 2 + 2?');
  await page.keyboard.press('Control+Enter');
  await page.locator('#outputs pre[data-output=answer]', { hasText: '4' }).waitFor();
  await page.locator('#state', { hasText: 'The run ended.' }).waitFor();

  await page.locator('#test').focus();
  assert.equal(await pressed('Enter'), 'test');
  await page.locator('#state', { hasText: 'The tests ended.' }).waitFor();
  assert.equal(await focused(), 'test'); // the focus stays

  // The lenses, and what else the editor can do, by its list of commands.
  await page.evaluate(() => { document.getElementById('state').textContent = ''; });
  await pressed('F6');
  await page.keyboard.press('F1');
  await page.keyboard.type('Run Tests of This File');
  await page.locator('.quick-input-list .monaco-list-row.focused', { hasText: 'Run Tests of This File' }).waitFor();
  await page.keyboard.press('Enter');
  await page.locator('#outputs h2.failed[data-test=long]').waitFor();
  await page.locator('#state', { hasText: 'The tests ended.' }).waitFor();
}

/** Whatever can be used has a name that a screen reader says. */
export async function names(page) {
  const session = await page.context().newCDPSession(page);
  const { nodes } = await session.send('Accessibility.getFullAXTree');
  const roles = ['button', 'combobox', 'textbox', 'tab', 'tabpanel', 'tablist', 'image', 'img', 'table', 'group', 'main', 'region', 'link'];
  const used = nodes.filter(n => !n.ignored && roles.includes(n.role?.value)).map(n => [n.role.value, n.name?.value ?? '']);
  assert.deepEqual(used.filter(([, name]) => name === ''), []);
  for (const want of [['button', 'Run'], ['button', 'Test'], ['button', 'Stop'], ['combobox', 'Program'], ['combobox', 'Colours'], ['textbox', 'question'],
    ['tab', 'Preview'], ['tabpanel', 'Preview'], ['button', 'Copy Messages'], ['button', 'Copy JSON Schema']]) {
    assert.ok(used.some(([role, name]) => role === want[0] && name === want[1]), `${want} among ${JSON.stringify(used)}`);
  }
  assert.ok(used.some(([role, name]) => role === 'textbox' && name.startsWith('Program. F6 leaves the editor')), JSON.stringify(used));
  assert.ok(used.some(([, name]) => name === 'The plan as a graph: question: string goes to predict, predict goes to answer'), JSON.stringify(used));
  assert.ok(nodes.some(n => n.role?.value === 'status'));
}

/** In a narrow window all stands below each other, and nothing is cut off. */
export async function narrow(page, picture) {
  const size = page.viewportSize();
  await page.setViewportSize({ width: 390, height: 800 });
  await page.click('[data-tab=preview]');
  await page.waitForFunction(() => document.querySelector('.monaco-editor').getBoundingClientRect().width <= 390);
  const cut = await page.evaluate(() => [...document.querySelectorAll('header *, #editor, #form, #form *, #tabs, #tabs *, #preview, #preview > *')]
    .filter(e => e.getClientRects().length > 0 && (e.getBoundingClientRect().right > innerWidth + 0.5 || e.getBoundingClientRect().left < 0))
    .map(e => e.id || e.outerHTML.slice(0, 60)));
  assert.deepEqual(cut, []);
  const boxes = await Promise.all(['header', '#editor', '#form', '#tabs', '#preview'].map(s => page.locator(s).boundingBox()));
  boxes.reduce((above, box) => (assert.ok(box.y >= above.y + above.height - 1, JSON.stringify(boxes)), box));
  assert.ok(boxes[1].height >= 220, JSON.stringify(boxes));
  assert.equal(await page.evaluate(() => document.documentElement.scrollWidth), 390);
  await page.click('#run');
  await page.locator('#outputs pre[data-output=answer]').waitFor();
  if (picture !== undefined) {
    await page.screenshot({ path: picture.replace('.png', '-narrow.png'), fullPage: true });
  }
  await page.setViewportSize(size);
}

// The lenses over programs and tests: each does what it says.
import assert from 'node:assert/strict';

const text = `program reply {
  question: string -> answer: string
}

program other {
  question: string -> answer: string
}

test answers {
  program = program.reply
  inputs { question = "What is 17 * 23?" }
  assert { that = len(answer) > 0 }
}

test long {
  program = program.reply
  inputs { question = "Why?" }
  assert {
    that    = len(answer) > 100000
    message = "much too short"
  }
}
`;

/** Writes a text into the editor as one would from the clipboard. */
export async function paste(page, what) {
  await page.evaluate(t => navigator.clipboard.writeText(t), what);
  await page.locator('.monaco-editor').first().click();
  await page.keyboard.press('Control+A');
  await page.keyboard.press('Control+V');
}

/** Uses every lens. */
export async function lenses(page) {
  const lens = title => page.locator('.codelens-decoration a', { hasText: title });
  const ended = () => page.locator('#stop[aria-disabled=true]').waitFor();
  await page.locator('#test').waitFor({ state: 'hidden' });
  await paste(page, text);
  await lens('2 references').waitFor();
  assert.deepEqual(await page.locator('.codelens-decoration').evaluateAll(all => all.map(e => e.textContent.replaceAll('\u00a0', ' '))),
    ['run | 2 references', 'run | 0 references', 'test', 'test']);

  // A program runs, with the inputs of the page.
  await page.fill('#inputs textarea[name=question]', 'What is 17 * 23?');
  await lens(/^run$/).first().click();
  await page.locator('#outputs pre[data-output=answer]').waitFor();
  await ended();
  assert.equal(await page.locator('#trace tr[data-kind=run_start] td').nth(1).textContent(), 'program.reply');
  await lens(/^run$/).nth(1).click();
  await page.locator('#trace tr[data-kind=run_start]', { hasText: 'program.other' }).waitFor({ state: 'attached' });
  await ended();

  // One test runs; then all of them.
  const failed = page.locator('#outputs h2.failed[data-test=long]', { hasText: 'failed; 1 call' });
  await lens(/^test$/).nth(1).click();
  await failed.waitFor();
  await ended();
  assert.equal(await page.locator('#outputs [data-test]').count(), 1);
  assert.match(await page.locator('#outputs pre.error').textContent(), /error\[E0630\].*much too short/s);
  await page.click('#test');
  await failed.waitFor();
  await ended();
  assert.equal(await page.locator('#outputs h2.passed[data-test=answers]', { hasText: 'passed' }).count(), 1);
  assert.match(await page.locator('#outputs .usage').textContent(), /^2 tests: 1 passed, 1 failed; 2 calls/);
  assert.deepEqual(await page.locator('#messages h2:not(:has(small))').allTextContents(), ['test answers', 'test long']);
  assert.equal(await page.locator('#trace tr[data-kind=test]').count(), 4);
  assert.equal(await page.locator('#trace tr[data-kind=run_end]').count(), 2);

  // References are shown; where there is none, that is said.
  await lens('2 references').click();
  await page.locator('.reference-zone-widget .ref-tree .referenceMatch').nth(1).waitFor();
  await page.keyboard.press('Escape');
  await page.locator('.reference-zone-widget').waitFor({ state: 'detached' });
  await lens('0 references').click();
  await page.locator('#state', { hasText: 'Nothing uses `other`.' }).waitFor();

  // What the page does not do has no lens, and without tests there is no button for them.
  await paste(page, 'program p { question: string -> answer: string }\n\nevaluate e { program = program.p }\n');
  await lens('1 reference').waitFor();
  await page.locator('#test').waitFor({ state: 'hidden' });
  assert.deepEqual(await page.locator('.codelens-decoration a').allTextContents(), ['run', '1 reference']);
}

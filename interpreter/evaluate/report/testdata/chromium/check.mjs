// Opens NAME.html in Chromium without a network and compares what a person sees with
// NAME.json: every figure, the bars of the intervals, the lines of the percentiles, and
// the messages of each row.
//
//	node check.mjs NAME…

import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'

// inBrowser runs beside the page, which is in a frame, and reads it as it is drawn.
async function inBrowser(text) {
  const frame = document.createElement('iframe')
  frame.width = 1200
  frame.height = 900
  frame.srcdoc = text
  const loaded = new Promise((done) => frame.addEventListener('load', done))
  document.body.append(frame)
  await loaded
  const page = frame.contentDocument
  const seen = (e) => e.getBoundingClientRect()
  for (const d of page.querySelectorAll('details')) d.open = true
  const box = (e) => ({ x: seen(e).x, width: seen(e).width, height: seen(e).height })
  return {
    figures: [...page.querySelectorAll('data')].map((e) => ({ of: e.dataset.of, value: e.value, text: e.innerText, drawn: seen(e).width > 0 })),
    bars: [...page.querySelectorAll('svg.bar')].map((e) => ({
      name: e.previousElementSibling.innerText, scale: box(e.querySelector('.scale')), span: box(e.querySelector('.span')), mean: box(e.querySelector('.mean')),
    })),
    plots: [...page.querySelectorAll('svg.plot')].map((e) => ({
      title: e.previousElementSibling.innerText, bins: [...e.querySelectorAll('.bin')].map(box), marks: [...e.querySelectorAll('.mark')].map(box),
    })),
    rows: [...page.querySelectorAll('details')].map((e) => ({
      id: e.id, calls: [...e.querySelectorAll('.call')].map((c) => c.innerText), text: e.innerText,
    })),
    background: [...page.querySelectorAll('.confusion td')].map((e) => getComputedStyle(e).backgroundColor),
    scripts: page.scripts.length,
    loaded: frame.contentWindow.performance.getEntriesByType('resource').map((e) => e.name),
  }
}

function browse(text) {
  const work = mkdtempSync(join(tmpdir(), 'dspi-report-'))
  try {
    const page = join(work, 'page.html')
    const data = JSON.stringify(text).replaceAll('<', '\\u003c')
    writeFileSync(page, `<!doctype html><meta charset="utf-8"><body><script>
${inBrowser}
inBrowser(${data}).catch((e) => ({ error: String(e.stack ?? e) })).then((out) => {
  const bytes = new TextEncoder().encode(JSON.stringify(out))
  document.body.textContent = 'RESULT ' + Array.from(bytes, (b) => b.toString(16).padStart(2, '0')).join('') + ' END'
})
</script>`)
    const html = execFileSync(process.env.CHROMIUM ?? 'chromium', [
      '--headless', '--no-sandbox', '--disable-gpu', '--no-first-run', '--disable-background-networking', '--host-resolver-rules=MAP * ~NOTFOUND',
      `--user-data-dir=${join(work, 'profile')}`, '--virtual-time-budget=60000', '--dump-dom', pathToFileURL(page).href,
    ], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'], maxBuffer: 1 << 28, timeout: 120000 })
    const found = /RESULT ([0-9a-f]+) END/.exec(html)
    if (!found) throw new Error(`Chromium gave no result:\n${html.slice(-2000)}`)
    return JSON.parse(Buffer.from(found[1], 'hex').toString('utf8'))
  } finally {
    rmSync(work, { recursive: true, force: true })
  }
}

let wrong = 0
let checked = 0
const expect = (holds, why) => {
  checked++
  if (holds) return
  wrong++
  console.error(why)
}

// figuresOf lists the figures of results by where they stand in the JSON.
function figuresOf(r) {
  const out = new Map()
  for (const m of r.metrics) {
    const of = `metrics.${m.name}`
    if (m.n > 0) out.set(`${of}.mean`, m.mean)
    if (m.interval) out.set(`${of}.interval.low`, m.interval.low).set(`${of}.interval.high`, m.interval.high)
    out.set(`${of}.n`, m.n).set(`${of}.missing`, m.missing)
  }
  for (const of of ['latency', 'cost']) for (const k of ['mean', 'p50', 'p95', 'p99', 'max', 'total']) if (r[of]) out.set(`${of}.${k}`, r[of][k])
  for (const c of r.confusion) {
    const of = `confusion.${c.output}`
    out.set(`${of}.accuracy`, c.accuracy).set(`${of}.macro_f1`, c.macro_f1)
    out.set(`${of}.macro_f1_interval.low`, c.macro_f1_interval.low).set(`${of}.macro_f1_interval.high`, c.macro_f1_interval.high)
    c.counts.forEach((line, i) => line.forEach((n, j) => out.set(`${of}.counts.${i}.${j}`, n)))
  }
  for (const k of ['calls', 'input_tokens', 'output_tokens']) out.set(`usage.${k}`, r.usage[k])
  for (const row of r.rows) for (const [name, x] of Object.entries(row.scores)) out.set(`rows.${row.row}.scores.${name}`, x)
  return out
}

const near = (a, b, by) => Math.abs(a - b) <= by

for (const name of process.argv.slice(2)) {
  const results = JSON.parse(readFileSync(`${name}.json`, 'utf8'))
  const page = browse(readFileSync(`${name}.html`, 'utf8'))
  if (page.error) throw new Error(page.error)
  const want = figuresOf(results)
  const shown = new Map()
  for (const f of page.figures) {
    shown.set(f.of, f)
    const x = want.get(f.of)
    expect(x !== undefined, `${f.of} is on the page, and not in the JSON`)
    expect(Number(f.value) === x, `${f.of} is ${f.value} on the page, and ${x} in the JSON`)
    expect(near(Number(f.text), x, 1e-5 * Math.abs(x)), `${f.of} reads ${f.text} on the page, and is ${x}`)
    expect(f.drawn, `${f.of} is not drawn`)
  }
  for (const of of want.keys()) expect(shown.has(of), `${of} is not on the page`)

  for (const bar of page.bars) {
    const m = results.metrics.find((x) => x.name === bar.name)
    const at = (x) => bar.scale.x + bar.scale.width * x
    expect(near(bar.mean.x, at(m.mean), 1.5), `${m.name}: the mean is drawn at ${bar.mean.x}, not at ${at(m.mean)}`)
    expect(near(bar.span.x, at(m.interval.low), 1.5) && near(bar.span.x + bar.span.width, at(m.interval.high), 2.5), `${m.name}: the interval is drawn elsewhere`)
  }
  expect(page.bars.length >= 3, `there are ${page.bars.length} bars`)
  for (const of of ['latency']) {
    const plot = page.plots.find((p) => p.title.startsWith(of))
    expect(plot?.marks.length === 3 && plot.bins.some((b) => b.height > 10), `${of} has no plot with p50, p95 and p99`)
    const xs = plot.marks.map((m) => m.x)
    expect(xs[0] <= xs[1] && xs[1] <= xs[2], `${of}: the percentiles are drawn at ${xs}`)
  }
  expect(new Set(page.background).size > 2, `the confusion has no shades: ${[...new Set(page.background)]}`)
  expect(page.rows.length === results.rows.length, `${page.rows.length} rows are on the page`)
  for (const row of results.rows) {
    const section = page.rows.find((r) => r.id === `row-${row.row}`)
    expect(section?.calls.length === row.usage.calls, `row ${row.row}: ${section?.calls.length} calls are shown, and ${row.usage.calls} were made`)
    expect(section?.text.includes(row.example.text), `row ${row.row}: its text is not shown as it is`)
    for (const call of section?.calls ?? []) {
      expect(call.includes(row.example.text) && call.includes('[[ ## mood ## ]]') && call.includes('system'), `row ${row.row}: its messages are not shown:\n${call}`)
    }
  }
  expect(page.scripts === 0 && page.loaded.length === 0, `the page has ${page.scripts} scripts and loads ${page.loaded}`)
}
console.log(`${process.argv.length - 2} pages in Chromium, ${checked} things compared with the JSON; ${wrong} wrong`)
process.exit(wrong === 0 ? 0 : 1)

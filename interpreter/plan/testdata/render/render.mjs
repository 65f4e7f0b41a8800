// Renders every graph of a folder with the real Mermaid, in Chromium, and with
// Graphviz's dot, and wants the pictures to show exactly the labels of NAME.json,
// each line of them as it is. NAME.mmd and NAME.dot are what `dspi graph` prints;
// the pictures are left beside them.
//
//	node render.mjs FOLDER

import { execFileSync } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'

// inBrowser runs in the page: it draws each graph and reads the lines that a
// person sees in the pictures.
async function inBrowser(graphs) {
  mermaid.initialize({ startOnLoad: false, securityLevel: 'strict', suppressErrorRendering: true })
  const read = (text) => new DOMParser().parseFromString(text, text.includes('foreignObject') ? 'text/html' : 'image/svg+xml')
  const out = []
  for (const [i, g] of graphs.entries()) {
    const one = { name: g.name, mermaid: {}, dot: {} }
    try {
      await mermaid.parse(g.mermaid)
      const { svg } = await mermaid.render(`graph${i}`, g.mermaid)
      const picture = read(svg)
      const lines = []
      for (const label of picture.querySelectorAll('.nodeLabel, .edgeLabel .edgeLabel')) {
        for (const br of label.querySelectorAll('br')) br.replaceWith('\n')
        const markup = [...label.querySelectorAll('*')].find((e) => !['P', 'SPAN'].includes(e.tagName.toUpperCase()))
        if (markup) throw new Error(`a label became ${markup.outerHTML}`)
        lines.push(...label.textContent.split('\n'))
      }
      one.mermaid = { svg, lines, title: picture.querySelector('title')?.textContent ?? '' }
    } catch (e) {
      one.mermaid.error = String(e.stack ?? e)
    }
    const picture = read(g.svg)
    one.dot = {
      lines: [...picture.querySelectorAll('text')].map((e) => e.textContent),
      title: picture.querySelector('g.graph > title')?.textContent ?? '',
    }
    out.push(one)
  }
  return out
}

// browse opens a page with Mermaid in Chromium and returns what inBrowser found.
function browse(graphs) {
  const work = mkdtempSync(join(tmpdir(), 'dspi-graph-'))
  try {
    const library = pathToFileURL(fileURLToPath(new URL('node_modules/mermaid/dist/mermaid.min.js', import.meta.url)))
    const data = JSON.stringify(graphs).replaceAll('<', '\\u003c')
    const page = join(work, 'page.html')
    writeFileSync(page, `<!doctype html><meta charset="utf-8"><body><script src="${library}"></script><script>
${inBrowser}
inBrowser(${data}).then((out) => {
  const bytes = new TextEncoder().encode(JSON.stringify(out))
  document.body.textContent = 'RESULT ' + Array.from(bytes, (b) => b.toString(16).padStart(2, '0')).join('') + ' END'
})
</script>`)
    const html = execFileSync(process.env.CHROMIUM ?? 'chromium', [
      '--headless', '--no-sandbox', '--disable-gpu', '--no-first-run', '--disable-background-networking',
      `--user-data-dir=${join(work, 'profile')}`, '--virtual-time-budget=60000', '--dump-dom', pathToFileURL(page).href,
    ], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'], maxBuffer: 1 << 28, timeout: 120000 })
    const found = /RESULT ([0-9a-f]+) END/.exec(html)
    if (!found) throw new Error(`Chromium gave no result:\n${html.slice(-2000)}`)
    return JSON.parse(Buffer.from(found[1], 'hex').toString('utf8'))
  } finally {
    rmSync(work, { recursive: true, force: true })
  }
}

// A formula's two dollars are held apart by a character that nobody sees.
const tidy = (line) => line.replaceAll('\u2060', '').replace(/[\s\u00a0]+/g, ' ').trim()

const folder = process.argv[2]
const names = readdirSync(folder).filter((f) => f.endsWith('.mmd')).map((f) => f.slice(0, -4)).sort()
if (names.length === 0) throw new Error(`no graph in ${folder}`)
const text = (name, ext) => readFileSync(join(folder, name + ext), 'utf8')
const graphs = names.map((name) => ({
  name,
  mermaid: text(name, '.mmd'),
  svg: execFileSync('dot', ['-Tsvg'], { input: text(name, '.dot'), encoding: 'utf8' }),
}))
let wrong = 0
const fail = (name, tool, why) => {
  wrong++
  console.error(`${name}: ${tool}: ${why}`)
}
for (const [i, found] of browse(graphs).entries()) {
  const name = names[i]
  const want = JSON.parse(text(name, '.json')).map(tidy).sort()
  const title = /^digraph "(.*)" \{/.exec(text(name, '.dot'))[1]
  writeFileSync(join(folder, `${name}.dot.svg`), graphs[i].svg)
  if (found.mermaid.svg) writeFileSync(join(folder, `${name}.mmd.svg`), found.mermaid.svg)
  for (const tool of ['mermaid', 'dot']) {
    const got = found[tool]
    if (got.error) {
      fail(name, tool, got.error)
      continue
    }
    const lines = got.lines.map(tidy).filter((l) => l !== '').sort()
    if (JSON.stringify(lines) !== JSON.stringify(want)) {
      fail(name, tool, `the picture shows other labels than the graph has
  not shown: ${JSON.stringify(want.filter((l) => !lines.includes(l)))}
  shown instead: ${JSON.stringify(lines.filter((l) => !want.includes(l)))}
  lines shown ${lines.length}, labels ${want.length}`)
    }
    if (got.title !== title) fail(name, tool, `the title is ${JSON.stringify(got.title)}, not ${JSON.stringify(title)}`)
  }
}
console.log(`${names.length} graphs, each drawn by Mermaid and by dot; ${wrong} wrong`)
process.exit(wrong === 0 ? 0 : 1)

// Times BAML's parser: node bench.js FOLDER.
//
// FOLDER/cases.json lists {name, function, file, ends}; file holds a reply. Without
// ends the reply is parsed whole; with them each beginning of it that is so many
// bytes long is parsed, one after the other, as a stream would be. A line of JSON
// on standard output says for each: {name, ns, value}: the nanoseconds that one
// reply takes, the least of several, and what was read at last.
"use strict";
const fs = require("fs");
const path = require("path");
const { createRequire } = require("module");

const here = __dirname;
process.env.BAML_LOG = "off";
const { BamlRuntime } = createRequire(path.join(process.env.DSPI_BAML || here, "package.json"))("@boundaryml/baml/native");

const runtime = BamlRuntime.fromFiles(here, { "types.baml": fs.readFileSync(path.join(here, "types.baml"), "utf8") }, {});
const context = runtime.createContextManager();
const parse = (name, text, partial) => runtime.parseLlmResponse(name, text, partial, context, null, null, {});

// least runs f for a second, five times at least, and returns the nanoseconds of
// the fastest run.
function least(f) {
  let best = Infinity;
  let total = 0;
  for (let n = 0; n < 5 || total < 1e9; n++) {
    const from = process.hrtime.bigint();
    f();
    const ns = Number(process.hrtime.bigint() - from);
    best = Math.min(best, ns);
    total += ns;
    if (n >= 1 && total > 20e9) break;
  }
  return best;
}

const folder = process.argv[2];
for (const c of JSON.parse(fs.readFileSync(path.join(folder, "cases.json"), "utf8"))) {
  const bytes = fs.readFileSync(path.join(folder, c.file));
  const texts = (c.ends || [bytes.length]).map((end) => bytes.subarray(0, end).toString("utf8"));
  const partial = Boolean(c.ends);
  let value;
  const run = () => {
    for (const text of texts) value = parse(c.function, text, partial);
  };
  run();
  const ns = least(run);
  console.log(JSON.stringify({ name: c.name, ns, value }));
}

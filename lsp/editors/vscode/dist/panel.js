"use strict";
(() => {
  // src/graph.ts
  var letter = 7.2;
  var line = 18;
  var gap = { x: 24, y: 44 };
  var margin = 48;
  function layout(plan) {
    const inputs = plan.inputs ?? [];
    const ops = plan.ops ?? [];
    const outputs = plan.outputs ?? [];
    const last = Math.max(0, ...ops.map((op) => op.wave)) + 1;
    const drafts = [
      ...inputs.map((f) => ({ id: `in ${f.name}`, kind: "input", lines: [`${f.name}: ${f.type}`], steps: [], row: 0 })),
      ...ops.map((op) => ({
        id: op.name,
        kind: "step",
        row: op.wave,
        steps: [op.name, ...inside(op).map((o) => o.name)],
        lines: [
          op.name,
          op.module ?? op.kind,
          ...inside(op).map((o) => `\xB7 ${o.name === op.name ? "" : `${o.name}: `}${o.module ?? o.kind}`),
          ...op.flow ?? []
        ].map((text) => text.length > 40 ? `${text.slice(0, 39)}\u2026` : text)
      })),
      ...outputs.map((f) => ({ id: `out ${f.name}`, kind: "output", lines: [f.name], steps: [], row: last }))
    ];
    const edges = [];
    const add = (from, to) => {
      if (from !== to && !edges.some((e) => e.from === from && e.to === to)) {
        edges.push({ from, to });
      }
    };
    const read = (bound, to) => {
      for (const name of (bound ?? []).flatMap((b) => roots(b.from))) {
        if (ops.some((op) => op.name === name)) {
          add(name, to);
        } else if (inputs.some((f) => f.name === name)) {
          add(`in ${name}`, to);
        }
      }
    };
    for (const op of ops) {
      (op.after ?? []).filter((name) => ops.some((o) => o.name === name)).forEach((name) => add(name, op.name));
      read(op.inputs, op.name);
      const conditions = (op.flow ?? []).map((text) => /^(?:when|for each of) (.*?)(?:, \d+ at once)?$/.exec(text)?.[1] ?? "");
      read(conditions.map((from) => ({ name: "", from })), op.name);
    }
    outputs.forEach((f) => read([f], `out ${f.name}`));
    const rows = [];
    for (const d of drafts) {
      (rows[d.row] ??= []).push(d);
    }
    const boxes = [];
    const sizes = rows.filter((row) => row !== void 0).map((row) => row.map((d) => ({
      draft: d,
      width: Math.max(60, ...d.lines.map((text) => text.length * letter)) + 24,
      height: d.lines.length * line + 14
    })));
    const widths = sizes.map((row) => row.reduce((sum, b) => sum + b.width + gap.x, -gap.x));
    const width = Math.max(0, ...widths) + 2 * margin;
    let y = 12;
    sizes.forEach((row, i) => {
      let x = (width - widths[i]) / 2;
      for (const b of row) {
        boxes.push({ id: b.draft.id, kind: b.draft.kind, lines: b.draft.lines, steps: b.draft.steps, x, y, width: b.width, height: b.height });
        x += b.width + gap.x;
      }
      y += Math.max(...row.map((b) => b.height)) + gap.y;
    });
    return { boxes, edges, width, height: Math.max(0, y - gap.y + 12) };
  }
  function route(g, edge) {
    const box = (id) => g.boxes.find((b2) => b2.id === id);
    const a = box(edge.from), b = box(edge.to);
    const x1 = a.x + a.width / 2, y1 = a.y + a.height, x2 = b.x + b.width / 2, y2 = b.y;
    const between = g.boxes.filter((c) => c.y > y1 && c.y + c.height < y2 && c.x < Math.max(x1, x2) + gap.x && c.x + c.width > Math.min(x1, x2) - gap.x);
    if (between.length === 0) {
      const bend = Math.max(16, (y2 - y1) / 2);
      return `M${x1} ${y1} C${x1} ${y1 + bend} ${x2} ${y2 - bend} ${x2} ${y2}`;
    }
    const side = Math.max(...between.map((c) => c.x + c.width)) + gap.x / 2;
    const top = Math.min(...between.map((c) => c.y)), bottom = Math.max(...between.map((c) => c.y + c.height));
    return `M${x1} ${y1} C${x1} ${top} ${side} ${y1} ${side} ${top} L${side} ${bottom} C${side} ${y2} ${x2} ${bottom} ${x2} ${y2}`;
  }
  function inside(op) {
    return [...op.holds ?? [], ...op.plan?.ops ?? []];
  }
  function roots(expression) {
    const text = expression.replace(/"(?:[^"\\]|\\.)*"/g, (quoted) => [...quoted.matchAll(/\$\{([^}]*)\}/g)].map((m) => m[1]).join(" "));
    return [...text.matchAll(/(?<![\p{L}\p{N}_.])([\p{L}_][\p{L}\p{N}_]*)(?!\s*\()/gu)].map((m) => m[1]);
  }

  // src/panel.ts
  var host = acquireVsCodeApi();
  function element(name, attributes, ...children) {
    const made = document.createElement(name);
    Object.entries(attributes).forEach(([key, value]) => made.setAttribute(key, value));
    made.append(...children);
    return made;
  }
  function drawn(name, attributes, ...children) {
    const made = document.createElementNS("http://www.w3.org/2000/svg", name);
    Object.entries(attributes).forEach(([key, value]) => made.setAttribute(key, String(value)));
    made.append(...children);
    return made;
  }
  function copy(text) {
    const button = element("button", { type: "button" }, "Copy");
    button.addEventListener("click", () => host.postMessage({ kind: "copy", text }));
    return button;
  }
  function section(title, part, about, text, body) {
    if ("missing" in part) {
      return [element("h2", {}, title), element("p", { class: "missing" }, part.missing)];
    }
    const heading = element("h2", {}, title, element("small", {}, about(part.value)));
    if (text !== void 0) {
      heading.append(copy(text(part.value)));
    }
    return [heading, ...body(part.value)];
  }
  function written(content) {
    return typeof content === "string" ? content : JSON.stringify(content, null, 2);
  }
  function draw(preview) {
    document.getElementById("main").replaceChildren(
      ...section(
        "Messages",
        preview.prompt,
        (p) => `${p.program}.${p.step}, adapter ${p.adapter}; inputs are examples`,
        (p) => p.messages.map((m) => `[${m.role}]
${written(m.content)}`).join("\n\n"),
        (p) => p.messages.flatMap((m) => [
          element("div", { class: "role" }, m.role),
          element("pre", { "data-role": m.role }, written(m.content))
        ])
      ),
      ...section(
        "JSON Schema",
        preview.schema,
        (s) => s.name,
        (s) => JSON.stringify(s.schema, null, 2),
        (s) => [
          element("pre", { id: "schema" }, JSON.stringify(s.schema, null, 2)),
          ...(s.notes ?? []).map((note) => element("p", {}, written(note)))
        ]
      ),
      ...section(
        "Plan",
        preview.plan,
        (p) => p.program,
        void 0,
        (p) => [element("div", { class: "graph" }, graph(p.plan, preview.step))]
      )
    );
  }
  function graph(plan, step) {
    const g = layout(plan);
    const marker = drawn(
      "marker",
      { id: "head", viewBox: "0 0 8 8", refX: 8, refY: 4, markerWidth: 7, markerHeight: 7, orient: "auto" },
      drawn("path", { d: "M0 0 L8 4 L0 8 z" })
    );
    const edges = g.edges.map((e) => drawn("path", { d: route(g, e), "marker-end": "url(#head)" }));
    const boxes = g.boxes.map((b) => drawn(
      "g",
      { class: b.steps.includes(step) ? `${b.kind} here` : b.kind },
      drawn("rect", { x: b.x, y: b.y, width: b.width, height: b.height, rx: 5 }),
      ...b.lines.map((text, i) => drawn("text", { x: b.x + b.width / 2, y: b.y + 20 + 18 * i, opacity: i === 0 ? 1 : 0.75 }, text))
    ));
    return drawn(
      "svg",
      { width: g.width, height: g.height, viewBox: `0 0 ${g.width} ${g.height}`, role: "img", "aria-label": "the plan as a graph" },
      drawn("defs", {}, marker),
      ...edges,
      ...boxes
    );
  }
  window.addEventListener("message", (e) => draw(e.data));
  host.postMessage({ kind: "ready" });
})();

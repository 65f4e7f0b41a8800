import { Bound, Op, Plan } from './answers';

/** A box of the drawn plan; x and y are its upper left corner, in pixels. */
export interface Box {
  readonly id: string;
  readonly kind: 'input' | 'step' | 'output';
  readonly lines: string[];
  readonly steps: string[]; // those it stands for: its own and those inside
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

export interface Edge {
  readonly from: string;
  readonly to: string;
}

export interface Graph {
  readonly boxes: Box[];
  readonly edges: Edge[];
  readonly width: number;
  readonly height: number;
}

const letter = 7.2; // width of a character
const line = 18;
const gap = { x: 24, y: 44 };
const margin = 48; // beside the widest row: room for edges around it

/**
 * Lays a plan out in rows: the inputs, one row for each wave of steps that can run
 * at once, the outputs.
 */
export function layout(plan: Plan): Graph {
  const inputs = plan.inputs ?? [];
  const ops = plan.ops ?? [];
  const outputs = plan.outputs ?? [];
  type Draft = { id: string; kind: Box['kind']; lines: string[]; steps: string[]; row: number };
  const last = Math.max(0, ...ops.map(op => op.wave)) + 1;
  const drafts: Draft[] = [
    ...inputs.map((f): Draft => ({ id: `in ${f.name}`, kind: 'input', lines: [`${f.name}: ${f.type}`], steps: [], row: 0 })),
    ...ops.map((op): Draft => ({
      id: op.name, kind: 'step', row: op.wave, steps: [op.name, ...inside(op).map(o => o.name)],
      lines: [
        op.name, op.module ?? op.kind,
        ...inside(op).map(o => `· ${o.name === op.name ? '' : `${o.name}: `}${o.module ?? o.kind}`),
        ...op.flow ?? [],
      ].map(text => text.length > 40 ? `${text.slice(0, 39)}…` : text),
    })),
    ...outputs.map((f): Draft => ({ id: `out ${f.name}`, kind: 'output', lines: [f.name], steps: [], row: last })),
  ];
  const edges: Edge[] = [];
  const add = (from: string, to: string) => {
    if (from !== to && !edges.some(e => e.from === from && e.to === to)) {
      edges.push({ from, to });
    }
  };
  const read = (bound: Bound[] | null, to: string) => {
    for (const name of (bound ?? []).flatMap(b => roots(b.from))) {
      if (ops.some(op => op.name === name)) {
        add(name, to);
      } else if (inputs.some(f => f.name === name)) {
        add(`in ${name}`, to);
      }
    }
  };
  for (const op of ops) {
    (op.after ?? []).filter(name => ops.some(o => o.name === name)).forEach(name => add(name, op.name));
    read(op.inputs, op.name);
    const conditions = (op.flow ?? []).map(text => /^(?:when|for each of) (.*?)(?:, \d+ at once)?$/.exec(text)?.[1] ?? '');
    read(conditions.map(from => ({ name: '', from })), op.name);
  }
  outputs.forEach(f => read([f], `out ${f.name}`));

  const rows: Draft[][] = [];
  for (const d of drafts) {
    (rows[d.row] ??= []).push(d);
  }
  const boxes: Box[] = [];
  const sizes = rows.filter(row => row !== undefined).map(row => row.map(d => ({
    draft: d,
    width: Math.max(60, ...d.lines.map(text => text.length * letter)) + 24,
    height: d.lines.length * line + 14,
  })));
  const widths = sizes.map(row => row.reduce((sum, b) => sum + b.width + gap.x, -gap.x));
  const width = Math.max(0, ...widths) + 2 * margin;
  let y = 12;
  sizes.forEach((row, i) => {
    let x = (width - widths[i]) / 2;
    for (const b of row) {
      boxes.push({ id: b.draft.id, kind: b.draft.kind, lines: b.draft.lines, steps: b.draft.steps, x, y, width: b.width, height: b.height });
      x += b.width + gap.x;
    }
    y += Math.max(...row.map(b => b.height)) + gap.y;
  });
  return { boxes, edges, width, height: Math.max(0, y - gap.y + 12) };
}

/**
 * Returns the edge as the path of an SVG. One that skips rows goes around the boxes
 * between, so that it is not taken for one that ends there.
 */
export function route(g: Graph, edge: Edge): string {
  const box = (id: string) => g.boxes.find(b => b.id === id)!;
  const a = box(edge.from), b = box(edge.to);
  const x1 = a.x + a.width / 2, y1 = a.y + a.height, x2 = b.x + b.width / 2, y2 = b.y;
  const between = g.boxes.filter(c => c.y > y1 && c.y + c.height < y2 && c.x < Math.max(x1, x2) + gap.x && c.x + c.width > Math.min(x1, x2) - gap.x);
  if (between.length === 0) {
    const bend = Math.max(16, (y2 - y1) / 2);
    return `M${x1} ${y1} C${x1} ${y1 + bend} ${x2} ${y2 - bend} ${x2} ${y2}`;
  }
  const side = Math.max(...between.map(c => c.x + c.width)) + gap.x / 2;
  const top = Math.min(...between.map(c => c.y)), bottom = Math.max(...between.map(c => c.y + c.height));
  return `M${x1} ${y1} C${x1} ${top} ${side} ${y1} ${side} ${top} L${side} ${bottom} C${side} ${y2} ${x2} ${bottom} ${x2} ${y2}`;
}

// inside returns the steps that a step holds: those of a round, or what it wraps.
function inside(op: Op): Op[] {
  return [...op.holds ?? [], ...op.plan?.ops ?? []];
}

// roots returns the names that an expression begins its paths with: `a` of `a.b`.
function roots(expression: string): string[] {
  const text = expression.replace(/"(?:[^"\\]|\\.)*"/g, quoted => [...quoted.matchAll(/\$\{([^}]*)\}/g)].map(m => m[1]).join(' '));
  return [...text.matchAll(/(?<![\p{L}\p{N}_.])([\p{L}_][\p{L}\p{N}_]*)(?!\s*\()/gu)].map(m => m[1]);
}

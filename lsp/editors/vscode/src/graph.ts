import { Bound, Plan } from './answers';

/** A box of the drawn plan; x and y are its upper left corner, in pixels. */
export interface Box {
  readonly id: string;
  readonly kind: 'input' | 'step' | 'output';
  readonly lines: string[];
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

/**
 * Lays a plan out in rows: the inputs, one row for each wave of steps that can run
 * at once, the outputs.
 */
export function layout(plan: Plan): Graph {
  const inputs = plan.inputs ?? [];
  const ops = plan.ops ?? [];
  const outputs = plan.outputs ?? [];
  type Draft = { id: string; kind: Box['kind']; lines: string[]; row: number };
  const last = Math.max(0, ...ops.map(op => op.wave)) + 1;
  const drafts: Draft[] = [
    ...inputs.map((f): Draft => ({ id: `in ${f.name}`, kind: 'input', lines: [`${f.name}: ${f.type}`], row: 0 })),
    ...ops.map((op): Draft => ({
      id: op.name, kind: 'step', row: op.wave,
      lines: [op.name, op.module ?? op.kind, ...(op.flow ?? []).map(text => text.length > 40 ? `${text.slice(0, 39)}…` : text)],
    })),
    ...outputs.map((f): Draft => ({ id: `out ${f.name}`, kind: 'output', lines: [f.name], row: last })),
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
  const width = Math.max(0, ...widths) + 2 * gap.x;
  let y = 12;
  sizes.forEach((row, i) => {
    let x = (width - widths[i]) / 2;
    for (const b of row) {
      boxes.push({ id: b.draft.id, kind: b.draft.kind, lines: b.draft.lines, x, y, width: b.width, height: b.height });
      x += b.width + gap.x;
    }
    y += Math.max(...row.map(b => b.height)) + gap.y;
  });
  return { boxes, edges, width, height: Math.max(0, y - gap.y + 12) };
}

// roots returns the names that an expression begins its paths with: `a` of `a.b`.
function roots(expression: string): string[] {
  const text = expression.replace(/"(?:[^"\\]|\\.)*"/g, quoted => [...quoted.matchAll(/\$\{([^}]*)\}/g)].map(m => m[1]).join(' '));
  return [...text.matchAll(/(?<![\p{L}\p{N}_.])([\p{L}_][\p{L}\p{N}_]*)(?!\s*\()/gu)].map(m => m[1]);
}

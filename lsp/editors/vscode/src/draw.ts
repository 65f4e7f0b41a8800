// Draws what a preview shows: the panel of VS Code and the playground's side are both
// made of it.

import { Part, Plan, Preview } from './answers';
import { layout, route } from './graph';

type Child = Node | string;

/** Makes an element. Strings among the children become text, never markup. */
export function element(name: string, attributes: Record<string, string>, ...children: Child[]): HTMLElement {
  const made = document.createElement(name);
  Object.entries(attributes).forEach(([key, value]) => made.setAttribute(key, value));
  made.append(...children);
  return made;
}

function drawn(name: string, attributes: Record<string, string | number>, ...children: Child[]): SVGElement {
  const made = document.createElementNS('http://www.w3.org/2000/svg', name);
  Object.entries(attributes).forEach(([key, value]) => made.setAttribute(key, String(value)));
  made.append(...children);
  return made;
}

function section<T>(copy: (text: string) => void, title: string, part: Part<T>, about: (value: T) => string, text: ((value: T) => string) | undefined, body: (value: T) => Child[]): Child[] {
  if ('missing' in part) {
    return [element('h2', {}, title), element('p', { class: 'missing' }, part.missing)];
  }
  const heading = element('h2', {}, title, element('small', {}, about(part.value)));
  if (text !== undefined && text(part.value) !== '') {
    const button = element('button', { type: 'button', 'aria-label': `Copy ${title}` }, 'Copy');
    button.addEventListener('click', () => copy(text(part.value)));
    heading.append(button);
  }
  return [heading, ...body(part.value)];
}

/** A message's content for people. */
export function written(content: unknown): string {
  return typeof content === 'string' ? content : JSON.stringify(content, null, 2);
}

/** Draws a preview into an element. copy takes a text that somebody wants to have. */
export function draw(preview: Preview, into: HTMLElement, copy: (text: string) => void): void {
  into.replaceChildren(
    ...section(copy, 'Messages', preview.prompt,
      p => `${p.program}.${p.step}${p.messages.length === 0 ? '' : `, adapter ${p.adapter}; inputs are examples`}`,
      p => p.messages.map(m => `[${m.role}]\n${written(m.content)}`).join('\n\n'),
      p => [
        ...p.note === undefined ? [] : [element('p', { class: 'note' }, p.note)],
        ...p.messages.flatMap(m => [
          element('div', { class: 'role' }, m.role),
          element('pre', { 'data-role': m.role }, written(m.content)),
        ]),
      ]),
    ...section(copy, 'JSON Schema', preview.schema, s => s.name,
      s => JSON.stringify(s.schema, null, 2),
      s => [
        element('pre', { id: 'schema' }, JSON.stringify(s.schema, null, 2)),
        ...(s.notes ?? []).map(note => element('p', {}, written(note))),
      ]),
    ...section(copy, 'Plan', preview.plan, p => p.program, undefined,
      p => [element('div', { class: 'graph' }, graph(p.plan, preview.step))]),
  );
}

function graph(plan: Plan, step: string): SVGElement {
  const g = layout(plan);
  const marker = drawn('marker', { id: 'head', viewBox: '0 0 8 8', refX: 8, refY: 4, markerWidth: 7, markerHeight: 7, orient: 'auto' },
    drawn('path', { d: 'M0 0 L8 4 L0 8 z' }));
  const edges = g.edges.map(e => drawn('path', { d: route(g, e), 'marker-end': 'url(#head)' }));
  const boxes = g.boxes.map(b => drawn('g', { class: b.steps.includes(step) ? `${b.kind} here` : b.kind },
    drawn('rect', { x: b.x, y: b.y, width: b.width, height: b.height, rx: 5 }),
    ...b.lines.map((text, i) => drawn('text', { x: b.x + b.width / 2, y: b.y + 20 + 18 * i }, text))));
  const name = (id: string) => g.boxes.find(b => b.id === id)!.lines[0];
  const told = `The plan as a graph: ${g.edges.map(e => `${name(e.from)} goes to ${name(e.to)}`).join(', ')}`;
  return drawn('svg', { width: g.width, height: g.height, viewBox: `0 0 ${g.width} ${g.height}`, role: 'img', 'aria-label': told },
    drawn('defs', {}, marker), ...edges, ...boxes);
}

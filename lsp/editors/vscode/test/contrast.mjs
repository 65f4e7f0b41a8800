/**
 * Runs in a page: returns the texts that are hard to read there, of what selectors
 * match, with their contrast. WCAG 2 asks for 4.5 to 1 (1.4.3). The answer also names a
 * selector that matches nothing that is shown.
 */
export function faint(selectors) {
  const parse = text => {
    const [r, g, b, a = 1] = [...text.matchAll(/[\d.]+/g)].map(m => Number(m[0]));
    return { r, g, b, a };
  };
  const over = (top, under, alpha) => {
    const a = top.a * alpha, mix = (x, y) => x * a + y * (1 - a);
    return { r: mix(top.r, under.r), g: mix(top.g, under.g), b: mix(top.b, under.b), a: 1 };
  };
  const light = ({ r, g, b }) => [r, g, b]
    .map(v => v / 255).map(v => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4)
    .reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
  const out = [];
  for (const selector of selectors) {
    const found = [...document.querySelectorAll(selector)].filter(e => e.getClientRects().length > 0 && e.textContent.trim() !== '');
    if (found.length === 0) {
      out.push(`${selector}: nothing`);
    }
    for (const e of found) {
      const above = [];
      for (let p = e; p !== null; p = p.parentElement) {
        above.unshift(p);
      }
      const fill = e instanceof SVGElement;
      let under = parse('rgb(255, 255, 255)');
      above.forEach(p => { under = over(parse(getComputedStyle(p).backgroundColor), under, 1); });
      const box = fill ? e.parentElement.querySelector('rect') : null;
      if (box !== null && getComputedStyle(box).fill !== 'none') {
        under = over(parse(getComputedStyle(box).fill), under, 1);
      }
      const alpha = above.reduce((product, p) => product * Number(getComputedStyle(p).opacity), 1);
      const style = getComputedStyle(e);
      const text = over(parse(fill ? style.fill : style.color), under, alpha);
      const [a, b] = [light(text), light(under)].sort((x, y) => y - x);
      const ratio = (a + 0.05) / (b + 0.05);
      if (!(ratio >= 4.5)) {
        out.push(`${selector}: ${ratio.toFixed(2)} to 1 in "${e.textContent.trim().slice(0, 30)}"`);
      }
    }
  }
  return [...new Set(out)];
}

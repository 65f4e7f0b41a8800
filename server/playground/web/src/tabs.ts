// The tabs of the side, as screen readers and keyboards know them: one of them is in
// the order of Tab, and the arrows go to the others.

const all = (): HTMLButtonElement[] => [...document.querySelectorAll<HTMLButtonElement>('#tabs [role=tab]')];

/** Shows a tab. */
export function show(name: string): void {
  for (const tab of all()) {
    const is = tab.dataset.tab === name;
    tab.setAttribute('aria-selected', String(is));
    tab.tabIndex = is ? 0 : -1;
    document.getElementById(tab.dataset.tab!)!.hidden = !is;
    if (is) {
      tab.scrollIntoView({ block: 'nearest', inline: 'nearest' });
    }
  }
}

/** Makes the tabs answer to clicks and keys. */
export function listen(): void {
  const tabs = all();
  tabs.forEach((tab, i) => {
    tab.addEventListener('click', () => show(tab.dataset.tab!));
    tab.addEventListener('keydown', e => {
      const to = { ArrowRight: i + 1, ArrowLeft: i - 1 + tabs.length, Home: 0, End: tabs.length - 1 }[e.key];
      if (to !== undefined) {
        e.preventDefault();
        const next = tabs[to % tabs.length];
        show(next.dataset.tab!);
        next.focus();
      }
    });
  });
}

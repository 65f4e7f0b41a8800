// Light or dark: as the system wants it, or as it was chosen. The choice is kept in a
// cookie: each start of the playground may have another port, and with it another
// localStorage.

/** What can be chosen. */
export type Choice = 'system' | 'light' | 'dark';

/** What is shown. */
export type Colours = 'light' | 'dark';

const cookie = 'dspi-colours';
const system = matchMedia('(prefers-color-scheme: dark)');

/** Returns what was chosen, also at an earlier time. */
export function chosen(): Choice {
  const kept = document.cookie.split('; ').find(c => c.startsWith(`${cookie}=`))?.slice(cookie.length + 1);
  return kept === 'light' || kept === 'dark' ? kept : 'system';
}

/** Shows the page in its colours, and returns which. */
export function apply(): Colours {
  const choice = chosen();
  const colours = choice !== 'system' ? choice : system.matches ? 'dark' : 'light';
  document.documentElement.dataset.colours = colours;
  return colours;
}

/** Keeps a choice for a year. */
export function choose(choice: Choice): void {
  document.cookie = `${cookie}=${choice}; max-age=${choice === 'system' ? 0 : 365 * 24 * 3600}; path=/; SameSite=Strict`;
}

/** Calls changed when the system's wish changes. */
export function follow(changed: () => void): void {
  system.addEventListener('change', changed);
}

import { randomBytes } from 'node:crypto';

import { style } from './style';

/** Returns the page of the preview panel. Its script draws what it is sent. */
export function page(script: string, source: string): string {
  const nonce = randomBytes(16).toString('base64');
  return `<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'nonce-${nonce}'; script-src ${source} 'nonce-${nonce}'">
<title>dspi preview</title>
<style nonce="${nonce}">${style}</style>
</head>
<body>
<main id="main" aria-label="Preview"><p class="missing">Put the cursor into a program of a .dsp file.</p></main>
<script nonce="${nonce}" src="${script}"></script>
</body>
</html>`;
}

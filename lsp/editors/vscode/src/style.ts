/**
 * How a preview looks. The colours are those of VS Code's themes, which stand on the
 * page as variables; a theme's kind is a class of body. Where a theme has high contrast
 * nothing is faint, and what other themes tell by a background has a border.
 */
export const style = `
body { font-family: var(--vscode-font-family); color: var(--vscode-foreground); background: var(--vscode-editor-background); padding: 0 12px 24px; }
:root:has(> .vscode-light, > .vscode-high-contrast-light) { color-scheme: light; }
:root:has(> .vscode-dark, > .vscode-high-contrast:not(.vscode-high-contrast-light)) { color-scheme: dark; }
h2 { font-size: 1.05em; margin: 18px 0 6px; display: flex; gap: 8px; align-items: baseline; flex-wrap: wrap; }
h2 small { font-weight: normal; opacity: .75; }
button { margin-left: auto; background: none; border: 0; color: var(--vscode-textLink-foreground); cursor: pointer; font: inherit; }
button:focus-visible { outline: 1px solid var(--vscode-focusBorder); outline-offset: 1px; }
pre { font-family: var(--vscode-editor-font-family, monospace); font-size: var(--vscode-editor-font-size, 12px); white-space: pre-wrap; overflow-wrap: anywhere;
  background: var(--vscode-textCodeBlock-background, #8881); border: 1px solid var(--vscode-contrastBorder, transparent); padding: 8px 10px; margin: 0 0 8px; border-radius: 4px; }
.role { font-size: .85em; opacity: .75; margin: 6px 0 2px; }
.missing { opacity: .75; font-style: italic; }
.graph { overflow-x: auto; }
svg text { fill: var(--vscode-foreground, currentColor); font: 12px var(--vscode-editor-font-family, monospace); text-anchor: middle; }
svg text + text { opacity: .75; }
svg g text:first-of-type { font-weight: bold; }
svg rect { fill: var(--vscode-textCodeBlock-background, #8881); stroke: var(--vscode-contrastBorder, var(--vscode-editorWidget-border, gray)); }
svg .input rect, svg .output rect { fill: none; stroke-dasharray: 4 3; }
svg .here rect { stroke: var(--vscode-focusBorder, royalblue); stroke-width: 2; }
svg path { fill: none; stroke: var(--vscode-foreground, currentColor); opacity: .6; }
svg marker path { fill: var(--vscode-foreground, currentColor); stroke: none; }
body.vscode-high-contrast :is(h2 small, .role, .missing, svg text, svg path) { opacity: 1; }
`;

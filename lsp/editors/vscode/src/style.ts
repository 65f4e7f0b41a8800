/** How a preview looks; the colours are those of VS Code's themes. */
export const style = `
body { font-family: var(--vscode-font-family); color: var(--vscode-foreground); padding: 0 12px 24px; }
h2 { font-size: 1.05em; margin: 18px 0 6px; display: flex; gap: 8px; align-items: baseline; }
h2 small { font-weight: normal; opacity: .75; }
button { margin-left: auto; background: none; border: 0; color: var(--vscode-textLink-foreground); cursor: pointer; font: inherit; }
pre { font-family: var(--vscode-editor-font-family, monospace); font-size: var(--vscode-editor-font-size, 12px); white-space: pre-wrap; overflow-wrap: anywhere;
  background: var(--vscode-textCodeBlock-background, #8881); padding: 8px 10px; margin: 0 0 8px; border-radius: 4px; }
.role { font-size: .85em; opacity: .75; margin: 6px 0 2px; }
.missing { opacity: .75; font-style: italic; }
.graph { overflow-x: auto; }
svg text { fill: var(--vscode-foreground, black); font: 12px var(--vscode-editor-font-family, monospace); text-anchor: middle; }
svg g text:first-of-type { font-weight: bold; }
svg rect { fill: var(--vscode-textCodeBlock-background, #8881); stroke: var(--vscode-editorWidget-border, gray); }
svg .input rect, svg .output rect { fill: none; stroke-dasharray: 4 3; }
svg .here rect { stroke: var(--vscode-focusBorder, royalblue); stroke-width: 2; }
svg path { fill: none; stroke: var(--vscode-foreground, black); opacity: .5; }
svg marker path { fill: var(--vscode-foreground, black); stroke: none; }
`;

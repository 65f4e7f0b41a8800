// The script of the preview panel's page. It runs in the webview, has no rights
// there, and draws what the extension sends.

import { Preview } from './answers';
import { draw } from './draw';

interface Host {
  postMessage(message: unknown): void;
}

declare function acquireVsCodeApi(): Host;

const host = acquireVsCodeApi();

const main = document.getElementById('main')!;
window.addEventListener('message', e => draw(e.data as Preview, main, text => host.postMessage({ kind: 'copy', text })));
host.postMessage({ kind: 'ready' });

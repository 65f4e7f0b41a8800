import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';

/** Where the `dspi` command was found, and by which of the three ways. */
export interface Found {
  readonly file: string;
  readonly by: 'setting' | 'bundle' | 'path';
}

/** Where to look: the setting, the extension's own folder, and PATH. */
export interface Places {
  readonly setting: string;
  readonly extension: string;
  readonly path: string;
  readonly windows: boolean;
}

/** Explains why there is no language server, for the person who must help it. */
export class CommandMissing extends Error {}

/**
 * Finds the `dspi` command. A setting that names no command is an error, not a
 * reason to look further: another version would be started than was asked for.
 */
export function findCommand(places: Places): Found {
  const name = places.windows ? 'dspi.exe' : 'dspi';
  const setting = expandHome(places.setting.trim());
  if (setting !== '') {
    if (isCommand(setting)) {
      return { file: setting, by: 'setting' };
    }
    const onPath = setting.includes('/') || setting.includes('\\') ? undefined : search(setting, places.path);
    if (onPath !== undefined) {
      return { file: onPath, by: 'setting' };
    }
    throw new CommandMissing(`The setting dspi.languageServer.path names ${setting}, which is no command.`);
  }
  const bundled = path.join(places.extension, 'bin', name);
  if (isCommand(bundled)) {
    return { file: bundled, by: 'bundle' };
  }
  const onPath = search(name, places.path);
  if (onPath !== undefined) {
    return { file: onPath, by: 'path' };
  }
  throw new CommandMissing(
    'The command dspi was not found on PATH. Install it (go install github.com/dspi-lang/dspi/cmd/dspi@latest) ' +
    'or name it in the setting dspi.languageServer.path. Colours work without it.');
}

function expandHome(file: string): string {
  return file === '~' || file.startsWith('~/') ? path.join(os.homedir(), file.slice(1)) : file;
}

function search(name: string, folders: string): string | undefined {
  return folders.split(path.delimiter)
    .filter(folder => path.isAbsolute(folder))
    .map(folder => path.join(folder, name))
    .find(isCommand);
}

function isCommand(file: string): boolean {
  try {
    fs.accessSync(file, fs.constants.X_OK);
    return path.isAbsolute(file) && fs.statSync(file).isFile();
  } catch {
    return false;
  }
}

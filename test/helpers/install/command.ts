import { mkdtempSync, readFileSync, readdirSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Test } from 'tap';
import type { CommandModule, Context } from '../../../src/cli/command.ts';
import * as installCommand from '../../../src/cli/install.ts';
import * as uninstallCommand from '../../../src/cli/uninstall.ts';

export interface Said {
  code: number;
  out: string;
  err: string;
}

async function call(command: CommandModule, options: Context['options']): Promise<Said> {
  const lines = { out: [] as string[], err: [] as string[] };
  const code = await command.run({
    command: 'install',
    options,
    args: [],
    rest: [],
    env: {},
    load: () => Promise.reject(new Error('no configuration is needed')),
    terminal: {
      out: (line) => lines.out.push(line),
      err: (line) => lines.err.push(line),
      progress: () => undefined,
      sign: () => '-',
      strong: (text) => text,
    },
  });
  return { code, out: lines.out.join('\n'), err: lines.err.join('\n') };
}

/** `orphand install` with these options, in this process. */
export function install(options: Context['options']): Promise<Said> {
  return call(installCommand, options);
}

/** `orphand uninstall` with these options, in this process. */
export function uninstall(options: Context['options']): Promise<Said> {
  return call(uninstallCommand, options);
}

/** An empty directory to be the root of another system, gone with the test. */
export function emptyRoot(t: Test): string {
  const root = realpathSync(mkdtempSync(join(tmpdir(), 'orphand-root-')));
  t.teardown(() => {
    rmSync(root, { recursive: true, force: true });
  });
  return root;
}

/** Every file below a root (links named, not followed) with its text, paths as that system sees them. */
export function filesIn(root: string): Map<string, string> {
  const entries = readdirSync(root, { recursive: true, withFileTypes: true }).filter(
    (entry) => !entry.isDirectory(),
  );
  return new Map(
    entries
      .map((entry): [string, string] => {
        const path = join(entry.parentPath, entry.name);
        return [path.slice(root.length), entry.isSymbolicLink() ? 'link' : readFileSync(path, 'utf8')];
      })
      .sort(([a], [b]) => (a < b ? -1 : 1)),
  );
}

/** Every directory below a root, as that system sees them. */
export function directoriesIn(root: string): string[] {
  return readdirSync(root, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map((entry) => join(entry.parentPath, entry.name).slice(root.length))
    .sort();
}

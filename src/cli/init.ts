import { renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import type { Config } from '../config/config.ts';
import { defaultConfig, surroundings } from '../config/defaults.ts';
import { ConfigError } from '../config/error.ts';
import { loadConfig } from '../config/load.ts';
import { defaultPaths } from '../config/locate.ts';
import { makeDirectory } from '../linux/make-directory.ts';
import type { Context } from './command.ts';
import { escape } from './escape.ts';
import { line } from './format.ts';
import { configText } from './init/config-text.ts';
import { unifiedDiff } from './init/diff.ts';
import { merge } from './init/learned.ts';
import type { Learned } from './init/learned.ts';
import { readCompose } from './init/read-compose.ts';
import { readRunning } from './init/read-running.ts';
import { readFile } from './init/read-file.ts';

/** `orphand init`: writes a commented configuration, of the stack that runs, of a compose file, or of the reference's stack. */
export async function run({ options, env, terminal }: Context): Promise<number> {
  const output = textOf(options['output']);
  const target =
    output ?? textOf(options['config']) ?? (env['ORPHAND_CONFIG'] || defaultPaths(surroundings())[0] || '');
  const path = target === '-' ? undefined : resolve(target);
  const remark = (text: string): void => {
    terminal.err(line('warn', escape(text), terminal));
  };
  const existing = path === undefined ? undefined : readFile(path);
  const settings = await settingsOf(existing === undefined ? undefined : path, remark);
  const compose = textOf(options['compose']);
  const running = options['from-running'] === true;
  const lessons = [
    ...(running ? [await readRunning(settings)] : []),
    ...(compose === undefined ? [] : [readCompose(compose, env)]),
  ];
  const learned = lessons.length === 0 ? stackOf(settings) : merge(...lessons);
  for (const text of learned.remarks) remark(text);
  if (lessons.length > 0 && learned.ports.length === 0 && learned.names.length === 0) {
    terminal.err("orphand: nothing was written: no container that shares the host's network runs here");
    return 1;
  }
  const source = [...(running ? ['what runs here'] : []), ...(compose === undefined ? [] : [compose])].join(
    ' and ',
  );
  const text = configText(settings, learned, [
    `orphand's configuration, written by orphand init${source === '' ? '' : ` from ${source}`}.`,
    'Every key has a default, which a line that begins with # shows. orphand.yaml(5) describes them. After a change: orphand config check; systemctl reload orphand',
  ]);
  if (path === undefined) {
    terminal.out(text.trimEnd());
    return 0;
  }
  if (existing === text) {
    terminal.out(line('ok', `${escape(path)} is as it would be written`, terminal));
    return 0;
  }
  if (existing !== undefined) {
    for (const each of unifiedDiff(existing, text, [path, 'orphand init'])) terminal.out(escape(each));
    if (options['force'] !== true && !(await confirmed(`Overwrite ${path}?`))) {
      terminal.err(`orphand: ${escape(path)} is there and was not touched: --force overwrites it`);
      return 1;
    }
  }
  try {
    replace(path, text);
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? String(error);
    const cure = code === 'EACCES' ? ': run with sudo, or choose another file with --output' : '';
    terminal.err(`orphand: ${escape(path)} could not be written (${code})${cure}`);
    return 1;
  }
  terminal.out(line('ok', `Wrote ${escape(path)}: orphand scan shows what it watches`, terminal));
  return 0;
}

function textOf(option: string | true | undefined): string | undefined {
  return typeof option === 'string' ? option : undefined;
}

/** The settings of the file that is to be written, as far as they are no stack's; the defaults where there is none. */
async function settingsOf(path: string | undefined, remark: (text: string) => void): Promise<Config> {
  const around = { env: {}, uid: surroundings().uid };
  if (path === undefined) return defaultConfig(around);
  try {
    return (await loadConfig({ path, ...around })).config;
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    remark(`its settings are not carried over: ${error.message}`);
    return defaultConfig(around);
  }
}

/** What a configuration says already. */
function stackOf({ ports, patterns, containers }: Config): Learned {
  const plain = <T>(values: readonly T[]): { value: T; from: string }[] =>
    values.map((value) => ({ value, from: '' }));
  return {
    ports: plain(ports),
    patterns: plain(patterns),
    names: plain(containers.names),
    labels: plain(containers.labels),
    projects: plain(containers.projects),
    remarks: [],
  };
}

/** Asks a person, where there is one; anything but yes is no. */
async function confirmed(question: string): Promise<boolean> {
  if (!process.stdin.isTTY || !process.stderr.isTTY) return false;
  const lines = createInterface({ input: process.stdin, output: process.stderr });
  const answer = await new Promise<string>((answered) => {
    lines.question(`${escape(question)} [y/N] `, answered);
    // Ctrl-C and Ctrl-D; after an answer it is too late to matter.
    lines.on('close', () => {
      answered('\n');
    });
  });
  // The cursor is still behind the question.
  if (answer === '\n') process.stderr.write('\n');
  lines.close();
  return /^y(es)?$/i.test(answer.trim());
}

/** Whole or not at all; nothing that others planted under the draft's name is followed. */
function replace(path: string, text: string): void {
  makeDirectory(dirname(path), 0o755);
  const draft = `${path}.${process.pid}.new`;
  rmSync(draft, { force: true });
  try {
    writeFileSync(draft, text, { flag: 'wx', mode: 0o644 });
    renameSync(draft, path);
  } catch (error) {
    rmSync(draft, { force: true });
    throw error;
  }
}

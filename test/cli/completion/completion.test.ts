import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { bashCompletion } from '../../../src/cli/completion/bash.ts';
import { fishCompletion } from '../../../src/cli/completion/fish.ts';
import { zshCompletion } from '../../../src/cli/completion/zsh.ts';
import { commands, globalOptions } from '../../../src/cli/commands.ts';
import { needs } from '../../helpers/needs.ts';
import { openTerminal } from '../../helpers/tmux.ts';
import { run } from '../program.ts';

const names = commands.map(({ name }) => name);
const every = globalOptions.map(({ name }) => `--${name}`);
const optionsOf = (command: string) => [
  ...commands.find(({ name }) => name === command)!.options.map(({ name }) => `--${name}`),
  ...every,
];

const bash: [line: string[], offered: string[]][] = [
  [[''], names],
  [['sc'], ['scan']],
  [['--'], every],
  [['scan', '--'], optionsOf('scan')],
  [['scan', '--json', '--a'], ['--all']],
  [['scan', '--ports', ''], []],
  [['scan', '--ports', '8091', '--j'], ['--json']],
  [['--config', 'a b', 'sc'], ['scan']],
  [['--config', '=', 'a b', 'sc'], ['scan']],
  [
    ['--config', ''],
    ['a b', 'dir'],
  ],
  [['--config', '=', 'a'], ['a b']],
  [
    ['scan', '--config', '='],
    ['a b', 'dir'],
  ],
  [['install', '--root', ''], ['dir']],
  [['init', '-o', 'a'], ['a b']],
  [
    ['config', ''],
    ['check', 'print', 'schema'],
  ],
  [['config', 'c'], ['check']],
  [
    ['explain', 'p'],
    ['port', 'pid'],
  ],
  [
    ['explain', ''],
    ['port', 'pid'],
  ],
  [['help', 'pre'], ['preflight']],
  [
    ['completion', ''],
    ['bash', 'zsh', 'fish'],
  ],
  [['stop', '--d'], ['--dry-run']],
  [['stop', '--', 'busybo'], ['busybox']],
  [['preflight', '--wait', '5s', '--', 'busybox', 'a'], ['a b']],
  [['scan', '--', 'busybo'], []],
  [['nonsense', '--'], []],
];

/** Runs bash's function as readline would, and answers what it offers. */
function offers(words: readonly string[], cwd: string): string[] {
  const script = `${bashCompletion()}
COMP_WORDS=(orphand "$@"); COMP_CWORD=$#; _orphand
((\${#COMPREPLY[@]})) && printf '%s\\n' "\${COMPREPLY[@]}"; true`;
  const out = execFileSync('bash', ['--norc', '-c', script, 'bash', ...words], { cwd, encoding: 'utf8' });
  return out.split('\n').filter((line) => line !== '');
}

t.test('bash offers what may come next', (t) => {
  const cwd = t.testdir({ 'a b': '', dir: {} });
  for (const [words, offered] of bash) {
    t.strictSame(new Set(offers(words, cwd)), new Set(offered), words.join(' '));
  }
  t.end();
});

t.test('every option of every command is offered by each shell', (t) => {
  for (const { name, options } of commands) {
    for (const option of options) {
      t.match(
        bashCompletion(),
        new RegExp(`^ +${name}:-\\*\\).*--${option.name}[ ']`, 'm'),
        `bash ${name} --${option.name}`,
      );
      t.match(
        fishCompletion(),
        new RegExp(`from ${name}' -l ${option.name}( |$)`, 'm'),
        `fish ${name} --${option.name}`,
      );
      t.match(
        zshCompletion(),
        `'--${option.name}${option.value === undefined ? '' : '='}[`,
        `zsh --${option.name}`,
      );
    }
  }
  t.end();
});

t.test('the command prints them, each shell reads them without a complaint', async (t) => {
  for (const [shell, text] of [
    ['bash', bashCompletion()],
    ['zsh', zshCompletion()],
    ['fish', fishCompletion()],
  ] as const) {
    t.same(await run(['completion', shell]), { code: 0, stdout: text, stderr: '' });
    const file = join(t.testdir(), shell);
    writeFileSync(file, text);
    const { error, status, stderr } = spawnSync(shell, ['-n', file], { encoding: 'utf8' });
    if (error === undefined) t.same([status, stderr], [0, ''], shell);
    else t.pass(`${shell} is not installed`);
  }
});

t.test('fish offers what may come next', (t) => {
  const ask = (line: string): string[] => {
    const { stdout } = spawnSync('fish', ['-c', `${fishCompletion()}\ncomplete -C ${JSON.stringify(line)}`], {
      encoding: 'utf8',
      env: { ...process.env, HOME: t.testdir() },
    });
    return stdout
      .split('\n')
      .flatMap((row) => row.split('\t', 1)[0] ?? '')
      .filter((word) => word !== '');
  };
  if (!needs(t, 'fish')) {
    t.end();
    return;
  }
  t.strictSame(ask('orphand sc'), ['scan']);
  t.strictSame(ask('orphand ').sort(), [...names].sort());
  t.ok(ask('orphand scan --').includes('--all'));
  t.notOk(ask('orphand scan --').includes('--suspects'));
  t.strictSame(ask('orphand config ').sort(), ['check', 'print', 'schema']);
  t.ok(ask('orphand stop --dry-run -- busybo').includes('busybox'));
  t.end();
});

t.test('zsh offers what may come next, on a terminal', async (t) => {
  if (!needs(t, 'zsh', 'tmux')) return;
  const dir = t.testdir();
  mkdirSync(join(dir, 'functions'));
  writeFileSync(join(dir, 'functions/_orphand'), zshCompletion());
  writeFileSync(
    join(dir, '.zshrc'),
    "fpath=($ZDOTDIR/functions $fpath)\nautoload -U compinit && compinit -u -D\nPS1='> '\n",
  );
  const terminal = openTerminal(t, ['zsh', '-i'], { ZDOTDIR: dir, HOME: dir });
  await terminal.shows(/^>/m);
  terminal.type('orphand his', 'Tab');
  await terminal.shows(/> orphand history/);
  terminal.type('--si', 'Tab');
  await terminal.shows(/> orphand history --since=/);
  terminal.type('C-u', 'orphand config ', 'Tab');
  await terminal.shows(/check +print +schema/);
});

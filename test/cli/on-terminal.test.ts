import { readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { once } from 'node:events';
import { join, resolve } from 'node:path';
import t from 'tap';
import type { Test } from 'tap';
import { shortDirectory } from '../helpers/host-tree.ts';
import { thisMachine } from '../helpers/lab/host.ts';
import { freePort } from '../helpers/lab/ports.ts';
import { lives, startProcess } from '../helpers/lab/processes.ts';
import { needs } from '../helpers/needs.ts';
import { openTerminal } from '../helpers/tmux.ts';

const bin = resolve('dist/bin.js');
const program = (...args: string[]) => [process.execPath, bin, ...args];

/** An orphan on this machine, and a configuration that sees no other. */
async function scene(t: Test) {
  const host = thisMachine(t);
  const port = await freePort();
  const script = `${host.dir.split('/').at(-1)}-server.py`;
  const orphan = await startProcess(host, { script, argv: ['python3', 'SCRIPT', '--config'], ports: [port] });
  const config = join(host.dir, 'config.yaml');
  writeFileSync(
    config,
    `{ports: [{port: ${port}, service: lab}], patterns: ['${script}'], containers: {names: [none]}, stateDirectory: '${host.dir}/state'}`,
  );
  return { host, orphan, port, config };
}

t.test('clean shows in colour what it found, counts down, and leaves no trace of that', async (t) => {
  if (!needs(t, 'root', 'tmux')) return;
  const { host, orphan, config } = await scene(t);
  const terminal = openTerminal(t, program('clean', '--confirm-after', '6s', '--config', config));
  await terminal.shows(/^Second look at 1 process \(\d s\)…$/m);
  await terminal.shows(/^Second look at 1 process \(2 s\)…$/m);
  t.ok(lives(host, orphan));
  const screen = await terminal.shows(/^exit 0$/m, true);
  t.match(screen, /\x1b\[33m⚠\x1b\[39m Found orphaned lab process/);
  t.match(screen, /\x1b\[32m✓\x1b\[39m Killed orphaned process/);
  t.match(screen, /\x1b\[1m=== Cleanup Summary ===/);
  t.notMatch(screen, /Second look/);
  t.notOk(lives(host, orphan));
});

t.test('NO_COLOR and --no-color leave the countdown, and no colour', async (t) => {
  if (!needs(t, 'root', 'tmux')) return;
  const { config } = await scene(t);
  const env = { NO_COLOR: '1' };
  const terminal = openTerminal(t, program('clean', '--confirm-after', '4s', '--config', config), env);
  await terminal.shows(/^Second look at 1 process/m);
  t.notMatch(await terminal.shows(/^exit 0$/m, true), /\x1b\[\d+m[⚠✓]/);
  const scan = openTerminal(t, program('scan', '--no-color', '--config', config));
  t.notMatch(await scan.shows(/^exit 0$/m, true), /\x1b\[\d+m[⚠✓]/);
});

t.test('Ctrl-C during the countdown gives up', async (t) => {
  if (!needs(t, 'root', 'tmux')) return;
  const { host, orphan, config } = await scene(t);
  const terminal = openTerminal(t, program('clean', '--confirm-after', '1h', '--config', config));
  await terminal.shows(/^Second look at 1 process/m);
  terminal.type('C-c');
  await terminal.shows(/^orphand: interrupted: nothing was ended\nexit 130$/m);
  t.ok(lives(host, orphan));
});

t.test(
  'preflight counts down while it waits, Ctrl-C ends that, and a command has the terminal',
  async (t) => {
    if (!needs(t, 'tmux')) return;
    const server = createServer().listen(0, '127.0.0.1');
    t.teardown(() => server.close());
    await once(server, 'listening');
    const { port } = server.address() as { port: number };
    const config = join(t.testdir(), 'config.yaml');
    writeFileSync(
      config,
      `{ports: [${port}], patterns: [], containers: {names: [none]}, stateDirectory: '${t.testdirName}/s'}`,
    );
    const wait = program('preflight', '--config', config, '--wait', '1h', '--', 'echo', 'started');
    const stopped = openTerminal(t, wait);
    await stopped.shows(/^Waiting for 1 port to be let go \(\d+ s\)…$/m);
    stopped.type('C-c');
    t.notMatch(
      await stopped.shows(/^orphand: interrupted: the command was not started\nexit 130$/m),
      /to be let go \(/,
    );

    const waited = openTerminal(
      t,
      program(
        'preflight',
        '--config',
        config,
        '--wait',
        '1h',
        '--',
        'bash',
        '-c',
        'test -t 0 && test -t 1 && read -p "name? " name && echo "hello $name"',
      ),
    );
    await waited.shows(/^Waiting for 1 port/m);
    server.close();
    await waited.shows(/^name\?/m);
    waited.type('bob', 'Enter');
    await waited.shows(/^hello bob\nexit 0$/m);
  },
);

t.test('init asks before it overwrites', async (t) => {
  if (!needs(t, 'tmux')) return;
  // Short, so that no line is wrapped.
  const file = join(shortDirectory(t), 'config.yaml');
  const before = 'ports: [8091]\n';
  writeFileSync(file, before);
  for (const keys of [['n', 'Enter'], ['Enter'], ['C-c'], ['C-d']]) {
    const terminal = openTerminal(t, program('init', '--output', file));
    await terminal.shows(/^Overwrite .*config\.yaml\? \[y\/N\]/m);
    terminal.type(...keys);
    await terminal.shows(/is there and was not touched: --force overwrites it\nexit 1$/m);
    t.equal(readFileSync(file, 'utf8'), before, keys.join(' '));
  }
  const terminal = openTerminal(t, program('init', '--output', file));
  await terminal.shows(/\[y\/N\]/);
  terminal.type('y', 'Enter');
  await terminal.shows(/^✓ Wrote .*\nexit 0$/m);
  t.match(readFileSync(file, 'utf8'), /^# orphand's configuration/);
});

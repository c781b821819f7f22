import { openSync, readFileSync, writeFileSync } from 'node:fs';
import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { join } from 'node:path';
import t from 'tap';
import type { Test } from 'tap';
import type { CleanReport, Report } from '../../src/model.ts';
import { thisMachine } from '../helpers/lab/host.ts';
import type { Host } from '../helpers/lab/host.ts';
import { freePort } from '../helpers/lab/ports.ts';
import { lives, startProcess } from '../helpers/lab/processes.ts';
import type { LabServer, Proc } from '../helpers/lab/processes.ts';
import { until } from '../helpers/lab/wait.ts';
import { needs } from '../helpers/needs.ts';
import { run, start } from './program.ts';
import { exactly } from '../helpers/exactly.ts';

interface Scene {
  host: Host;
  orphan: Proc;
  port: number;
  config: string;
}

/** A process of the stack that lost its parent, and a configuration that sees no other. */
async function scene(t: Test, lab: LabServer = {}): Promise<Scene> {
  const host = thisMachine(t);
  const port = await freePort();
  const script = `${host.dir.split('/').at(-1)}-server.py`;
  const orphan = await startProcess(host, {
    ...lab,
    script,
    argv: ['python3', 'SCRIPT', '--config'],
    ports: [port],
  });
  const config = join(host.dir, 'config.yaml');
  writeFileSync(
    config,
    [
      `ports: [{port: ${port}, service: lab}]`,
      `patterns: ['${script}']`,
      'containers: {names: [none]}',
      `stateDirectory: ${join(host.dir, 'state')}`,
    ].join('\n'),
  );
  return { host, orphan, port, config };
}

t.test('an orphan is found, explained and ended, in words and in JSON', async (t) => {
  if (!needs(t, 'root')) return;
  const { host, orphan, port, config } = await scene(t);
  const found = await run(['scan', '--config', config]);
  t.equal(found.code, 1);
  t.match(
    found.stdout,
    new RegExp(`^⚠ Found orphaned lab process on port ${port}\\n    PID: ${orphan.pid}\\n`, 'm'),
  );
  const report = JSON.parse((await run(['scan', '--json', '--config', config])).stdout) as Report;
  t.match(report, {
    schema: 1,
    ports: exactly({ port, service: 'lab', state: 'held' }),
    summary: { orphan: 1 },
  });

  for (const what of [`${port}`, `port ${port}`, `pid ${orphan.pid}`]) {
    const explained = await run(['explain', ...what.split(' '), '--config', config]);
    t.equal(explained.code, 0, what);
    t.match(explained.stdout, new RegExp(`PID ${orphan.pid} .*: orphan, stack-process-reparented`));
    t.match(explained.stdout, new RegExp(`What to do: orphand clean --ports ${port}`));
    t.match(explained.stdout, /Chain:\n {6}1 /);
  }

  const dry = await run(['clean', '--dry-run', '--config', config]);
  t.equal(dry.code, 1);
  t.match(dry.stdout, new RegExp(`^ℹ Would kill orphaned process ${orphan.pid} `, 'm'));
  t.ok(lives(host, orphan));

  const cleaned = await run(['clean', '--json', '--config', config]);
  t.equal(cleaned.code, 0);
  t.match(JSON.parse(cleaned.stdout) as CleanReport, {
    ok: true,
    actions: exactly({ pid: orphan.pid, outcome: 'terminated' }),
  });
  t.notOk(lives(host, orphan));
  t.match(await run(['scan', '--config', config]), { code: 0, stdout: /✓ All watched ports are free\n$/ });
  const free = await run(['explain', `${port}`, '--config', config]);
  t.match(free, { code: 1, stdout: `✓ Nothing is there: port ${port} (lab) is free\n` });
});

t.test('Ctrl-C while it waits for the second look ends nothing, exit code 130', async (t) => {
  if (!needs(t, 'root')) return;
  const { host, orphan, config } = await scene(t);
  const { child, output, ended } = start(['clean', '--confirm-after', '1h', '--config', config]);
  // The finding is what it shows before it waits.
  await until('the finding', () => output.stdout.includes('Cause:'));
  child.kill('SIGINT');
  const { code, stderr, stdout } = await ended;
  t.equal(code, 130);
  t.match(stderr, /orphand: interrupted: nothing was ended\n$/);
  t.match(stdout, /Processes killed: 0\n/);
  t.ok(lives(host, orphan));
});

t.test('Ctrl-C after the first signal is too late: what was begun is finished', async (t) => {
  if (!needs(t, 'root')) return;
  const { host, orphan, config } = await scene(t, { ignoreTerm: true });
  const waits = ['--grace-period', '2s', '--confirm-after', '500ms'];
  const { child, ended } = start(['clean', ...waits, '--config', config]);
  const journal = join(host.dir, 'state/journal.jsonl');
  await until('the intent in the journal', () => readText(journal).includes('"intent"'));
  child.kill('SIGINT');
  const { code, stderr } = await ended;
  t.equal(code, 0);
  t.match(stderr, 'orphand: finishing what was begun\n');
  t.notOk(lives(host, orphan));
});

t.test('a reader that has seen enough does not stop the clean-up', async (t) => {
  if (!needs(t, 'root')) return;
  const { host, orphan, config } = await scene(t);
  const { child, output, ended } = start(['clean', '--config', config]);
  await until('the first line', () => output.stdout !== '');
  child.stdout.destroy();
  t.match(await ended, { code: 0, stderr: '' });
  t.notOk(lives(host, orphan));
});

t.test('more targets than maxTargets are refused in a line, and in JSON with the scan', async (t) => {
  if (!needs(t, 'root')) return;
  const { host, orphan, config } = await scene(t, { workers: 2 });
  const env = { ORPHAND_MAX_TARGETS: '1' };
  const words = await run(['clean', '--config', config], env);
  t.equal(words.code, 1);
  t.match(
    words.stderr,
    /^orphand: nothing was ended: 3 processes would be ended, more than maxTargets \(1\)/,
  );
  const json = await run(['clean', '--json', '--config', config], env);
  t.match(JSON.parse(json.stdout), {
    refused: { code: 'too-many-targets' },
    scan: { summary: { orphan: 3 } },
  });
  t.ok(lives(host, orphan));
  t.equal((await run(['clean', '--force', '--config', config], env)).code, 0);
  t.notOk(lives(host, orphan));
});

t.test('clean.clean: off makes clean a dry run', async (t) => {
  if (!needs(t, 'root')) return;
  const { host, orphan, config } = await scene(t);
  const { code, stdout } = await run(['clean', '--config', config], { ORPHAND_CLEAN_CLEAN: 'off' });
  t.equal(code, 1);
  t.match(stdout, /The configuration says clean\.clean: off/);
  t.ok(lives(host, orphan));
});

t.test(
  'explain knows a port that nobody watches, if it is held, and a process that is not in scope',
  async (t) => {
    const server = createServer().listen(0, '127.0.0.1');
    t.teardown(() => server.close());
    await once(server, 'listening');
    const { port } = server.address() as { port: number };
    const held = await run(['explain', `${port}`]);
    t.equal(held.code, 0);
    t.match(held.stdout, new RegExp(`Port ${port}/tcp \\(port-${port}\\) is held by .*PID ${process.pid}`));
    t.match(held.stdout, /Socket: 127\.0\.0\.1, inode \d+, /);
    const self = await run(['explain', 'pid', `${process.pid}`]);
    t.match(self, { code: 0, stdout: new RegExp(`PID ${process.pid} \\(.*\\): not in scope`) });
    t.match(await run(['explain', 'pid', '4194304']), {
      code: 1,
      stdout: /Nothing is there: no process 4194304/,
    });
  },
);

t.test('output that cannot be written is exit code 3 and a line', (t) => {
  const full = openSync('/dev/full', 'w');
  const { status, stderr } = spawnSync(process.execPath, ['dist/bin.js', 'version'], {
    stdio: ['ignore', full, 'pipe'],
    encoding: 'utf8',
  });
  t.equal(status, 3);
  t.equal(stderr, 'orphand: the output could not be written: ENOSPC\n');
  t.end();
});

t.test('an output larger than a pipe arrives whole, however late it is read', async (t) => {
  const { child, ended } = start(['config', 'print', '--json'], { ORPHAND_PORTS: '1-1024' });
  child.stdout.pause();
  await once(child.stdout, 'readable');
  child.stdout.resume();
  const { code, stdout } = await ended;
  t.equal(code, 0);
  t.ok(stdout.length > 65_536);
  t.equal((JSON.parse(stdout) as { ports: unknown[] }).ports.length, 1024);
});

function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}

import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import type { Test } from 'tap';
import { readBootId } from '../../src/procfs/boot.ts';
import { readStat } from '../../src/procfs/stat.ts';
import type { JournalEntry } from '../../src/reap/journal-format.ts';
import { privateHost } from '../helpers/lab/host.ts';
import { writeConfig } from '../helpers/lab/config.ts';
import { orphand } from '../helpers/lab/orphand.ts';
import { startOrphan } from '../helpers/lab/processes.ts';
import { needs } from '../helpers/needs.ts';
import { run } from './program.ts';
import { exactly } from '../helpers/exactly.ts';

const target = {
  identity: { bootId: 'b', pid: 1328823, startTime: 7 },
  comm: 'python3\u001b[2J',
  cmdline: ['python3', '/app/server.py'],
  verdict: 'orphan',
  reason: 'container-gone',
  cause: 'x',
  ports: [8091],
  container: null,
  uid: 0,
  supervisor: false,
  user: 'root',
};
const action = {
  ...{ pid: 1328823, startTime: 7, comm: 'python3', verdict: 'orphan', reason: 'container-gone' },
  ...{ ports: [8091], steps: [{ at: '2026-01-02T09:00:17.000Z', signal: 'SIGTERM' }], outcome: 'terminated' },
  ...{ detail: null, ms: 12 },
};
const port = { port: 8091, service: 'aidb-http', state: 'free', freed: true, ms: 12 };

function intent(id: string, at: string, more: object = {}): string {
  const by = { pid: 4_000_000, startTime: 1, uid: 0 };
  return JSON.stringify({
    v: 1,
    kind: 'intent',
    id,
    at,
    trigger: 'clean',
    bootId: 'b',
    by,
    targets: [target],
    ...more,
  });
}

function outcome(id: string, at: string, more: object = {}): string {
  const base = { ok: true, actions: [action], ports: [port], error: null };
  return JSON.stringify({ v: 1, kind: 'outcome', id, at, ...base, ...more });
}

const lines = [
  intent('a', '2026-01-02T09:00:15.000Z'),
  outcome('a', '2026-01-02T09:00:18.000Z'),
  intent('b', '2026-01-03T09:00:15.000Z', { trigger: 'sweep' }),
  outcome('b', '2026-01-03T09:00:18.000Z', {
    ok: false,
    actions: [{ ...action, steps: [], outcome: 'refused', detail: 'changed\nsince' }],
    ports: [],
  }),
  intent('c', '2026-01-04T09:00:15.000Z', { trigger: 'boot' }),
  JSON.stringify({
    ...{ v: 1, kind: 'adopted', id: 'c', at: '' },
    forks: [{ pid: 9, startTime: 1, comm: 'sleep', cmdline: [], foundUnder: 1328823 }],
  }),
];

/** The options for a state directory that has these lines as its journal. */
function journal(t: Test, text: string): { directory: string; env: Record<string, string> } {
  const directory = join(t.testdir(), 'state');
  mkdirSync(directory);
  writeFileSync(join(directory, 'journal.jsonl'), text);
  return { directory, env: { ORPHAND_STATE_DIRECTORY: directory } };
}

t.test('newest first, an interrupted clean-up as such, hostile names as text', async (t) => {
  const { env } = journal(t, `${lines.join('\n')}\n`);
  const { code, stdout, stderr } = await run(['history'], env);
  t.equal(
    stdout,
    `⚠ 2026-01-04T09:00:15.000Z  boot: interrupted: orphand (PID 4000000) ended before it was done; what became of these is not on record
    1328823 (python3\\x1b[2J), orphan, container-gone, on 8091, of root
    9 (sleep), found on the way
✗ 2026-01-03T09:00:15.000Z  sweep: 0 processes ended, something was left
    1328823 (python3), orphan, container-gone, on 8091: refused: changed\\nsince
✓ 2026-01-02T09:00:15.000Z  clean: 1 process ended, freed 8091
    1328823 (python3), orphan, container-gone, on 8091: terminated by SIGTERM
`,
  );
  t.equal(stderr, '');
  t.equal(code, 0);
});

t.test('a clean-up that goes on, and one that failed on the way', async (t) => {
  const proc = { root: '/proc' };
  const by = { pid: process.pid, startTime: readStat(proc, process.pid)!.startTime, uid: 0 };
  const { env } = journal(
    t,
    [
      intent('a', '2026-01-02T09:00:15.000Z'),
      outcome('a', '2026-01-02T09:00:18.000Z', { ok: false, actions: [], ports: [], error: 'EMFILE' }),
      intent('b', '2026-01-03T09:00:15.000Z', { bootId: readBootId(proc), by }),
    ].join('\n'),
  );
  const { stdout } = await run(['history'], env);
  t.match(stdout, /^ℹ 2026-01-03T09:00:15\.000Z {2}clean: running now\n/);
  t.match(stdout, /^✗ 2026-01-02T09:00:15\.000Z {2}clean: 0 processes ended, failed: EMFILE$/m);
});

t.test('--since leaves out what began before', async (t) => {
  const { env, directory } = journal(t, lines.join('\n'));
  const { stdout } = await run(['history', '--json', '--since', '2026-01-03'], env);
  const { schema, cleanups } = JSON.parse(stdout) as { schema: number; cleanups: JournalEntry[] };
  t.equal(schema, 1);
  t.match(
    cleanups,
    exactly(
      { id: 'c', state: 'interrupted', outcome: null, forks: exactly({ pid: 9 }) },
      { id: 'b', state: 'done', outcome: { ok: false } },
    ),
  );
  t.equal(cleanups.length, 2);
  t.match(await run(['history', '--since', '2026-06-01'], env), {
    code: 0,
    stdout: `ℹ No clean-up since 2026-06-01T00:00:00.000Z is on record in ${directory}\n`,
  });
});

t.test('no journal is an empty history', async (t) => {
  const { env, directory } = journal(t, '');
  t.match(await run(['history'], env), { code: 0, stdout: `ℹ No clean-up is on record in ${directory}\n` });
  const { stdout } = await run(['history', '--json'], { ORPHAND_STATE_DIRECTORY: '/nonexistent' });
  t.same(JSON.parse(stdout), { schema: 1, cleanups: [] });
});

t.test('what --since does not understand is exit code 2 and a line', async (t) => {
  const message = 'is no time (such as 2h, 7d, 2026-11-25, 2026-11-25T08:00:00Z)';
  for (const word of ['yesterday', '2026-02-30', '5']) {
    t.same(await run(['history', '--since', word]), {
      code: 2,
      stdout: '',
      stderr: `orphand: --since: "${word}" ${message}\n`,
    });
  }
});

t.test('a real clean-up is in it; who may not read the journal is told so', async (t) => {
  if (!needs(t, 'root', 'unshare')) return;
  const host = await privateHost(t);
  const orphan = await startOrphan(host);
  const config = writeConfig(host, { ports: [8091], patterns: ['server\\.py --config'] });
  await orphand(host, ['clean', '--config', config]);
  const { code, stdout } = await orphand(host, ['history', '--config', config, '--since', '1h']);
  t.equal(code, 0);
  t.match(stdout, /^✓ \S+ {2}clean: 1 process ended, freed 8091$/m);
  t.match(
    stdout,
    `    ${orphan.pid} (python3), orphan, stack-process-reparented, on 8091: terminated by SIGTERM\n`,
  );
  chmodSync(join(host.dir, 'state'), 0o700);
  t.match(await orphand(host, ['history', '--config', config], { user: 'nobody' }), {
    code: 1,
    stdout: '',
    stderr: `orphand: the journal in ${host.dir}/state could not be read (EACCES): run with sudo\n`,
  });
});

import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import t from 'tap';
import { runCommand } from '../../../src/container/runtimes/command.ts';
import { needs } from '../../helpers/needs.ts';

const me = { name: 'me', uid: process.getuid?.() ?? 0, gid: process.getgid?.() ?? 0, home: '/somewhere' };

t.test('exit code and output', async (t) => {
  const result = await runCommand('/bin/sh', ['-c', 'echo out; echo err >&2; exit 3'], me, 10_000);
  t.strictSame(result, { outcome: 'exit', code: 3, stdout: 'out\n', stderr: 'err\n' });
});

t.test('nothing of orphand’s own environment is passed on', async (t) => {
  process.env['ORPHAND_SECRET'] = 'secret';
  t.teardown(() => delete process.env['ORPHAND_SECRET']);
  const result = await runCommand('/usr/bin/env', [], me, 10_000, { EXTRA: '1' });
  t.equal(result.outcome, 'exit');
  const text = result.outcome === 'exit' ? result.stdout : '';
  t.match(text, 'HOME=/somewhere');
  t.match(text, 'EXTRA=1');
  t.notMatch(text, 'secret');
  t.equal(text.includes('XDG_RUNTIME_DIR'), me.uid !== 0);
});

t.test('a command that takes too long is ended and has not answered', async (t) => {
  const dir = t.testdir({});
  const file = join(dir, 'pid');
  const result = await runCommand('/bin/sh', ['-c', `echo $$ >${file}; exec sleep 1000`], me, 300);
  t.strictSame(result, { outcome: 'timeout' });
  const pid = readFileSync(file, 'utf8').trim();
  for (let i = 0; i < 100 && existsSync(`/proc/${pid}`); i++) await sleep(20);
  t.notOk(existsSync(`/proc/${pid}`), 'it has gone');
});

t.test('one that does not listen to SIGTERM is ended, too', async (t) => {
  const dir = t.testdir({});
  const file = join(dir, 'pid');
  const script = `echo $$ >${file}; trap '' TERM; while :; do sleep 0.1; done`;
  t.strictSame(await runCommand('/bin/sh', ['-c', script], me, 300), { outcome: 'timeout' });
  const pid = readFileSync(file, 'utf8').trim();
  for (let i = 0; i < 200 && existsSync(`/proc/${pid}`); i++) await sleep(20);
  t.notOk(existsSync(`/proc/${pid}`), 'it has gone');
});

t.test('a grandchild that keeps the output open is not waited for', async (t) => {
  const dir = t.testdir({});
  const file = join(dir, 'pid');
  const result = await runCommand('/bin/sh', ['-c', `sleep 1000 & echo $! >${file}; echo done`], me, 10_000);
  t.strictSame(result, { outcome: 'exit', code: 0, stdout: 'done\n', stderr: '' });
  process.kill(Number(readFileSync(file, 'utf8')));
});

t.test('a program that is not there, and one that is ended', async (t) => {
  t.strictSame(await runCommand('/none', [], me, 1_000), { outcome: 'failed', reason: 'ENOENT' });
  t.strictSame(await runCommand('/bin/sh', ['-c', 'kill -9 $$'], me, 10_000), {
    outcome: 'failed',
    reason: 'ended by a signal',
  });
});

t.test('as another user', async (t) => {
  if (!needs(t, 'root')) return;
  const user = { name: 'somebody', uid: 4242, gid: 4343, home: '/home/somebody' };
  const result = await runCommand(
    '/bin/sh',
    ['-c', 'id -u; id -g; id -G; pwd; echo $XDG_RUNTIME_DIR $USER'],
    user,
    10_000,
  );
  t.match(result, { outcome: 'exit', stdout: '4242\n4343\n4343\n/\n/run/user/4242 somebody\n' });
});

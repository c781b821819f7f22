import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import t from 'tap';
import type { Test } from 'tap';
import { freePort } from '../helpers/lab/ports.ts';
import { until } from '../helpers/lab/wait.ts';
import { run, start } from './program.ts';

/** The environment of an orphand that watches one port of this machine, and nothing else. */
async function watching(t: Test, port?: number): Promise<{ env: Record<string, string>; port: number }> {
  const watched = port ?? (await freePort());
  const config = join(t.testdir(), 'config.yaml');
  writeFileSync(
    config,
    `{ports: [{port: ${watched}, service: lab}], patterns: [], containers: {names: [none]}, stateDirectory: '${t.testdirName}/state'}`,
  );
  return { env: { ORPHAND_CONFIG: config }, port: watched };
}

t.test('its output is its own, and so is its exit code', async (t) => {
  const { env } = await watching(t);
  const script = 'echo "$0 $1 $FOO"; echo no >&2; exit 7';
  t.same(await run(['preflight', '--', 'sh', '-c', script, 'a', 'b  c'], { ...env, FOO: 'ü' }), {
    code: 7,
    stdout: 'a b  c ü\n',
    stderr: 'no\n',
  });
});

t.test('it takes the place of orphand: the same pid, which a signal reaches', async (t) => {
  const { env } = await watching(t);
  const { child, ended } = start(['preflight', '--', 'sleep', '60'], env);
  await until('sleep', () => readFileSync(`/proc/${child.pid}/comm`, 'utf8') === 'sleep\n');
  child.kill('SIGTERM');
  t.match(await ended, { code: null, stderr: '' });
  t.equal(child.signalCode, 'SIGTERM');
});

t.test('what node changed for itself is put back', async (t) => {
  const { env } = await watching(t);
  const { stdout } = await run(
    ['preflight', '--', 'grep', '-E', '^Sig(Blk|Ign)|^Threads', '/proc/self/status'],
    env,
  );
  t.equal(stdout, 'Threads:\t1\nSigBlk:\t0000000000000000\nSigIgn:\t0000000000000000\n');
  const { stdout: flags } = await run(['preflight', '--', 'grep', 'flags', '/proc/self/fdinfo/1'], env);
  t.equal(flags, 'flags:\t02\n', 'O_RDWR, and neither O_NONBLOCK nor O_CLOEXEC');
});

t.test('none of its descriptors is left open, those that systemd passed are', async (t) => {
  const { env } = await watching(t);
  const script =
    'import os; os.closerange(5, 1024); os.dup2(2, 3); os.dup2(2, 4); os.environ.update(LISTEN_FDS=N, LISTEN_PID=str(os.getpid())); os.execvp(A[0], A)';
  for (const [count, open] of [
    ['0', ['0', '1', '2']],
    ['2', ['0', '1', '2', '3', '4']],
  ] as const) {
    const argv = [
      process.execPath,
      'dist/bin.js',
      'preflight',
      '--',
      'python3',
      '-c',
      'import os; print(os.listdir("/proc/self/fd"))',
    ];
    const child = spawn('python3', ['-c', `A = ${JSON.stringify(argv)}; N = '${count}'; ${script}`], {
      env: { PATH: process.env['PATH'], ...env },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    let out = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => (out += text));
    await once(child, 'close');
    // The last one is that of the listing itself.
    t.strictSame((out.match(/\d+/g) ?? []).sort().slice(0, -1), open, count);
  }
});

t.test('it reads what is on standard input', async (t) => {
  const { env } = await watching(t);
  const child = spawn(process.execPath, ['dist/bin.js', 'preflight', '--', 'cat'], {
    env: { PATH: process.env['PATH'], ...env },
  });
  child.stdin.end('in\n');
  let out = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (out += text));
  await once(child, 'close');
  t.equal(out, 'in\n');
});

t.test('what can’t be started is 127 or 126, as with a shell', async (t) => {
  const { env } = await watching(t);
  const cases: [string, number, string][] = [
    ['no-such-program', 127, 'no such program'],
    ['/nonexistent/program', 127, 'no such program'],
    ['/etc/passwd/x', 127, 'no such program'],
    ['', 127, 'no such program'],
    ['/etc/passwd', 126, 'it may not be executed'],
    ['/tmp', 126, 'it may not be executed'],
  ];
  for (const [program, code, why] of cases) {
    t.same(
      await run(['preflight', '--', program], env),
      { code, stdout: '', stderr: `orphand: ${program} could not be started: ${why}\n` },
      program,
    );
  }
});

t.test('it is not started while a port is held', async (t) => {
  const server = createServer().listen(0, '127.0.0.1');
  t.teardown(() => server.close());
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  const { env } = await watching(t, port);
  const { code, stdout, stderr } = await run(['preflight', '--', 'echo', 'started'], env);
  t.equal(code, 1);
  t.equal(stdout, '');
  t.match(
    stderr,
    new RegExp(`^✗ ${port} {2}lab {2}someone else's: held by .*PID ${process.pid}\\. To free it: `, 'm'),
  );
  t.match(stderr, /^✗ Not ready: 1 of 1 ports held\norphand: echo started was not started\n$/m);
});

t.test('--wait ends as soon as the port is let go', async (t) => {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  const { env } = await watching(t, port);
  const { output, ended } = start(['preflight', '--wait', '1h', '--', 'echo', 'started'], env);
  await until('the wait', () => output.stderr.includes('Waiting up to 1h for'));
  server.close();
  t.match(await ended, { code: 0, stdout: 'started\n' });
});

t.test('a signal while it waits ends the wait, and nothing is started', async (t) => {
  const server = createServer().listen(0, '127.0.0.1');
  t.teardown(() => server.close());
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  const { env } = await watching(t, port);
  const { child, output, ended } = start(['preflight', '--wait', '1h', '--', 'echo', 'started'], env);
  await until('the wait', () => output.stderr.includes('Waiting up to 1h for'));
  child.kill('SIGTERM');
  t.match(await ended, {
    code: 143,
    stdout: '',
    stderr: /\norphand: interrupted: the command was not started\n$/,
  });
});

t.test('wrong options are exit code 2 and a line', async (t) => {
  const cases: [string[], string][] = [
    [['--json', '--', 'true'], '--json and a command do not go together: both would print'],
    [['--wait', '5'], '--wait: "5" is not a duration of at most 24h (such as 500ms, 5s, 2m)'],
    [['--ports', 'x'], '--ports: "x" is not a port (1-65535)'],
    [['8091'], '"preflight" does not take "8091": orphand preflight'],
    [['--suspects'], '"preflight" has no option "--suspects"'],
  ];
  for (const [args, message] of cases)
    t.same(await run(['preflight', ...args]), { code: 2, stdout: '', stderr: `orphand: ${message}\n` });
});

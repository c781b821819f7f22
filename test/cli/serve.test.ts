import { spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import t, { type Test } from 'tap';
import { launchDaemon, startDaemon } from '../helpers/daemon.ts';
import { ask } from '../helpers/http-client.ts';
import { until } from '../helpers/lab/wait.ts';
import { needs } from '../helpers/needs.ts';
import { exactly } from '../helpers/exactly.ts';

const bin = fileURLToPath(new URL('../../dist/bin.js', import.meta.url));
const helper = (name: string) => fileURLToPath(new URL(`../helpers/${name}`, import.meta.url));

/** A short path: that of a unix socket may have 107 characters. */
function shortFolder(t: Test): string {
  const folder = mkdtempSync(join(tmpdir(), 'orphand-serve-'));
  t.teardown(() => {
    rmSync(folder, { recursive: true, force: true });
  });
  return folder;
}

t.test('it serves both sockets, stops on SIGTERM with exit code 0 and leaves no socket behind', async (t) => {
  const daemon = await startDaemon(t, { directory: shortFolder(t) });
  t.match(await daemon.ask({ path: '/api/v1/status' }), {
    status: 200,
    json: { pid: daemon.child.pid, clean: 'off' },
  });
  t.match(await daemon.ask({ to: daemon.port(), path: '/healthz' }), { status: 200 });
  daemon.signal('SIGTERM');
  t.match(await daemon.ended, { code: 0, signal: null, stderr: '' });
  t.notOk(existsSync(daemon.socket));
});

t.test('its log is JSON, one object a line, and says where it serves', async (t) => {
  const daemon = await startDaemon(t, { directory: shortFolder(t) });
  t.match(await daemon.logged('orphand started'), {
    level: 'info',
    version: String,
    source: daemon.configFile,
    clean: 'off',
    sockets: exactly(daemon.socket, /^127\.0\.0\.1:\d+$/),
  });
  daemon.signal('SIGINT');
  const { stdout, code } = await daemon.ended;
  t.equal(code, 0);
  for (const line of stdout.trimEnd().split('\n')) t.doesNotThrow(() => void JSON.parse(line), line);
});

t.test('a second daemon on the same socket is refused in one line, and the first serves on', async (t) => {
  const first = await startDaemon(t, { directory: shortFolder(t) });
  const second = launchDaemon(t, { directory: shortFolder(t), config: { http: { socket: first.socket } } });
  const { code, stderr } = await second.ended;
  t.equal(code, 1);
  t.equal(stderr, `orphand: ${first.socket} is in use: another orphand may be running (orphand status)\n`);
  t.match(await first.ask(), { status: 200 });
});

t.test('a second daemon on the same TCP port is refused, and gives its own socket back', async (t) => {
  const first = await startDaemon(t, { directory: shortFolder(t) });
  const listen = `127.0.0.1:${first.port()}`;
  const second = launchDaemon(t, { directory: shortFolder(t), config: { http: { listen } } });
  const { code, stderr } = await second.ended;
  t.equal(code, 1);
  t.equal(stderr, `orphand: ${listen} is in use: another orphand may be running (orphand status)\n`);
  t.notOk(existsSync(second.socket));
});

t.test('a socket that a killed daemon left is replaced', async (t) => {
  const folder = shortFolder(t);
  const first = await startDaemon(t, { directory: folder });
  first.signal('SIGKILL');
  t.match(await first.ended, { signal: 'SIGKILL' });
  t.ok(existsSync(first.socket), 'it is there');
  const second = await startDaemon(t, { directory: folder });
  t.match(await second.ask({ path: '/api/v1/status' }), { json: { pid: second.child.pid } });
});

t.test('what is no socket is not replaced', async (t) => {
  const folder = shortFolder(t);
  writeFileSync(join(folder, 'orphand.sock'), 'precious');
  const daemon = launchDaemon(t, { directory: folder });
  const { code, stderr } = await daemon.ended;
  t.equal(code, 1);
  t.match(stderr, /is not a socket/);
  t.equal(readFileSync(join(folder, 'orphand.sock'), 'utf8'), 'precious');
});

const refused: [name: string, http: Record<string, unknown>, says: RegExp][] = [
  [
    'another address than loopback',
    { listen: '0.0.0.0:0' },
    /0\.0\.0\.0:0 is not a loopback address: set http\.allowRemote/,
  ],
  ['another address of IPv6', { listen: '[::]:0' }, /\[::\]:0 is not a loopback address/],
  [
    'another address, allowed, without a token',
    { listen: '0.0.0.0:0', allowRemote: true },
    /set http\.tokenFile/,
  ],
];
for (const [name, http, says] of refused) {
  t.test(`${name} is refused with exit code 2, in one line`, async (t) => {
    const daemon = launchDaemon(t, { directory: shortFolder(t), config: { http } });
    const { code, stderr } = await daemon.ended;
    t.equal(code, 2);
    t.match(stderr, says);
    t.equal(stderr.split('\n').length, 2, stderr);
    t.notOk(existsSync(daemon.socket), 'nothing was opened');
  });
}

t.test('another address with the setting and a token is served', async (t) => {
  const directory = shortFolder(t);
  const tokenFile = join(directory, 'token');
  const http = { listen: '0.0.0.0:0', allowRemote: true, tokenFile };
  const daemon = await startDaemon(t, { directory, config: { http } });
  t.match(await daemon.logged('orphand started'), { sockets: exactly(String, /^0\.0\.0\.0:\d+$/) });
  t.match(readFileSync(tokenFile, 'utf8'), /^[\w-]{43}\n$/);
});

t.test('a token file that others may read is refused with exit code 2', async (t) => {
  const directory = shortFolder(t);
  const tokenFile = join(directory, 'token');
  writeFileSync(tokenFile, 'A'.repeat(43));
  chmodSync(tokenFile, 0o644);
  const daemon = launchDaemon(t, { directory, config: { http: { tokenFile } } });
  const { code, stderr } = await daemon.ended;
  t.equal(code, 2);
  t.match(stderr, /http\.tokenFile: .*may be read by others/);
});

t.test(
  'an ordinary user gets a socket in XDG_RUNTIME_DIR, or none, and is served all the same',
  async (t) => {
    if (!needs(t, 'root')) return;
    const uid = 65_534;
    const owned = (folder: string) => {
      chownSync(folder, uid, uid);
      return folder;
    };
    const runtime = owned(shortFolder(t));
    const own = { uid, config: { http: { socket: '/run/orphand/orphand.sock' } } };
    if (existsSync('/run/orphand')) {
      t.comment('left out: an orphand is installed on this machine');
      return;
    }
    const one = launchDaemon(t, {
      ...own,
      directory: owned(shortFolder(t)),
      env: { XDG_RUNTIME_DIR: runtime },
    });
    t.match(await one.logged('orphand started'), {
      sockets: exactly(join(runtime, 'orphand/orphand.sock'), String),
    });
    t.match(await one.ask({ to: join(runtime, 'orphand/orphand.sock') }), { status: 200 });
    // Told from its first sweep.
    const limits = async () =>
      (await one.ask({ to: one.port(), path: '/api/v1/status' })).json['limits'] as { code: string }[];
    t.match(await until('limits', async () => (await limits())[0]), { code: 'unprivileged' });

    const two = launchDaemon(t, { ...own, directory: owned(shortFolder(t)) });
    t.match(await two.logged('orphand started'), { sockets: exactly(/^127/) });
    t.match((await two.logged('socket is not as configured'))['warning'], /^no control socket: .*EACCES/);
    t.match(await two.ask({ to: two.port() }), { status: 200 });
  },
);

t.test("SIGUSR1 does not open node's inspector", async (t) => {
  const daemon = await startDaemon(t, { directory: shortFolder(t) });
  daemon.signal('SIGUSR1');
  // Answered after the signal was handled: it is one event loop.
  t.match(await daemon.ask(), { status: 200 });
  t.notMatch(daemon.output.stderr, /Debugger/);
  const sockets = readdirSync(`/proc/${daemon.child.pid ?? 0}/fd`).length;
  const refusedBy = await new Promise((resolve) => {
    connect({ host: '127.0.0.1', port: 9229 })
      .on('error', (error: NodeJS.ErrnoException) => {
        resolve(error.code);
      })
      .on('connect', () => {
        resolve('connected');
      });
  });
  t.ok(sockets > 0);
  t.equal(refusedBy, 'ECONNREFUSED');
});

t.test('sockets that systemd passes in are served by their names, and no others are opened', async (t) => {
  const directory = shortFolder(t);
  const path = join(directory, 'passed.sock');
  const daemon = launchDaemon(t, { directory, by: ['python3', helper('activate.py'), path] });
  const started = await daemon.logged('orphand started');
  const port = Number(readFileSync(`${path}.port`, 'utf8'));
  t.same(started['sockets'], ['fd 4', `127.0.0.1:${port}`].sort());
  t.match(await daemon.ask({ to: path, path: '/api/v1/status' }), { json: { pid: daemon.child.pid } });
  t.match(await daemon.ask({ to: port }), { status: 200 });
  const asControl = { method: 'POST', path: '/api/v1/scans' };
  t.match(await daemon.ask({ to: path, ...asControl }), { status: 200 }, 'the unix one takes control');
  t.match(await daemon.ask({ to: port, ...asControl }), { status: 401 }, 'the TCP one does not');
  t.notOk(existsSync(daemon.socket));
  daemon.signal('SIGTERM');
  t.match(await daemon.ended, { code: 0 });
  t.ok(existsSync(path), "systemd's socket stays");
});

t.test('systemd is told of readiness, the watchdog is fed, a reload and the stop are told', async (t) => {
  const directory = shortFolder(t);
  const path = join(directory, 'notify');
  const receiver = spawn('python3', [helper('notified.py'), path], { stdio: ['ignore', 'pipe', 'inherit'] });
  const gone = once(receiver, 'exit');
  t.teardown(() => {
    receiver.kill('SIGKILL');
    return gone;
  });
  let text = '';
  receiver.stdout.setEncoding('utf8').on('data', (more: string) => (text += more));
  const told = () =>
    text
      .split('\n')
      .slice(0, -1)
      .map((line) => JSON.parse(line) as string);
  await until('the receiver', () => told().includes('listening'));

  const env = { NOTIFY_SOCKET: path, WATCHDOG_USEC: '600000' };
  const daemon = await startDaemon(t, { directory, env });
  await until('readiness', () => told().some((state) => /^READY=1\nSTATUS=0 ports watched/.test(state)));
  await until('the watchdog to be fed', () => told().filter((state) => state === 'WATCHDOG=1').length > 2);
  daemon.signal('SIGHUP');
  await until('the reload', () => told().some((state) => /^RELOADING=1\nMONOTONIC_USEC=\d+$/.test(state)));
  await until('its end', () => told().filter((state) => state.startsWith('READY=1')).length === 2);
  daemon.signal('SIGTERM');
  t.match(await daemon.ended, { code: 0 });
  await until('the stop', () => told().includes('STOPPING=1'));
  const states = told();
  t.ok(
    states.findIndex((state) => state.startsWith('READY')) < states.indexOf('WATCHDOG=1'),
    'not fed before it is ready',
  );
});

t.test('on a terminal it says where to look, and that it ends nothing', async (t) => {
  const directory = shortFolder(t);
  const quoted = (words: string[]) => words.map((word) => `'${word}'`).join(' ');
  const configFile = join(directory, 'c.yaml');
  const socket = join(directory, 'o.sock');
  writeFileSync(
    configFile,
    JSON.stringify({
      stateDirectory: join(directory, 's'),
      http: { listen: '127.0.0.1:0', socket, socketGroup: '' },
    }),
  );
  const command = quoted([process.execPath, bin, 'serve', '--config', configFile]);
  // script(1) gives it a terminal; what it echoes is what a person sees.
  const child = spawn('script', ['-qec', `exec ${command}`, '/dev/null'], {
    env: { PATH: process.env['PATH'], TERM: 'xterm' },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const over = once(child, 'exit');
  let text = '';
  child.stdout.setEncoding('utf8').on('data', (more: string) => (text += more));
  await until('the banner', () => text.includes('Ctrl-C'));
  t.match(
    text,
    /watches 11 ports, sweeps at "\*\/15 \* \* \* \* \*", reports, ends nothing \(sweep\.clean: off\)/,
  );
  t.match(text, /Status page {4}http:\/\/127\.0\.0\.1:\d+\/\r/);
  t.match(text, new RegExp(`Control {8}${socket} \\(orphand status\\)`));
  child.kill('SIGTERM');
  await over;
});

t.test('when its terminal is closed it ends, instead of outliving who started it', async (t) => {
  const directory = shortFolder(t);
  const configFile = join(directory, 'c.yaml');
  const socket = join(directory, 'o.sock');
  writeFileSync(
    configFile,
    JSON.stringify({ stateDirectory: join(directory, 's'), http: { listen: '', socket, socketGroup: '' } }),
  );
  const command = [process.execPath, bin, 'serve', '--config', configFile]
    .map((word) => `'${word}'`)
    .join(' ');
  const child = spawn('script', ['-qec', `exec ${command}`, '/dev/null'], {
    env: { PATH: process.env['PATH'], TERM: 'xterm' },
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  const over = once(child, 'exit');
  const ready = () => ask({ to: socket, path: '/api/v1/status' }).catch(() => undefined);
  const pid = Number((await until('the daemon', ready)).json['pid']);
  child.kill('SIGKILL');
  await over;
  await until('the end of the daemon', () => !existsSync(`/proc/${pid}`));
  t.notOk(existsSync(socket), 'and took its socket with it');
});

t.test('an unknown group for the socket is a warning in log and status', async (t) => {
  const daemon = await startDaemon(t, {
    directory: shortFolder(t),
    config: { http: { socketGroup: 'nosuchgroup' } },
  });
  t.match(await daemon.logged('socket is not as configured'), { warning: /no group nosuchgroup/ });
  t.match(await daemon.ask({ path: '/api/v1/status' }), { json: { limits: exactly({ code: 'socket' }) } });
});

t.test('connections and event streams do not keep it from stopping', async (t) => {
  const daemon = await startDaemon(t, { directory: shortFolder(t) });
  const idle = connect({ host: '127.0.0.1', port: daemon.port() });
  await once(idle, 'connect');
  idle.on('error', () => undefined);
  const stream = connect({ path: daemon.socket }, () => {
    stream.write('GET /api/v1/events HTTP/1.1\r\nHost: orphand\r\n\r\n');
  });
  stream.on('error', () => undefined);
  await once(stream, 'data');
  daemon.signal('SIGTERM');
  t.match(await daemon.ended, { code: 0 });
  idle.destroy();
  stream.destroy();
});

t.test('a folder for the state that cannot be made is told of, and reports are still made', async (t) => {
  const directory = shortFolder(t);
  const blocked = join(directory, 'file');
  writeFileSync(blocked, '');
  mkdirSync(join(directory, 'x'));
  const daemon = await startDaemon(t, { directory, config: { stateDirectory: join(blocked, 'state') } });
  t.match(await daemon.ask({ path: '/api/v1/status' }), {
    json: { healthy: true, limits: exactly({ code: 'journal-not-writable' }) },
  });
});

t.test('a port that something else holds is told as in use', async (t) => {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(() => {
    server.close();
  });
  const { port } = server.address() as { port: number };
  const daemon = launchDaemon(t, {
    directory: shortFolder(t),
    config: { http: { listen: `127.0.0.1:${port}` } },
  });
  t.match(await daemon.ended, { code: 1, stderr: new RegExp(`127\\.0\\.0\\.1:${port} is in use`) });
});

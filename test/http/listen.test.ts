import { mkdtempSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createServer as createNetServer, type Server as NetServer } from 'node:net';
import { execFileSync, spawnSync } from 'node:child_process';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import koffi from 'koffi';
import t from 'tap';
import { ask, serve } from '../helpers/http-client.ts';
import { needs } from '../helpers/needs.ts';

const directory = mkdtempSync(join(tmpdir(), 'orphand-listen-'));
t.teardown(() => {
  rmSync(directory, { recursive: true, force: true });
});
let number = 0;
const fresh = () => join(directory, `s${(number += 1)}`);
const dup = koffi.load('libc.so.6').func('int dup(int)') as (fd: number) => number;

/** A listening socket as systemd would pass it: a descriptor that no server of this process owns. */
async function passedIn(
  listen: (server: NetServer) => void,
  release: () => void = () => undefined,
): Promise<number> {
  const server = createNetServer();
  await new Promise<void>((resolve) => {
    server.once('listening', resolve);
    listen(server);
  });
  const fd = dup((server as unknown as { _handle: { fd: number } })._handle.fd);
  release();
  await new Promise((resolve) => server.close(resolve));
  return fd;
}

t.test('one app answers on the unix socket and on TCP, and knows which is which', async (t) => {
  const { port, socket } = await serve(t);
  t.equal((await ask({ to: port })).status, 200);
  t.equal((await ask({ to: socket })).status, 200);
  t.equal(
    (await ask({ to: port, headers: { host: 'orphand' } })).status,
    421,
    'the unix name is none of TCP',
  );
  t.equal((await ask({ to: socket, headers: { host: 'orphand' } })).status, 200);
});

t.test('the unix socket is for its user only, or for the group too', async (t) => {
  const { side, socket } = await serve(t);
  const before = process.umask(0);
  t.teardown(() => process.umask(before));
  t.equal(statSync(socket).mode & 0o777, 0o600, 'no group');
  const unknown = fresh();
  const bound = await side.listen({ path: unknown, group: 'no-such-group' });
  t.equal(statSync(unknown).mode & 0o777, 0o600, 'a group that does not exist');
  t.match(bound.warning, /there is no group no-such-group/);
  t.equal(process.umask(0), 0, 'the umask is what it was');
  if (!needs(t, 'root')) return;
  const known = fresh();
  t.equal((await side.listen({ path: known, group: 'daemon' })).warning, undefined);
  t.equal(statSync(known).mode & 0o777, 0o660);
  const gid = Number(execFileSync('getent', ['group', 'daemon'], { encoding: 'utf8' }).split(':')[2]);
  t.equal(statSync(known).gid, gid);
});

t.test('a socket file that nobody listens on is replaced; anything else is left alone', async (t) => {
  const { side, socket } = await serve(t);
  const stale = fresh();
  // A process that was killed leaves its file.
  spawnSync(process.execPath, [
    '-e',
    `require('net').createServer().listen('${stale}', () => process.kill(process.pid, 'SIGKILL'))`,
  ]);
  t.ok(statSync(stale).isSocket());
  await side.listen({ path: stale, group: '' });
  t.equal((await ask({ to: stale })).status, 200);

  await t.rejects(side.listen({ path: socket, group: '' }), { name: 'ListenError', code: 'EADDRINUSE' });
  t.equal((await ask({ to: socket })).status, 200, 'the one in use still answers');
  const file = fresh();
  writeFileSync(file, 'precious');
  await t.rejects(side.listen({ path: file, group: '' }), { code: 'EEXIST' });
  t.equal(statSync(file).size, 8);
  await t.rejects(side.listen({ path: join(file, 'below'), group: '' }), { name: 'ListenError' });
});

t.test('a socket where no directory can be made is a clear error', async (t) => {
  const { side } = await serve(t);
  await t.rejects(side.listen({ path: '/proc/orphand/run/orphand.sock', group: '' }), {
    name: 'ListenError',
    code: 'ENOENT',
    message: "can't listen on /proc/orphand/run/orphand.sock (ENOENT: no directory can be made in /proc)",
  });
});

t.test('an address in use is a clear error', async (t) => {
  const { side, port } = await serve(t);
  await t.rejects(side.listen({ host: '127.0.0.1', port }), {
    name: 'ListenError',
    code: 'EADDRINUSE',
    message: `can't listen on 127.0.0.1:${port} (EADDRINUSE)`,
  });
});

t.test('sockets that were passed in are served, and are what they were passed as', async (t) => {
  const { side } = await serve(t);
  const path = fresh();
  const moved = fresh();
  const unixFd = await passedIn(
    (server) => server.listen(path),
    // Closing the first server would remove the file.
    () => {
      renameSync(path, moved);
    },
  );
  const tcpFd = await passedIn((server) => server.listen(0, '127.0.0.1'));

  await t.rejects(
    side.listen({ fd: tcpFd, via: 'unix' }),
    { code: 'EPROTOTYPE' },
    'TCP is not taken for control',
  );
  const otherFd = await passedIn((server) => server.listen(0, '127.0.0.1'));
  const tcp = await side.listen({ fd: otherFd, via: 'tcp' });
  t.match(tcp, { via: 'tcp', port: Number, address: /^127\.0\.0\.1:\d+$/ });
  t.equal((await ask({ to: tcp.port! })).status, 200);
  t.equal((await ask({ to: tcp.port!, headers: { host: 'orphand' } })).status, 421);

  t.match(await side.listen({ fd: unixFd, via: 'unix' }), { via: 'unix', port: undefined });
  t.equal((await ask({ to: moved, headers: { host: 'orphand' } })).status, 200);
  const scan = await ask({ to: moved, method: 'POST', path: '/api/v1/scans' });
  t.equal(scan.status, 200, 'and the kernel says who connected');
});

t.test('closing ends what is open and frees the address', async (t) => {
  const { side, port, socket } = await serve(t);
  await side.close(0);
  await t.rejects(ask({ to: port }), { code: 'ECONNREFUSED' });
  await t.rejects(ask({ to: socket }), { code: 'ENOENT' }, 'the file is gone too');
});

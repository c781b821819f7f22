import { once } from 'node:events';
import { chmodSync, closeSync, mkdtempSync, openSync, rmSync } from 'node:fs';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import t, { type Test } from 'tap';
import { peerCredentials } from '../../src/linux/peercred.ts';
import { needs } from '../helpers/needs.ts';
import { koffi, runNode } from './children.ts';

function fdOf(socket: Socket): number {
  return (socket as unknown as { _handle: { fd: number } })._handle.fd;
}

async function listen(
  t: Test,
  ...where: [string] | [number, string]
): Promise<ReturnType<typeof createServer>> {
  const server = createServer();
  server.listen(...(where as [string]));
  await once(server, 'listening');
  t.teardown(() => server.close());
  return server;
}

async function accept(t: Test, server: ReturnType<typeof createServer>): Promise<Socket> {
  const [socket] = (await once(server, 'connection')) as [Socket];
  t.teardown(() => socket.destroy());
  return socket;
}

function socketPath(t: Test): string {
  const directory = mkdtempSync(`${tmpdir()}/orphand-`);
  t.teardown(() => {
    rmSync(directory, { recursive: true });
  });
  chmodSync(directory, 0o755);
  return `${directory}/socket`;
}

t.test('a client of this process is this process', async (t) => {
  const path = socketPath(t);
  const server = await listen(t, path);
  const accepted = accept(t, server);
  const client = connect(path);
  t.teardown(() => client.destroy());
  const fd = fdOf(await accepted);
  t.same(peerCredentials(fd), {
    pid: process.pid,
    uid: process.geteuid?.(),
    gid: process.getegid?.(),
  });
  t.equal(peerCredentials(2 ** 32 + fd), undefined, 'not by the low 32 bits of its number');
});

t.test('a client of another user is that user, whatever it says of itself', async (t) => {
  if (!needs(t, 'root')) return;
  const path = socketPath(t);
  const server = await listen(t, path);
  chmodSync(path, 0o666);
  const accepted = accept(t, server);
  const script = `require('node:net').connect(${JSON.stringify(path)}, function () {
    this.write(';uid=0;');
    console.log('connected');
  });`;
  const client = await runNode(t, script, { uid: 65534, gid: 65533 });
  const socket = await accepted;
  t.same(peerCredentials(fdOf(socket)), { pid: client.pid, uid: 65534, gid: 65533 });
  client.process.kill('SIGKILL');
  await client.ended;
  t.match(peerCredentials(fdOf(socket)), { uid: 65534 }, 'after it has gone, too');
});

t.test('a TCP client is a stranger, not user -1', async (t) => {
  const server = await listen(t, 0, '127.0.0.1');
  const accepted = accept(t, server);
  const client = connect((server.address() as AddressInfo).port, '127.0.0.1');
  t.teardown(() => client.destroy());
  t.equal(peerCredentials(fdOf(await accepted)), undefined);
});

t.test('a unix socket that is not connected has no peer', (t) => {
  const fd = koffi.load(null).func('int socket(int, int, int)')(1, 1 | 0x80000, 0) as number;
  t.teardown(() => {
    closeSync(fd);
  });
  t.equal(peerCredentials(fd), undefined);
  t.end();
});

t.test('what is no socket is a stranger', (t) => {
  const file = openSync('/dev/null', 'r');
  t.equal(peerCredentials(file), undefined, 'a file');
  closeSync(file);
  t.equal(peerCredentials(file), undefined, 'a closed descriptor');
  // node's _handle.fd is undocumented: -1 after a close, perhaps missing one day.
  for (const fd of [-1, NaN, 1.5, undefined as unknown as number]) {
    t.equal(peerCredentials(fd), undefined, String(fd));
  }
  t.end();
});

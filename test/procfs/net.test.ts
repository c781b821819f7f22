import { createSocket } from 'node:dgram';
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import t, { type Test } from 'tap';
import { countConnections, parseListeners, readListeners } from '../../src/procfs/net.ts';
import { needs } from '../helpers/needs.ts';
import { asNobody, start } from './children.ts';
import { exactly } from '../helpers/exactly.ts';

const own = { root: '/proc' };
const HEADER =
  '  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode';

function row(port: number, { state = '0A', address = '0100007F', inode = port, uid = 0 } = {}): string {
  const hex = port.toString(16).toUpperCase().padStart(4, '0');
  const remote = '0'.repeat(address.length);
  return `   1: ${address}:${hex} ${remote}:0000 ${state} 00000000:00000000 00:00000000 00000000 ${String(uid).padStart(5)}        0 ${inode} 1 0000000000000000 100 0 0 10 0`;
}

function text(...rows: string[]): string {
  return `${[HEADER, ...rows].join('\n')}\n`;
}

function ports(listeners: { port: number }[]): number[] {
  return listeners.map(({ port }) => port);
}

t.test('a row is a listener with its address, port, inode and user', (t) => {
  const kernel =
    '   0: 00000000:1F9B 00000000:0000 0A 00000000:00000000 00:00000000 00000000  1000        0 1060 1 000000009161ed65 100 0 0 10 0                      ';
  t.same(parseListeners(text(kernel), 'tcp'), [
    { protocol: 'tcp', address: '0.0.0.0', port: 8091, inode: 1060, uid: 1000 },
  ]);
  t.end();
});

t.test('nothing behind the first connection is read', (t) => {
  t.same(ports(parseListeners(text(row(1), row(2), row(3, { state: '01' }), row(4)), 'tcp')), [1, 2]);
  t.end();
});

const malformed: [string, string][] = [
  ['an empty line', ''],
  ['a row that was cut', row(9).slice(0, 40)],
  ['a row without an inode', row(9).slice(0, 90)],
  ['a port that is no number', row(9).replace(':0009', ':XXXX')],
  ['an address of a wrong length', row(9).replace('0100007F', '0100007')],
  ['a state that is none', row(9, { state: '0' })],
  ['NUL bytes', '\0\0\0\0'],
];
for (const [name, line] of malformed) {
  t.test(`${name} hides no other row`, (t) => {
    t.same(ports(parseListeners(text(row(1), line, row(2)), 'tcp')), [1, 2]);
    t.end();
  });
}

t.test('of udp every bound row counts, whatever its state', (t) => {
  const listeners = parseListeners(text(row(53, { state: '07' }), row(54, { state: '01' })), 'udp');
  t.match(listeners, exactly({ protocol: 'udp', port: 53 }, { protocol: 'udp', port: 54 }));
  t.end();
});

t.test('a row that comes again between two reads counts once', (t) => {
  t.same(ports(parseListeners(text(row(1, { inode: 5 }), row(2), row(1, { inode: 5 })), 'tcp')), [1, 2]);
  t.end();
});

t.test('two sockets on one port (SO_REUSEPORT) are two listeners', (t) => {
  t.same(ports(parseListeners(text(row(1, { inode: 5 }), row(1, { inode: 6 })), 'tcp')), [1, 1]);
  t.end();
});

t.test('listeners on every edge of a 64 KiB chunk are found, and the end among connections too', (t) => {
  const padded = Array.from({ length: 3000 }, (_, index) => row(index + 1) + ' '.repeat(index % 29));
  const connections = Array.from({ length: 3000 }, () => row(60_000, { state: '01' }));
  const root = t.testdir({ 1: { net: { tcp: text(...padded, ...connections, row(60_001)) } } });
  const found = ports(readListeners({ root }, { protocols: ['tcp'] }));
  t.same(
    found,
    padded.map((_, index) => index + 1),
  );
  t.end();
});

t.test('only the wanted ports and protocols are answered, from both families', (t) => {
  const six = '0'.repeat(32);
  const net = {
    tcp: text(row(80), row(81)),
    tcp6: text(row(80, { address: six, inode: 880 }), row(82, { address: six })),
    udp: text(row(80, { state: '07', inode: 980 })),
    udp6: text(row(80, { state: '07', inode: 981, address: six })),
  };
  const proc = { root: t.testdir({ 1: { net } }) };
  t.same(readListeners(proc, { protocols: ['tcp'], ports: new Set([80, 82]) }), [
    { protocol: 'tcp', address: '127.0.0.1', port: 80, inode: 80, uid: 0 },
    { protocol: 'tcp', address: '::', port: 80, inode: 880, uid: 0 },
    { protocol: 'tcp', address: '::', port: 82, inode: 82, uid: 0 },
  ]);
  t.same(ports(readListeners(proc, { protocols: ['udp'] })), [80, 80]);
  t.equal(
    readListeners(proc, { protocols: ['udp', 'tcp', 'udp'] }).length,
    6,
    'a protocol named twice is read once',
  );
  t.same(readListeners(proc, { protocols: ['tcp'], ports: new Set() }), []);
  t.end();
});

t.test('a host with IPv6 disabled has no tcp6 and is no error', (t) => {
  const proc = { root: t.testdir({ 1: { net: { tcp: text(row(80)) } } }) };
  t.same(ports(readListeners(proc, { protocols: ['tcp'] })), [80]);
  t.end();
});

t.test('where pid 1 is hidden, the own view is read', (t) => {
  const proc = { root: t.testdir({ net: { tcp: text(row(80)), tcp6: text() } }) };
  t.same(ports(readListeners(proc, { protocols: ['tcp'] })), [80]);
  t.same([...countConnections(proc, 80)], [['LISTEN', 1]]);
  t.end();
});

t.test('where pid 1 may not be looked at, the own view is read too', (t) => {
  if (!needs(t, 'root')) return;
  const root = mkdtempSync(`${tmpdir()}/orphand-`);
  t.teardown(() => {
    rmSync(root, { recursive: true });
  });
  chmodSync(root, 0o755);
  mkdirSync(`${root}/1/net`, { recursive: true });
  writeFileSync(`${root}/1/net/tcp`, text(row(80)));
  mkdirSync(`${root}/net`);
  writeFileSync(`${root}/net/tcp`, text(row(81)));
  chmodSync(`${root}/1`, 0o500);
  const look = (): number[] => ports(readListeners({ root }, { protocols: ['tcp'] }));
  t.same(look(), [80], 'root sees the namespace of pid 1');
  t.same(asNobody(look), [81]);
  // But a family that is there and can't be read is not a family without listeners.
  chmodSync(`${root}/1`, 0o755);
  writeFileSync(`${root}/1/net/tcp6`, text(), { mode: 0o400 });
  t.throws(() => asNobody(look), { name: 'UnreadableError', file: `${root}/1/net/tcp6`, code: 'EACCES' });
  t.end();
});

t.test('where nothing can be read, nobody is told that nothing listens', (t) => {
  const root = t.testdir({});
  const error = { name: 'UnreadableError', file: `${root}/net/tcp`, code: 'ENOENT' };
  t.throws(() => readListeners({ root }, { protocols: ['tcp'] }), error);
  t.throws(() => countConnections({ root }, 80), error);
  t.end();
});

t.test("the namespace of a process that has gone has no listeners, and is not replaced by one's own", (t) => {
  const proc = { root: t.testdir({ net: { tcp: text(row(80)) }, 1: { net: { tcp: text(row(80)) } } }) };
  t.same(readListeners(proc, { protocols: ['tcp'], netPid: 7 }), []);
  const hidden = { root: t.testdir({ net: { tcp: text(row(80)) }, 7: { net: { tcp: text(row(81)) } } }) };
  t.same(ports(readListeners(hidden, { protocols: ['tcp'], netPid: 7 })), [81], 'nor where pid 1 is hidden');
  t.same(readListeners(hidden, { protocols: ['tcp'], netPid: 8 }), []);
  t.end();
});

t.test('connections are counted by state, on all rows of both families and one port', (t) => {
  const net = {
    tcp: text(row(80), row(80, { state: '01' }), row(81, { state: '01' }), '', row(80, { state: '06' })),
    tcp6: text(row(80, { state: '01' }), row(80, { state: '0D' })),
  };
  t.same([...countConnections({ root: t.testdir({ 1: { net } }) }, 80)].sort(), [
    ['0D', 1],
    ['ESTABLISHED', 2],
    ['LISTEN', 1],
    ['TIME_WAIT', 1],
  ]);
  t.end();
});

async function listen(t: Test, host: string): Promise<{ server: Server; port: number }> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, host, resolve));
  t.teardown(() => server.close());
  return { server, port: (server.address() as AddressInfo).port };
}

for (const host of ['127.0.0.1', '0.0.0.0', '::1', '::', '::ffff:127.0.0.1']) {
  t.test(`a real listener on ${host} is found under that address`, async (t) => {
    const { port } = await listen(t, host);
    const listeners = readListeners(own, { protocols: ['tcp'], ports: new Set([port]) });
    t.match(listeners, exactly({ address: host, port, uid: process.geteuid?.() ?? -1, inode: Number }));
  });
}

t.test('a real udp socket is found, and is no tcp listener', async (t) => {
  const socket = createSocket('udp4');
  await new Promise<void>((resolve) => socket.bind(0, '127.0.0.1', resolve));
  t.teardown(() => socket.close());
  const { port } = socket.address();
  const wanted = new Set([port]);
  t.match(readListeners(own, { protocols: ['udp'], ports: wanted }), exactly({ protocol: 'udp', port }));
  t.same(readListeners(own, { protocols: ['tcp'], ports: wanted }), []);
});

t.test('three hundred real listeners among three hundred connections are all found', async (t) => {
  const { server, port: busy } = await listen(t, '127.0.0.1');
  const accepted: Socket[] = [];
  server.on('connection', (socket) => accepted.push(socket));
  const clients = Array.from({ length: 300 }, () => connect(busy, '127.0.0.1'));
  await Promise.all(clients.map((client) => new Promise((resolve) => client.once('connect', resolve))));
  t.teardown(() => {
    for (const socket of [...clients, ...accepted]) socket.destroy();
  });
  const made = [];
  for (let index = 0; index < 300; index++) made.push((await listen(t, '127.0.0.1')).port);
  const found = new Set(ports(readListeners(own, { protocols: ['tcp'] })));
  t.same(
    [busy, ...made].filter((port) => !found.has(port)),
    [],
  );
  t.equal(countConnections(own, busy).get('LISTEN'), 1);
  t.ok((countConnections(own, busy).get('ESTABLISHED') ?? 0) >= 300);
});

t.test(
  "a listener in another network namespace is seen through its process, and not among the host's",
  async (t) => {
    if (!needs(t, 'root', 'unshare')) return;
    const script = `require('net').createServer().listen(18091, '0.0.0.0', () => console.log('ready'))`;
    const { pid } = await start(t, 'unshare', ['--net', process.execPath, '-e', script]);
    const query = { protocols: ['tcp'], ports: new Set([18091]) } as const;
    t.match(readListeners(own, { ...query, netPid: pid }), exactly({ address: '0.0.0.0', port: 18091 }));
    t.same(readListeners(own, query), []);
  },
);

const sockstat6: [string, string | undefined, boolean][] = [
  ['none in use', 'TCP6: inuse 0\nUDP6: inuse 2\n', false],
  ['some in use', 'TCP6: inuse 10\nUDP6: inuse 0\n', true],
  ['no word of TCP', 'UDP6: inuse 0\n', true],
  ['no such file', undefined, true],
];
for (const [name, text, read] of sockstat6) {
  t.test(`with ${name} in sockstat6 tcp6 is ${read ? '' : 'not '}read, and udp6 is`, (t) => {
    const row =
      '0: 00000000000000000000000000000000:1F90 00000000000000000000000000000000:0000 0A 0:0 00:0 0 0 0 77';
    const files = { tcp: 'sl\n', tcp6: `sl\n${row}\n`, udp: 'sl\n', udp6: `sl\n${row}\n` };
    const root = t.testdir({ '1': { net: { ...files, ...(text !== undefined && { sockstat6: text }) } } });
    const found = readListeners({ root }, { protocols: ['tcp', 'udp'] });
    t.same(
      found.map(({ protocol, inode }) => `${protocol} ${inode}`),
      read ? ['tcp 77', 'udp 77'] : ['udp 77'],
    );
    t.end();
  });
}

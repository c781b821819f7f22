import t from 'tap';
import { defaultConfig } from '../../src/config/defaults.ts';
import { hostAndPort, isLoopback, wantedSockets } from '../../src/daemon/endpoints.ts';

const config = defaultConfig({ env: {}, uid: 0 });
const withHttp = (http: Partial<typeof config.http>) => ({ http: { ...config.http, ...http } });

t.test('without systemd both configured sockets are wanted, the unix one at each of its places', (t) => {
  t.same(wantedSockets(config, ['/run/a', '/run/b'], []), [
    {
      kind: 'control',
      places: [
        { path: '/run/a', group: 'orphand' },
        { path: '/run/b', group: 'orphand' },
      ],
    },
    { kind: 'http', places: [{ host: '127.0.0.1', port: 9713 }] },
  ]);
  t.end();
});

t.test('what is configured as empty is not opened', (t) => {
  t.same(wantedSockets(withHttp({ listen: '' }), [], []), []);
  t.end();
});

t.test('passed-in sockets replace all configured ones, each with what its name promises', (t) => {
  const passed = [
    { fd: 3, name: 'http' },
    { fd: 4, name: 'control' },
    { fd: 5, name: 'mine.socket' },
  ];
  t.same(wantedSockets(config, ['/run/a'], passed), [
    { kind: 'http', places: [{ fd: 3, via: 'tcp' }] },
    { kind: 'control', places: [{ fd: 4, via: 'unix' }] },
    { kind: 'http', places: [{ fd: 5 }] },
  ]);
  t.end();
});

t.test('only the control socket passed in: no TCP socket is opened beside it', (t) => {
  t.same(wantedSockets(config, ['/run/a'], [{ fd: 3, name: 'control' }]), [
    { kind: 'control', places: [{ fd: 3, via: 'unix' }] },
  ]);
  t.end();
});

const addresses: [listen: string, host: string, port: number, loopback: boolean][] = [
  ['127.0.0.1:9713', '127.0.0.1', 9713, true],
  ['127.8.9.10:1', '127.8.9.10', 1, true],
  ['[::1]:9713', '::1', 9713, true],
  ['localhost:80', 'localhost', 80, true],
  ['0.0.0.0:9713', '0.0.0.0', 9713, false],
  ['[::]:9713', '::', 9713, false],
  ['[::ffff:10.0.0.1]:1', '::ffff:10.0.0.1', 1, false],
  ['10.0.0.1:9713', '10.0.0.1', 9713, false],
  ['127.0.0.1.evil.example:80', '127.0.0.1.evil.example', 80, false],
  ['localhost.evil.example:80', 'localhost.evil.example', 80, false],
];
for (const [listen, host, port, loopback] of addresses) {
  t.test(`${listen} is ${loopback ? 'a loopback address' : 'one that others can reach'}`, (t) => {
    t.same(hostAndPort(listen), { host, port });
    t.equal(isLoopback(host), loopback);
    t.end();
  });
}

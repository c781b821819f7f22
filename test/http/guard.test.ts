import t from 'tap';
import { type Arrival, refusal } from '../../src/http/guard.ts';

const tcp: Arrival = { via: 'tcp', localAddress: '127.0.0.1', localPort: 9713 };
const unix: Arrival = { via: 'unix', localAddress: undefined, localPort: undefined };
const lan: Arrival = { via: 'tcp', localAddress: '192.168.1.5', localPort: 9713 };
const lan6: Arrival = { via: 'tcp', localAddress: 'fd00::5', localPort: 9713 };
const mapped: Arrival = { via: 'tcp', localAddress: '::ffff:192.168.1.5', localPort: 9713 };

const host = (value: string) => ({ host: value });
const own = host('localhost:9713');

const cases: [string, Arrival, Record<string, string>, string | undefined][] = [
  ['localhost with the right port passes', tcp, own, undefined],
  ['127.0.0.1 with the right port passes', tcp, host('127.0.0.1:9713'), undefined],
  ['[::1] with the right port passes', tcp, host('[::1]:9713'), undefined],
  ['a host in capitals is the same host', tcp, host('LOCALHOST:9713'), undefined],
  ['another domain, as after DNS rebinding', tcp, host('evil.com'), 'wrong-host'],
  ['another domain with our port', tcp, host('evil.com:9713'), 'wrong-host'],
  ['a domain that begins like ours', tcp, host('127.0.0.1.evil.com:9713'), 'wrong-host'],
  ['a domain that ends like ours', tcp, host('evil-localhost:9713'), 'wrong-host'],
  ['a subdomain of localhost', tcp, host('evil.localhost:9713'), 'wrong-host'],
  ['localhost with the root dot', tcp, host('localhost.:9713'), 'wrong-host'],
  ['another port', tcp, host('localhost:9999'), 'wrong-host'],
  ['no port where it is not 80', tcp, host('localhost'), 'wrong-host'],
  ['an empty port', tcp, host('localhost:'), 'wrong-host'],
  ['a port with a plus', tcp, host('localhost:+9713'), 'wrong-host'],
  ['a port too long for a port', tcp, host('localhost:0000009713'), 'wrong-host'],
  ['an octal address (CVE-2022-43548)', tcp, host('0177.0.0.1:9713'), 'wrong-host'],
  ['a short address', tcp, host('127.1:9713'), 'wrong-host'],
  ['a decimal address', tcp, host('2130706433:9713'), 'wrong-host'],
  ['another loopback address', tcp, host('127.0.0.2:9713'), 'wrong-host'],
  ['the long form of ::1', tcp, host('[0:0:0:0:0:0:0:1]:9713'), 'wrong-host'],
  ['mapped IPv4', tcp, host('[::ffff:127.0.0.1]:9713'), 'wrong-host'],
  ['user information', tcp, host('localhost:9713@evil.com'), 'wrong-host'],
  ['an empty host', tcp, host(''), 'wrong-host'],
  ['no host at all', tcp, {}, 'wrong-host'],
  ['the name of the unix socket over TCP', tcp, host('orphand:9713'), 'wrong-host'],
  ['the own address without allowRemote', lan, host('192.168.1.5:9713'), 'wrong-host'],

  ['over the unix socket, localhost', unix, host('localhost'), undefined],
  ['over the unix socket, orphand', unix, host('orphand'), undefined],
  ['over a forwarded unix socket, any port of localhost', unix, host('localhost:8080'), undefined],
  ['over the unix socket, another domain', unix, host('evil.com'), 'wrong-host'],
  ['over the unix socket, no host', unix, {}, 'wrong-host'],

  ['the own page as origin', tcp, { ...own, origin: 'http://localhost:9713' }, undefined],
  ['the own page as referer', tcp, { ...own, referer: 'http://localhost:9713/docs/' }, undefined],
  ['a request of the own page', tcp, { ...own, 'sec-fetch-site': 'same-origin' }, undefined],
  ['an address typed in', tcp, { ...own, 'sec-fetch-site': 'none' }, undefined],
  ['a foreign origin', tcp, { ...own, origin: 'http://evil.com' }, 'cross-origin'],
  ['the origin of a sandboxed frame', tcp, { ...own, origin: 'null' }, 'cross-origin'],
  ['another port of this host as origin', tcp, { ...own, origin: 'http://localhost:3000' }, 'cross-origin'],
  ['our host over https as origin', tcp, { ...own, origin: 'https://localhost:9713' }, 'cross-origin'],
  [
    'an origin that begins like ours',
    tcp,
    { ...own, origin: 'http://localhost:9713.evil.com' },
    'cross-origin',
  ],
  ['the other name of this host as origin', tcp, { ...own, origin: 'http://127.0.0.1:9713' }, 'cross-origin'],
  ['a foreign referer', tcp, { ...own, referer: 'http://evil.com/localhost:9713/' }, 'cross-origin'],
  [
    'a referer that begins like ours',
    tcp,
    { ...own, referer: 'http://localhost:9713.evil.com/' },
    'cross-origin',
  ],
  ['a request of another site', tcp, { ...own, 'sec-fetch-site': 'cross-site' }, 'cross-origin'],
  [
    'a request of the same site, another port',
    tcp,
    { ...own, 'sec-fetch-site': 'same-site' },
    'cross-origin',
  ],
  ['a fetch site nobody knows', tcp, { ...own, 'sec-fetch-site': 'friendly' }, 'cross-origin'],
  [
    'a foreign origin over the unix socket',
    unix,
    { host: 'orphand', origin: 'http://evil.com' },
    'cross-origin',
  ],
];

for (const [name, arrival, headers, code] of cases) {
  t.test(name, (t) => {
    t.equal(refusal({ url: '/', headers }, arrival)?.code, code);
    t.end();
  });
}

t.test('only addresses that begin with a slash are taken', (t) => {
  for (const url of ['http://evil.com/', '*', '', 'evil.com:80', undefined]) {
    t.equal(refusal({ url, headers: own }, tcp)?.code, 'bad-url', String(url));
  }
  t.end();
});

t.test('with allowRemote the own address is a host, and configured names', (t) => {
  const code = (arrival: Arrival, value: string, extraNames: string[] = []) =>
    refusal({ url: '/', headers: host(value) }, arrival, { allowRemote: true, extraNames })?.code;
  t.equal(code(lan, '192.168.1.5:9713'), undefined);
  t.equal(code(mapped, '192.168.1.5:9713'), undefined);
  t.equal(code(lan6, '[fd00::5]:9713'), undefined);
  t.equal(code(lan, '192.168.1.6:9713'), 'wrong-host', 'not that of another machine');
  t.equal(code(lan, 'evil.com:9713'), 'wrong-host', 'and still no foreign name');
  t.equal(code(lan, 'ai-host:9713'), 'wrong-host');
  t.equal(code(lan, 'ai-host:9713', ['ai-host']), undefined);
  t.end();
});

t.test('port 80 may be left out', (t) => {
  const arrival: Arrival = { via: 'tcp', localAddress: '127.0.0.1', localPort: 80 };
  t.equal(refusal({ url: '/', headers: host('localhost') }, arrival), undefined);
  t.end();
});

t.test('a Host that passed once on a connection lets no other pass', (t) => {
  const code = (arrival: Arrival, value: string | undefined, more: Record<string, string> = {}) =>
    refusal({ url: '/', headers: { ...(value !== undefined && host(value)), ...more } }, arrival)?.code;
  for (const [arrival, good, bad] of [
    [{ ...tcp }, 'localhost:9713', 'orphand'],
    [{ ...unix }, 'orphand', 'orphand.evil.com'],
  ] as const) {
    t.equal(code(arrival, bad), 'wrong-host');
    t.equal(code(arrival, bad), 'wrong-host', 'nor does one that was refused before');
    t.equal(code(arrival, good), undefined);
    t.equal(code(arrival, bad), 'wrong-host');
    t.equal(code(arrival, undefined), 'wrong-host');
    t.equal(code(arrival, ''), 'wrong-host');
    t.equal(code(arrival, good.toUpperCase()), undefined);
    t.equal(code(arrival, good, { origin: 'http://evil.com' }), 'cross-origin', 'and the rest is looked at');
  }
  t.equal(code({ ...unix }, undefined), 'wrong-host', 'no Host is not the Host that nobody has said yet');
  t.end();
});

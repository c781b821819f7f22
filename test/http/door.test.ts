import { connect, type Socket } from 'node:net';
import t from 'tap';
import { ask, goodToken, sendRaw, serve } from '../helpers/http-client.ts';

const problem = /content-type: application\/problem\+json/i;

/** What comes back, or `late`: node's own 30 s and 60 s are no answer here. */
function soon(answer: Promise<string>): Promise<string> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<string>((resolve) => {
    timer = setTimeout(resolve, 20_000, 'late');
  });
  return Promise.race([answer, late]).finally(() => {
    clearTimeout(timer);
  });
}

t.test('a slow request is closed with 408, wherever it stalls', async (t) => {
  const slowHeaders = { headersTimeoutMs: 300, requestTimeoutMs: 600_000, checkIntervalMs: 50 };
  const slowBody = { headersTimeoutMs: 400, requestTimeoutMs: 400, checkIntervalMs: 50 };
  const { port: one } = await serve(t, { limits: slowHeaders });
  const { port: other } = await serve(t, { limits: slowBody });
  const stalls: [string, number, string][] = [
    ['within the request line', one, 'GET /heal'],
    ['within the headers', one, `GET /healthz HTTP/1.1\r\nhost: 127.0.0.1:${one}\r\n`],
    [
      'within the body',
      other,
      `POST /api/v1/cleanups HTTP/1.1\r\nhost: 127.0.0.1:${other}\r\nauthorization: Bearer ${goodToken}\r\n` +
        'content-type: application/json\r\ncontent-length: 15\r\n\r\n{"dry',
    ],
  ];
  for (const [name, port, text] of stalls) {
    const answer = await soon(sendRaw(port, text));
    t.match(answer, /^HTTP\/1\.1 408 /, name);
    t.match(answer, problem);
    t.match(answer, /"code":"request-timeout"/);
  }
  t.match(await soon(sendRaw(one, '')), /^HTTP\/1\.1 408 |^$/, 'and one that says nothing at all');
});

t.test('what is no HTTP, too much, or smuggled is refused', async (t) => {
  const { port } = await serve(t);
  const host = `host: 127.0.0.1:${port}\r\n`;
  const cases: [string, string, RegExp][] = [
    ['noise', 'hello\r\n\r\n', /^HTTP\/1\.1 400 /],
    ['headers beyond 8 KiB', `GET / HTTP/1.1\r\n${host}x: ${'y'.repeat(9_000)}\r\n\r\n`, /^HTTP\/1\.1 431 /],
    [
      'a length twice',
      `POST /api/v1/scans HTTP/1.1\r\n${host}content-length: 3\r\ncontent-length: 5\r\n\r\nabc`,
      /^HTTP\/1\.1 400 /,
    ],
    [
      'length and chunks',
      `POST /api/v1/scans HTTP/1.1\r\n${host}content-length: 3\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n`,
      /^HTTP\/1\.1 400 /,
    ],
    ['a folded header', `GET / HTTP/1.1\r\n${host}x: y\r\n z\r\nx\r\n\r\n`, /^HTTP\/1\.1 400 /],
    ['no host in HTTP/1.1', 'GET /healthz HTTP/1.1\r\n\r\n', /^HTTP\/1\.1 421 /],
    ['no host in HTTP/1.0', 'GET /healthz HTTP/1.0\r\n\r\n', /^HTTP\/1\.1 421 /],
    ['the host in the address', `GET http://evil.com/ HTTP/1.1\r\n${host}\r\n`, /^HTTP\/1\.1 400 /],
    ['a tunnel', `CONNECT evil.com:443 HTTP/1.1\r\n${host}\r\n`, /^$/],
    ['a path that is no text', `GET /api/v1/ports/%ff HTTP/1.1\r\n${host}\r\n`, /^HTTP\/1\.1 400 /],
  ];
  for (const [name, text, expected] of cases) {
    const answer = await sendRaw(port, text.replace(/\r\n\r\n/, '\r\nconnection: close\r\n\r\n'));
    t.match(answer, expected, name);
    if (answer !== '') {
      t.match(answer, problem, name);
      t.match(answer, /x-content-type-options: nosniff/i, name);
    }
  }
  t.equal((await ask({ to: port })).status, 200, 'and it goes on serving');
});

t.test(
  'the wrong host and another site are refused before routing, 404 included, on both sockets',
  async (t) => {
    const { port, socket, engine } = await serve(t);
    const evil = { origin: 'http://evil.com' };
    for (const to of [port, socket]) {
      for (const path of ['/', '/healthz', '/metrics', '/api/v1/scan', '/docs/', '/nothing']) {
        const host = await ask({ to, path, headers: { host: 'evil.com' } });
        t.match(host, { status: 421, json: { code: 'wrong-host' } });
        t.match(await ask({ to, path, headers: evil }), { status: 403, json: { code: 'cross-origin' } });
      }
    }
    const body = JSON.stringify({ dryRun: false });
    const json = { 'content-type': 'application/json', authorization: `Bearer ${goodToken}` };
    const mutation = { method: 'POST', path: '/api/v1/cleanups', body };
    t.equal(
      (await ask({ to: port, ...mutation, headers: { ...json, ...evil } })).status,
      403,
      'the token does not help',
    );
    t.equal(
      (await ask({ to: port, ...mutation, headers: { ...json, 'sec-fetch-site': 'same-site' } })).status,
      403,
    );
    t.same(engine.asked, []);
  },
);

t.test('nothing allows another site to read: no CORS header, OPTIONS included', async (t) => {
  const { port } = await serve(t);
  const preflight = {
    'access-control-request-method': 'POST',
    'access-control-request-headers': 'authorization',
  };
  const answers = [
    await ask({ to: port, method: 'OPTIONS', path: '/api/v1/cleanups', headers: preflight }),
    await ask({
      to: port,
      method: 'OPTIONS',
      path: '/api/v1/cleanups',
      headers: { ...preflight, origin: 'http://evil.com' },
    }),
    await ask({ to: port, path: '/api/v1/scan', headers: { origin: `http://127.0.0.1:${port}` } }),
  ];
  t.same(
    answers.map(({ status }) => status),
    [405, 403, 200],
  );
  for (const { headers } of answers) {
    t.same(
      Object.keys(headers).filter((name) => name.startsWith('access-control')),
      [],
    );
  }
});

t.test('every answer is nosniff, no-store, not to be framed, and may load nothing', async (t) => {
  const { port, socket } = await serve(t);
  const asks = [
    { path: '/healthz' },
    { path: '/metrics' },
    { path: '/api/v1/status' },
    { path: '/api/v1/status', method: 'HEAD' },
    { path: '/docs/' },
    { path: '/' },
    { path: '/api/v1/scan' },
    { path: '/nothing' },
    { path: '/api/v1/ports/x' },
    { path: '/api/v1/scans', method: 'POST' },
    { path: '/', headers: { host: 'evil.com' } },
    { path: '/', headers: { origin: 'null' } },
  ];
  for (const to of [port, socket]) {
    for (const what of asks) {
      const { headers } = await ask({ to, ...what });
      const name = `${what.path} ${what.method ?? ''}`;
      t.equal(headers['x-content-type-options'], 'nosniff', name);
      t.equal(headers['cache-control'], 'no-store', name);
      t.equal(headers['x-frame-options'], 'DENY', name);
      t.match(headers['content-security-policy'], /^default-src 'none';.*frame-ancestors 'none'/, name);
      t.equal(headers['referrer-policy'], 'same-origin', name);
      t.notOk('x-powered-by' in headers || 'server' in headers, name);
    }
  }
});

t.test('more connections than allowed are closed at once', async (t) => {
  const { port } = await serve(t, {
    limits: { maxConnections: 3, headersTimeoutMs: 60_000, requestTimeoutMs: 60_000 },
  });
  const open = () =>
    new Promise<Socket>((resolve) => {
      const socket = connect({ host: '127.0.0.1', port }, () => {
        resolve(socket);
      });
    });
  const held = [await open(), await open(), await open()];
  // A round trip, so that all three are accepted.
  held[0]!.write(`GET /healthz HTTP/1.1\r\nhost: 127.0.0.1:${port}\r\n\r\n`);
  await new Promise((resolve) => held[0]!.once('data', resolve));
  const request = `GET /healthz HTTP/1.1\r\nhost: 127.0.0.1:${port}\r\nconnection: close\r\n\r\n`;
  t.equal(await sendRaw(port, request), '', 'the fourth gets no answer');
  held[1]!.destroy();
  for (const socket of held) socket.destroy();
  const again = async (): Promise<number> => {
    try {
      return (await ask({ to: port })).status;
    } catch {
      return again();
    }
  };
  t.equal(await again(), 200, 'and room that was freed is used');
});

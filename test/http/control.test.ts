import { spawn } from 'node:child_process';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { pino } from 'pino';
import t from 'tap';
import { fakeEngine } from '../helpers/fake-engine.ts';
import { ask, goodToken, serve } from '../helpers/http-client.ts';
import { needs } from '../helpers/needs.ts';
import { mixedReport } from '../helpers/sample-report.ts';
import { exactly } from '../helpers/exactly.ts';

const post = { method: 'POST', path: '/api/v1/scans' };
const bearer = (token: string) => ({ authorization: `Bearer ${token}` });

t.test('over TCP, control needs the token', async (t) => {
  const { port } = await serve(t, { limits: { failuresPerMinute: 100 } });
  t.match(await ask({ to: port, ...post }), {
    status: 401,
    headers: { 'www-authenticate': 'Bearer' },
    json: { code: 'token-required' },
  });
  const wrong = [
    bearer('wrong'),
    bearer(''),
    bearer(goodToken.toLowerCase()),
    bearer(`${goodToken}A`),
    bearer(`${goodToken} ${goodToken}`),
    { authorization: goodToken },
    { authorization: `Basic ${Buffer.from(`:${goodToken}`).toString('base64')}` },
    { authorization: '' },
  ];
  for (const headers of wrong) {
    const answer = await ask({ to: port, ...post, headers });
    t.match(answer, { status: 401, json: { code: 'token-invalid' } }, headers.authorization);
    t.match(answer.headers['www-authenticate'], /^Bearer/);
  }
  t.equal((await ask({ to: port, ...post, headers: bearer(goodToken) })).status, 200);
  t.equal((await ask({ to: port, ...post, headers: { authorization: `bearer ${goodToken}` } })).status, 200);
});

t.test('a token in the address or in a cookie is none', async (t) => {
  const { port } = await serve(t);
  const inUrl = await ask({
    to: port,
    ...post,
    path: `/api/v1/scans?token=${goodToken}&access_token=${goodToken}`,
  });
  t.equal(inUrl.status, 401);
  t.equal((await ask({ to: port, ...post, headers: { cookie: `token=${goodToken}` } })).status, 401);
});

t.test('without a configured token TCP never controls', async (t) => {
  const { port } = await serve(t, { access: { group: '', token: undefined } });
  t.equal((await ask({ to: port, ...post })).status, 401);
  for (const token of ['', 'undefined', 'null', goodToken]) {
    t.equal((await ask({ to: port, ...post, headers: bearer(token) })).status, 401, token);
  }
});

t.test('reading needs neither', async (t) => {
  const { port, socket } = await serve(t);
  for (const to of [port, socket]) t.equal((await ask({ to, path: '/api/v1/scan' })).status, 200);
});

t.test('over the unix socket the kernel says who asks', async (t) => {
  const { socket } = await serve(t);
  t.equal((await ask({ to: socket, ...post })).status, 200, 'the own user');
  t.equal(
    (await ask({ to: socket, ...post, headers: bearer('wrong') })).status,
    401,
    'a wrong token is not overlooked',
  );
});

t.test('a stranger on the unix socket reads and does not control, a member of the group does', async (t) => {
  if (!needs(t, 'root')) return;
  const directory = mkdtempSync(join(tmpdir(), 'orphand-accounts-'));
  t.teardown(() => {
    rmSync(directory, { recursive: true, force: true });
  });
  const accounts = { passwd: join(directory, 'passwd'), group: join(directory, 'group') };
  writeFileSync(accounts.passwd, 'alice:x:61000:61000::/:/bin/sh\n');
  writeFileSync(accounts.group, 'ops:x:61900:alice\n');
  const { socket } = await serve(t, { access: { group: 'ops', token: undefined, ownUid: 62000, accounts } });
  // As if somebody had opened the file to everyone: the mode is the first door, not the only one.
  chmodSync(dirname(socket), 0o755);
  chmodSync(socket, 0o777);
  // Without tap's environment, which makes a child write where another user may not.
  const as = (uid: number, gid: number, method = 'POST', path = '/api/v1/scans') =>
    new Promise<string>((resolve) => {
      const script = `require('http').request({socketPath:process.argv[1],method:'${method}',path:'${path}',headers:{host:'localhost'}},
        (response)=>{response.resume();console.log(response.statusCode)}).end()`;
      const child = spawn('env', ['-i', process.execPath, '-e', script, socket], { uid, gid, cwd: '/' });
      let out = '';
      for (const stream of [child.stdout, child.stderr])
        stream.on('data', (chunk: Buffer) => (out += chunk.toString()));
      child.on('close', () => {
        resolve(out.trim());
      });
    });
  t.equal(await as(61001, 61001), '403', 'a stranger');
  t.equal(await as(61001, 61001, 'GET', '/api/v1/scan'), '200', 'who may read');
  t.equal(await as(61000, 61000), '200', 'a member by name');
  t.equal(await as(61002, 61900), '200', 'a member by primary group');
  t.equal(await as(62000, 62000), '200', 'the user of the daemon');
  t.equal(await as(0, 0), '200', 'root');
});

t.test('a connection whose peer the kernel does not name is nobody', async (t) => {
  const { socket } = await serve(t, { credentials: () => undefined });
  t.match(await ask({ to: socket, ...post }), { status: 403, json: { code: 'peer-not-allowed' } });
  t.equal((await ask({ to: socket, ...post, headers: bearer(goodToken) })).status, 200, 'the token still is');
});

t.test('what comes through no socket is nobody', async (t) => {
  const { side } = await serve(t);
  t.equal((await side.app.inject({ method: 'POST', url: '/api/v1/scans' })).statusCode, 401);
});

t.test('failed attempts are limited, and never lock out who has the token', async (t) => {
  const { port } = await serve(t, { limits: { failuresPerMinute: 3, controlPerMinute: 2 } });
  const statuses: number[] = [];
  for (let index = 0; index < 5; index += 1) {
    statuses.push((await ask({ to: port, ...post, headers: bearer(`guess${index}`) })).status);
  }
  t.same(statuses, [401, 401, 401, 429, 429]);
  const limited = await ask({ to: port, ...post, headers: bearer('guess') });
  t.match(limited, { status: 429, json: { code: 'rate-limited' } });
  t.ok(Number(limited.headers['retry-after']) > 0);
  t.equal(
    (await ask({ to: port, path: '/', headers: bearer('guess') })).status,
    429,
    'the page is no way around it',
  );
  t.equal((await ask({ to: port, ...post, headers: bearer(goodToken) })).status, 200);
});

t.test('control is limited, and so is everything', async (t) => {
  const { port } = await serve(t, { limits: { controlPerMinute: 2, requestsPerMinute: 4 } });
  const control = [];
  for (let index = 0; index < 3; index += 1) {
    control.push((await ask({ to: port, ...post, headers: bearer(goodToken) })).status);
  }
  t.same(control, [200, 200, 429]);
  const reads = [];
  for (const path of ['/healthz', '/metrics', '/nothing', '/', '/api/v1/status', '/nothing']) {
    reads.push(await ask({ to: port, path }));
  }
  t.same(
    reads.map(({ status }) => status),
    [200, 200, 404, 200, 429, 429],
  );
  t.match(reads.at(-1), { json: { code: 'rate-limited' }, headers: { 'content-type': /problem\+json/ } });
});

t.test('a HEAD counts once, as any request does', async (t) => {
  const { port } = await serve(t, { limits: { requestsPerMinute: 3 } });
  const statuses = [];
  for (const path of ['/healthz', '/api/v1/status', '/docs/', '/healthz'])
    statuses.push((await ask({ to: port, path, method: 'HEAD' })).status);
  t.same(statuses, [200, 200, 200, 429]);
});

t.test('whoever asks for control is in the log, readers only where it is detailed', async (t) => {
  const lines: string[] = [];
  const log = pino({ level: 'info' }, { write: (line: string) => lines.push(line) });
  const { port, socket } = await serve(t, { log });
  const answered = async (to: number | string, path: string, method: string) => {
    lines.length = 0;
    await ask({ to, path, method });
    // Written when the connection has been told, which its other end may see first.
    await ask({ to, path: '/healthz' });
    return lines
      .map((line) => JSON.parse(line) as Record<string, unknown>)
      .filter(({ msg, path: of }) => msg === 'request answered' && of === path);
  };
  t.same(await answered(port, '/api/v1/status', 'GET'), []);
  const control = { level: 30, method: 'POST', path: '/api/v1/scans' };
  t.match(
    await answered(port, '/api/v1/scans', 'POST'),
    exactly({ ...control, status: 401, caller: '127.0.0.1' }),
  );
  t.match(
    await answered(socket, '/api/v1/scans', 'POST'),
    exactly({ ...control, status: 200, caller: `uid ${process.geteuid?.()}, pid ${process.pid}` }),
  );
  // As a reload of the configuration does.
  log.level = 'debug';
  t.match(
    await answered(port, '/api/v1/status', 'GET'),
    exactly({ level: 20, method: 'GET', path: '/api/v1/status', status: 200, caller: '127.0.0.1' }),
  );
});

t.test('why a scan or a route failed is in the log, and only there', async (t) => {
  const lines: string[] = [];
  const log = pino({ level: 'info' }, { write: (line: string) => lines.push(line) });
  const engine = fakeEngine(mixedReport());
  const { socket } = await serve(t, { log, engine });
  engine.state.scan = () => Promise.reject(new Error('no disk'));
  engine.cleanups = () => {
    throw new Error('a bug');
  };
  const scan = await ask({ to: socket, ...post });
  const list = await ask({ to: socket, path: '/api/v1/cleanups' });
  t.match(scan, { status: 500, json: { code: 'scan-failed' } });
  t.match(list, { status: 500, json: { code: 'internal' } });
  t.notMatch(scan.body + list.body, /no disk|a bug/);
  const logged = lines.map((line) => JSON.parse(line) as Record<string, unknown>);
  t.match(
    logged.filter(({ level }) => level === 50),
    exactly(
      { msg: 'requested scan failed', err: { message: 'no disk' } },
      { msg: 'request failed', err: { message: 'a bug' } },
    ),
  );
});

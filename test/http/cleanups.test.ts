import t from 'tap';
import type { CleanReport } from '../../src/model.ts';
import { ask, goodToken, serve } from '../helpers/http-client.ts';
import { fakeEngine, sampleCleanReport, sampleEntry } from '../helpers/fake-engine.ts';
import { mixedReport } from '../helpers/sample-report.ts';
import { exactly } from '../helpers/exactly.ts';

const json = { 'content-type': 'application/json', authorization: `Bearer ${goodToken}` };
const post = { method: 'POST', path: '/api/v1/cleanups', headers: json };

t.test('a body that does not say exactly what to do is refused, and nothing is started', async (t) => {
  const { port, engine } = await serve(t, { limits: { controlPerMinute: 1_000 } });
  const refused: [string, string, number, string][] = [
    ['no dryRun: nothing is ended by leaving a word out', '{}', 400, 'invalid-request'],
    ['dryRun as text', '{"dryRun":"false"}', 400, 'invalid-request'],
    ['dryRun as a number', '{"dryRun":0}', 400, 'invalid-request'],
    ['dryRun as null', '{"dryRun":null}', 400, 'invalid-request'],
    ['a port as text', '{"dryRun":false,"ports":["8091"]}', 400, 'invalid-request'],
    ['one port instead of a list', '{"dryRun":false,"ports":8091}', 400, 'invalid-request'],
    ['an empty list, which might be taken for all', '{"dryRun":false,"ports":[]}', 400, 'invalid-request'],
    ['a port twice', '{"dryRun":false,"ports":[8091,8091]}', 400, 'invalid-request'],
    ['port 0', '{"dryRun":false,"ports":[0]}', 400, 'invalid-request'],
    ['port 70000', '{"dryRun":false,"ports":[70000]}', 400, 'invalid-request'],
    ['half a port', '{"dryRun":false,"ports":[8091.5]}', 400, 'invalid-request'],
    ['a pid: it never takes one', '{"dryRun":false,"pid":1}', 400, 'invalid-request'],
    ['pids', '{"dryRun":false,"pids":[1]}', 400, 'invalid-request'],
    ['force', '{"dryRun":false,"force":true}', 400, 'invalid-request'],
    ['suspects as a word', '{"dryRun":false,"suspects":"yes"}', 400, 'invalid-request'],
    ['a prototype', '{"dryRun":false,"__proto__":{"suspects":true}}', 400, 'bad-request'],
    ['a constructor', '{"dryRun":false,"constructor":{"prototype":{"suspects":true}}}', 400, 'bad-request'],
    ['a list', '[]', 400, 'invalid-request'],
    ['null', 'null', 400, 'invalid-request'],
    ['half a body', '{"dryRun":', 400, 'bad-request'],
    ['no body', '', 400, 'bad-request'],
    ['8 KiB', JSON.stringify({ dryRun: false, pad: 'x'.repeat(8_192) }), 413, 'body-too-large'],
    ['a port that is not watched', '{"dryRun":false,"ports":[8091,22]}', 404, 'port-not-watched'],
  ];
  for (const [name, body, status, code] of refused) {
    const answer = await ask({ to: port, ...post, body });
    t.match(answer, { status, json: { code, status } }, name);
    t.match(answer.headers['content-type'], /^application\/problem\+json/, name);
  }
  t.same(engine.asked, []);
});

t.test('what did not fit is named', async (t) => {
  const { port } = await serve(t);
  const { json: body } = await ask({ to: port, ...post, body: '{"dryRun":false,"pid":1}' });
  t.same(body['errors'], [{ path: '/body', message: 'must NOT have additional properties (pid)' }]);
});

t.test('only application/json is taken', async (t) => {
  const { port, engine } = await serve(t, { limits: { controlPerMinute: 100 } });
  const types = [
    'text/plain',
    'application/x-www-form-urlencoded',
    'multipart/form-data; boundary=x',
    'application/jsonp',
    'text/plain; application/json',
    'application/json-patch+json',
    '',
  ];
  for (const path of ['/api/v1/cleanups', '/api/v1/scans']) {
    for (const type of types) {
      const headers = { ...json, 'content-type': type };
      const answer = await ask({ to: port, method: 'POST', path, headers, body: '{"dryRun":false}' });
      t.match(answer, { status: 415, json: { code: 'unsupported-media-type' } }, `${path} ${type}`);
    }
  }
  t.equal(
    (await ask({ to: port, ...post, path: '/api/v1/scans', body: '{}' })).status,
    400,
    'a scan takes no body',
  );
  t.same(engine.asked, []);
});

t.test('a clean-up answers with its report, and passes on exactly what was asked', async (t) => {
  const engine = fakeEngine(mixedReport());
  const report = sampleCleanReport(mixedReport());
  engine.state.start = () => ({ started: true, id: report.id, done: Promise.resolve(report) });
  const { port, socket } = await serve(t, { engine });
  const answer = await ask({
    to: port,
    ...post,
    body: '{"dryRun":false,"suspects":true,"ports":[8091,3001]}',
  });
  t.equal(answer.status, 201);
  t.equal(answer.headers.location, '/api/v1/cleanups/01JZ8C4T');
  t.same(answer.json, report);
  const type = { 'content-type': 'application/json; charset=utf-8' };
  await ask({ to: socket, ...post, headers: type, body: '{"dryRun":true}' });
  t.match(
    engine.asked,
    exactly(
      { dryRun: false, suspects: true, ports: exactly(8091, 3001), by: 'token, 127.0.0.1' },
      {
        dryRun: true,
        suspects: false,
        ports: undefined,
        by: `uid ${process.geteuid?.()}, pid ${process.pid}`,
      },
    ),
  );
});

t.test('one that can not start says why', async (t) => {
  const engine = fakeEngine(mixedReport());
  const { port } = await serve(t, { engine });
  const body = '{"dryRun":false}';
  engine.state.start = () => ({ started: false, reason: 'running', id: '01JZRUNS' });
  t.match(await ask({ to: port, ...post, body }), {
    status: 409,
    json: { code: 'cleanup-running', runningId: '01JZRUNS' },
  });
  engine.state.start = () => ({ started: false, reason: 'locked' });
  t.match(await ask({ to: port, ...post, body }), { status: 409, json: { code: 'cleanup-locked' } });
  engine.state.start = () => ({ started: false, reason: 'stopping' });
  t.match(await ask({ to: port, ...post, body }), {
    status: 503,
    json: { code: 'stopping' },
    headers: { 'retry-after': '5' },
  });
});

t.test('a failure inside is told without its text, which is for the log', async (t) => {
  const engine = fakeEngine(mixedReport());
  const { port } = await serve(t, { engine });
  engine.state.start = () => ({
    started: true,
    id: 'X',
    done: Promise.reject(new Error('secret of /root/x')),
  });
  const cleanup = await ask({ to: port, ...post, body: '{"dryRun":false}' });
  t.match(cleanup, { status: 500, json: { code: 'cleanup-failed' } });
  engine.state.start = () => {
    throw new Error('secret of /root/x');
  };
  const bug = await ask({ to: port, ...post, body: '{"dryRun":false}' });
  t.match(bug, { status: 500, json: { code: 'internal' } });
  engine.state.scan = () => Promise.reject(new Error('secret of /root/x'));
  const scan = await ask({
    to: port,
    ...post,
    path: '/api/v1/scans',
    headers: { authorization: json.authorization },
  });
  t.match(scan, { status: 500, json: { code: 'scan-failed' } });
  for (const { body } of [cleanup, bug, scan]) t.notMatch(body, /secret/);
});

t.test('a client that goes away does not stop a clean-up', async (t) => {
  const engine = fakeEngine(mixedReport());
  let finish: (report: CleanReport) => void = () => undefined;
  const done = new Promise<CleanReport>((resolve) => (finish = resolve));
  const started = new Promise<void>((resolve) => {
    engine.state.start = () => {
      resolve();
      return { started: true, id: 'X', done };
    };
  });
  const { port } = await serve(t, { engine });
  const { request } = await import('node:http');
  const leaving = request({
    host: '127.0.0.1',
    port,
    method: 'POST',
    path: '/api/v1/cleanups',
    headers: { ...json, host: `127.0.0.1:${port}` },
  });
  leaving.on('error', () => undefined);
  leaving.end('{"dryRun":false}');
  await started;
  leaving.destroy();
  finish(sampleCleanReport(mixedReport()));
  t.same(await done, sampleCleanReport(mixedReport()));
  t.equal((await ask({ to: port })).status, 200);
});

t.test('clean-ups are listed, and each found by its id', async (t) => {
  const engine = fakeEngine(mixedReport());
  const report = sampleCleanReport(mixedReport());
  const running = sampleEntry({ id: 'RUNS', state: 'running', finishedAt: null, ok: null });
  const old = sampleEntry({ id: 'OLD', state: 'interrupted', finishedAt: null, ok: null });
  engine.state.cleanups = [running, sampleEntry(), old];
  engine.state.reports.set(report.id, report);
  const { port } = await serve(t, { engine });
  const get = (path: string) => ask({ to: port, path: `/api/v1/cleanups${path}` });
  t.same((await get('')).json, { cleanups: [running, sampleEntry(), old] });
  t.same((await get('/01JZ8C4T')).json, report);
  t.match(await get('/RUNS'), { status: 202, json: running, headers: { 'retry-after': '1' } });
  t.match(await get('/OLD'), { status: 404, json: { code: 'cleanup-report-not-kept' } });
  t.match(await get('/NONE'), { status: 404, json: { code: 'cleanup-not-found' } });
  t.match(await get('/..%2f..%2fetc'), { status: 400, json: { code: 'invalid-request' } });
});

t.test('a scan on request answers with the fresh report', async (t) => {
  const engine = fakeEngine();
  engine.state.scan = () => Promise.resolve(mixedReport());
  const { socket } = await serve(t, { engine });
  const answer = await ask({ to: socket, method: 'POST', path: '/api/v1/scans' });
  t.equal(answer.status, 200);
  t.same(answer.json, mixedReport());
});

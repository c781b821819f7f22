import t from 'tap';
import { fakeEngine, sampleStatus } from '../helpers/fake-engine.ts';
import { ask, serve } from '../helpers/http-client.ts';
import { mixedReport, sampleReport } from '../helpers/sample-report.ts';
import { exactly } from '../helpers/exactly.ts';

t.test('the scan is the report itself, with its age', async (t) => {
  const { port } = await serve(t);
  const answer = await ask({ to: port, path: '/api/v1/scan' });
  t.same(answer.json, mixedReport());
  t.same(Object.keys(answer.json), Object.keys(mixedReport()), 'in the same order');
  t.equal(answer.headers['age'], '3');
});

t.test('the status is what the daemon says', async (t) => {
  const engine = fakeEngine(mixedReport());
  const { port } = await serve(t, { engine, limits: { freshMs: 60_000 } });
  t.same((await ask({ to: port, path: '/api/v1/status' })).json, sampleStatus(mixedReport()));
  engine.state.status = sampleStatus(undefined, { host: null });
  t.same(
    (await ask({ to: port, path: '/api/v1/status' })).json['host'],
    sampleStatus(undefined).host,
    'kept a while',
  );
  engine.emit({ type: 'supervisor-death', pid: 7, comm: 'conmon' });
  t.same((await ask({ to: port, path: '/api/v1/status' })).json, sampleStatus(undefined, { host: null }));
});

t.test('before the first sweep: 503 that says so; status and page answer', async (t) => {
  const { port } = await serve(t, { engine: fakeEngine() });
  for (const path of ['scan', 'ports', 'ports/8091', 'processes', 'processes/1']) {
    t.match(await ask({ to: port, path: `/api/v1/${path}` }), {
      status: 503,
      json: { code: 'no-report' },
      headers: { 'retry-after': '1' },
    });
  }
  t.match(await ask({ to: port, path: '/readyz' }), { status: 503, json: { code: 'not-ready' } });
  for (const path of ['/api/v1/status', '/', '/metrics', '/healthz']) {
    t.equal((await ask({ to: port, path })).status, 200, path);
  }
});

t.test('health fails when the sweeps do, with the reason', async (t) => {
  const engine = fakeEngine(mixedReport());
  const { port } = await serve(t, { engine });
  t.match(await ask({ to: port, path: '/healthz' }), { status: 200, json: { status: 'ok' } });
  t.match(await ask({ to: port, path: '/readyz' }), { status: 200, json: { status: 'ok' } });
  engine.state.status = sampleStatus(mixedReport(), {
    healthy: false,
    problem: 'no sweep finished for 60 s',
  });
  t.match(await ask({ to: port, path: '/healthz' }), {
    status: 503,
    json: { code: 'unhealthy', detail: 'no sweep finished for 60 s' },
  });
  t.equal((await ask({ to: port, path: '/readyz' })).status, 200);
});

t.test('ports, one port with its holders, processes, one process', async (t) => {
  const { port } = await serve(t);
  const report = mixedReport();
  const get = async (path: string) => (await ask({ to: port, path: `/api/v1/${path}` })).json;
  t.same(await get('ports'), { takenAt: report.takenAt, ports: report.ports });
  t.same(await get('ports/8091'), {
    takenAt: report.takenAt,
    ports: [report.ports[0]],
    processes: [report.processes[0]],
  });
  t.match(await get('ports/8094'), { ports: exactly({ state: 'free' }), processes: exactly() });
  t.same(await get('processes'), { takenAt: report.takenAt, processes: report.processes });
  const orphans = await get('processes?verdict=orphan');
  t.same(
    orphans['processes'],
    report.processes.filter(({ verdict }) => verdict === 'orphan'),
  );
  t.same(await get('processes/95306'), report.processes[1]);
});

t.test('a port that is watched on both protocols has two entries', async (t) => {
  const report = sampleReport([]);
  report.ports.push({ ...report.ports[0]!, protocol: 'udp' });
  const { port } = await serve(t, { engine: fakeEngine(report) });
  t.match(await ask({ to: port, path: '/api/v1/ports/8091' }), {
    json: { ports: exactly({ protocol: 'tcp' }, { protocol: 'udp' }) },
  });
});

t.test('odd addresses are answered with a problem, never with a guess', async (t) => {
  const { port } = await serve(t);
  const cases: [string, number, string][] = [
    ['/api/v1/ports/22', 404, 'port-not-watched'],
    ['/api/v1/ports/65536', 404, 'port-not-watched'],
    ['/api/v1/ports/08091', 400, 'invalid-request'],
    ['/api/v1/ports/8091.0', 400, 'invalid-request'],
    ['/api/v1/ports/0x1f9b', 400, 'invalid-request'],
    ['/api/v1/ports/+8091', 400, 'invalid-request'],
    ['/api/v1/ports/8091%0a', 400, 'invalid-request'],
    ['/api/v1/ports/-1', 400, 'invalid-request'],
    ['/api/v1/processes/1', 404, 'process-not-found'],
    ['/api/v1/processes/self', 400, 'invalid-request'],
    ['/api/v1/processes/99999999999', 400, 'invalid-request'],
    ['/api/v1/processes?verdict=zombie', 400, 'invalid-request'],
    ['/api/v1/processes?verdict=orphan&verdict=host', 400, 'invalid-request'],
    ['/api/v1/processes?all=1', 400, 'invalid-request'],
    ['/api/v1/nothing', 404, 'not-found'],
    ['/api/v1/scan/', 404, 'not-found'],
    ['/API/v1/scan', 404, 'not-found'],
    ['//api/v1/scan', 404, 'not-found'],
    ['/api/v1/../v1/scan', 404, 'not-found'],
    ['/docs/static/..%2f..%2fpackage.json', 404, 'not-found'],
    [`/api/v1/ports/${'9'.repeat(200)}`, 414, 'url-too-long'],
    ['/api/v1/ports/%zz', 400, 'bad-url'],
  ];
  for (const [path, status, code] of cases) {
    t.match(await ask({ to: port, path }), { status, json: { code, status } }, path);
  }
});

t.test('a method that an address does not take is 405 with those that it does', async (t) => {
  const { port } = await serve(t);
  const cases: [string, string, string][] = [
    ['DELETE', '/api/v1/scan', 'GET, HEAD'],
    ['GET', '/api/v1/scans', 'POST'],
    ['PUT', '/api/v1/cleanups', 'GET, HEAD, POST'],
    ['POST', '/api/v1/ports/8091', 'GET, HEAD'],
    ['HEAD', '/api/v1/events', 'GET'],
    ['POST', '/', 'GET, HEAD'],
    ['OPTIONS', '/metrics', 'GET, HEAD'],
    ['TRACE', '/healthz', 'GET, HEAD'],
  ];
  for (const [method, path, allow] of cases) {
    const answer = await ask({ to: port, method, path });
    t.match(answer, { status: 405, headers: { allow } }, `${method} ${path}`);
  }
  t.match(await ask({ to: port, method: 'HEAD', path: '/api/v1/scan' }), { status: 200, body: '' });
});

t.test('a bug in the daemon is one 500, told without its text', async (t) => {
  const engine = fakeEngine(mixedReport());
  const { port } = await serve(t, { engine });
  engine.lastReport = () => {
    throw new Error('secret of /root/x');
  };
  const answer = await ask({ to: port, path: '/api/v1/scan' });
  t.match(answer, { status: 500, json: { code: 'internal' } });
  t.notMatch(answer.body, /secret/);
});

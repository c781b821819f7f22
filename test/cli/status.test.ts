import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import type { Status } from '../../src/http/engine.ts';
import { durationText, statusText } from '../../src/cli/status-text.ts';
import { sampleStatus } from '../helpers/fake-engine.ts';
import { startDaemon } from '../helpers/daemon.ts';
import { mixedReport, sampleReport } from '../helpers/sample-report.ts';
import { serve } from '../helpers/http-client.ts';
import { fakeEngine } from '../helpers/fake-engine.ts';
import { run } from './program.ts';

/** A configuration file whose daemon is to be at these places. */
function configFor(t: Test, http: { socket: string; listen: string }): string {
  const folder = mkdtempSync(join(tmpdir(), 'orphand-status-'));
  t.teardown(() => {
    rmSync(folder, { recursive: true, force: true });
  });
  const file = join(folder, 'config.yaml');
  writeFileSync(file, JSON.stringify({ http }));
  return file;
}

const status = (config: string, ...args: string[]) => run(['status', '--config', config, ...args]);

t.test('of a real daemon it prints how it is, over the unix socket', async (t) => {
  const daemon = await startDaemon(t, { directory: mkdtempSync(join(tmpdir(), 'orphand-status-')) });
  const { code, stdout, stderr } = await status(daemon.configFile);
  t.equal(stderr, '');
  t.match(
    stdout,
    new RegExp(`✓ orphand .* runs as process ${daemon.child.pid ?? 0} for \\d+ s, all is well\n`),
  );
  t.match(stdout, /Last sweep \d+ s ago \(\w+, \d+ ms\), next in \d+ s; ends nothing \(sweep\.clean: off\)/);
  t.equal(code, 0);
  const json = await status(daemon.configFile, '--json');
  t.match(JSON.parse(json.stdout), { pid: daemon.child.pid, healthy: true, clean: 'off' });
  t.equal(json.code, 0);
  daemon.signal('SIGTERM');
  await daemon.ended;
  t.match(await status(daemon.configFile), { code: 1, stdout: '', stderr: /^orphand: no daemon answers \(/ });
});

t.test('what the daemon found is printed as scan prints it, with its exit code', async (t) => {
  const { socket } = await serve(t);
  const { code, stdout } = await status(configFor(t, { socket, listen: '' }));
  t.equal(code, 1);
  t.match(stdout, /Found orphaned aidb-http process on port 8091\n {4}PID: 1328823\n/);
  t.match(stdout, /6379.*held by live container local-ai-redis/);
});

t.test('without the unix socket it asks over TCP', async (t) => {
  const { port } = await serve(t, { engine: fakeEngine(sampleReport([])) });
  const config = configFor(t, { socket: '/nonexistent/orphand.sock', listen: `127.0.0.1:${port}` });
  t.match(await status(config), { code: 0, stderr: '', stdout: /All watched ports are free/ });
});

t.test('a daemon that is not well makes exit code 1, whatever it found', async (t) => {
  const report = sampleReport([]);
  const engine = fakeEngine(report);
  engine.state.status = sampleStatus(report, { healthy: false, problem: 'no sweep has finished for 99 s' });
  const { socket } = await serve(t, { engine });
  const { code, stdout } = await status(configFor(t, { socket, listen: '' }));
  t.equal(code, 1);
  t.match(stdout, /✗ orphand .*, but no sweep has finished for 99 s/);
});

t.test('before the first sweep it says so, and the exit code is 1', async (t) => {
  const { socket } = await serve(t, { engine: fakeEngine(undefined) });
  const { code, stdout } = await status(configFor(t, { socket, listen: '' }));
  t.equal(code, 1);
  t.match(stdout, /No sweep has finished yet/);
});

t.test('when none runs, one line says where was asked and why nobody answered', async (t) => {
  const config = configFor(t, { socket: '/nonexistent/orphand.sock', listen: '127.0.0.1:1' });
  t.same(await status(config), {
    code: 1,
    stdout: '',
    stderr:
      'orphand: no daemon answers (/nonexistent/orphand.sock: no such socket; 127.0.0.1:1: nobody listens)\n',
  });
});

t.test('with both sockets switched off there is nobody to ask', async (t) => {
  const { code, stderr } = await status(configFor(t, { socket: '', listen: '' }));
  t.equal(code, 1);
  t.equal(stderr, 'orphand: no daemon answers (http.socket and http.listen are empty)\n');
});

/** Something else where the daemon should be. */
async function stranger(t: Test, answer: (server: Server) => void): Promise<string> {
  const server = createServer();
  answer(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.teardown(() => {
    server.closeAllConnections();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  return configFor(t, { socket: '', listen: `127.0.0.1:${port}` });
}

t.test('something else that answers there is not taken for orphand', async (t) => {
  const html = await stranger(t, (server) =>
    server.on('request', (_request, response) => response.end('<html>')),
  );
  t.match(await status(html), { code: 1, stdout: '', stderr: /what answers is not orphand/ });
  const json = await stranger(t, (server) =>
    server.on('request', (_request, response) => response.end('{"healthy":1}')),
  );
  t.match(await status(json), { code: 1, stdout: '', stderr: /what answers is not this version of orphand/ });
  const torn = await stranger(t, (server) => server.on('connection', (socket) => socket.destroy()));
  t.match(await status(torn), { code: 1, stdout: '', stderr: /^orphand: no daemon answers/ });
});

const plain = { sign: () => '*', strong: (text: string) => text };
const well = (overrides: Partial<Status>) => sampleStatus(sampleReport([]), overrides);

t.test('limits are told with their cures, a clean-up that runs with its id, all safe to print', (t) => {
  const limits = [{ code: 'x', message: 'no \u001b[31mjournal', cure: 'chmod it' }];
  const text = statusText(well({ limits, runningCleanup: '2026-a' }), undefined, Date.now(), plain);
  t.match(text, '* no \\x1b[31mjournal chmod it');
  t.match(text, '* Clean-up 2026-a is running');
  t.end();
});

t.test('a failed last sweep is called that, and what is not planned is not told as planned', (t) => {
  const lastSweep = {
    at: new Date().toISOString(),
    trigger: 'schedule',
    result: 'failed',
    durationMs: 3.4,
    summary: null,
    error: 'x',
  } as const;
  const text = statusText(
    well({ lastSweep, nextSweepAt: null, clean: 'suspects' }),
    mixedReport(),
    Date.now(),
    plain,
  );
  t.match(text, 'Last sweep 0 s ago (schedule, 3 ms, failed), none planned; ends orphans and suspects');
  t.end();
});

const durations: [ms: number, text: string][] = [
  [-5, '0 s'],
  [499, '0 s'],
  [119_000, '119 s'],
  [120_000, '2 min'],
  [7_199_000, '119 min'],
  [7_200_000, '2 h'],
  [172_800_000, '2 d'],
];
for (const [ms, text] of durations) {
  t.test(`${ms} ms are told as ${text}`, (t) => {
    t.equal(durationText(ms), text);
    t.end();
  });
}

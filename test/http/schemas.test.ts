import t from 'tap';
import type Type from 'typebox';
import type { Action, CleanReport, Report, ReportedPort, ReportedProcess } from '../../src/model.ts';
import type { CleanupEntry, Status, SweepRecord } from '../../src/http/engine.ts';
import type { Problem } from '../../src/http/problem.ts';
import type { ActionSchema, CleanReportSchema, CleanupEntrySchema } from '../../src/http/schemas/cleanup.ts';
import type { ProblemSchema } from '../../src/http/schemas/problem.ts';
import type { PortSchema, ProcessSchema, ReportSchema } from '../../src/http/schemas/report.ts';
import type { StatusSchema, SweepSchema } from '../../src/http/schemas/status.ts';
import { fakeEngine, sampleCleanReport, sampleEntry, sampleStatus } from '../helpers/fake-engine.ts';
import { ask, serve } from '../helpers/http-client.ts';
import { mixedReport, sampleProcess, sampleReport } from '../helpers/sample-report.ts';

// Both ways, and the same keys: a field that is added to the model and forgotten in the schema would silently not be
// sent. tsc fails here then.
type Same<A, B> = [A] extends [B]
  ? [B] extends [A]
    ? [keyof B] extends [keyof A]
      ? true
      : false
    : false
  : false;

t.test('each schema is the type that it stands for', (t) => {
  const same: [
    Same<Type.Static<typeof ReportSchema>, Report>,
    Same<Type.Static<typeof PortSchema>, ReportedPort>,
    Same<Type.Static<typeof ProcessSchema>, ReportedProcess>,
    Same<Type.Static<typeof CleanReportSchema>, CleanReport>,
    Same<Type.Static<typeof ActionSchema>, Action>,
    Same<Type.Static<typeof CleanupEntrySchema>, CleanupEntry>,
    Same<Type.Static<typeof SweepSchema>, SweepRecord>,
    Same<Type.Static<typeof StatusSchema>, Status>,
    Same<Type.Static<typeof ProblemSchema>, Problem>,
  ] = [true, true, true, true, true, true, true, true, true];
  t.notOk(same.includes(false as never));
  t.end();
});

t.test('nothing that is not described is sent: no environment, wherever it slips in', async (t) => {
  const leak = { environ: { TOKEN: 'hunter2' }, env: ['TOKEN=hunter2'] };
  const process = { ...sampleProcess(), ...leak } as ReportedProcess;
  Object.assign(process.container!, leak);
  const report = { ...sampleReport([process]), ...leak } as Report;
  Object.assign(report.ports[0]!, leak);
  const engine = fakeEngine(report);
  engine.state.status = { ...sampleStatus(report), ...leak };
  engine.state.cleanups = [{ ...sampleEntry(), ...leak }];
  engine.state.reports.set('01JZ8C4T', { ...sampleCleanReport(report), ...leak });
  const { port } = await serve(t, { engine });
  const paths = [
    'scan',
    'ports',
    'ports/8091',
    'processes',
    'processes/1328823',
    'status',
    'cleanups',
    'cleanups/01JZ8C4T',
  ];
  for (const path of [...paths.map((path) => `/api/v1/${path}`), '/metrics', '/']) {
    const answer = await ask({ to: port, path });
    t.equal(answer.status, 200, path);
    t.notMatch(answer.body, /hunter2|environ/, path);
  }
});

const wellFormed = (text: string) => Buffer.from(text).toString();

t.test('hostile text comes back as it was, as JSON', async (t) => {
  const hostile = [
    '</script><script>alert(1)</script>',
    '\u001b[2J\u0000\n\r\u2028',
    '\ud800',
    '"\\',
    'é€😀',
  ];
  const report = sampleReport([
    sampleProcess({ comm: 'a) R 1 (b', cmdline: hostile, cause: hostile.join(' ') }),
  ]);
  const { port } = await serve(t, { engine: fakeEngine(report) });
  const { json } = await ask({ to: port, path: '/api/v1/processes/1328823' });
  t.same(json['comm'], 'a) R 1 (b');
  // A lone surrogate has no UTF-8 form; everything else survives.
  t.same((json['cmdline'] as string[]).map(wellFormed), hostile.map(wellFormed));
});

t.test('a report with everything empty or null is sent too', async (t) => {
  const bare = sampleReport([
    sampleProcess({
      exe: null,
      unit: null,
      container: null,
      supervisor: null,
      warning: 'look',
      evidence: [],
      cmdline: [],
      ports: [],
    }),
  ]);
  const { port } = await serve(t, { engine: fakeEngine(bare) });
  t.same((await ask({ to: port, path: '/api/v1/scan' })).json, bare);
  const report = mixedReport();
  report.processes[0]!.container = { runtime: 'podman', id: null, name: null };
  report.processes[0]!.supervisor = { pid: 7, comm: 'conmon' };
  const { port: other } = await serve(t, { engine: fakeEngine(report) });
  t.same((await ask({ to: other, path: '/api/v1/scan' })).json, report);
});

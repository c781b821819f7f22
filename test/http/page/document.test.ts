import { createHash } from 'node:crypto';
import t from 'tap';
import { renderPage } from '../../../src/http/page/document.ts';
import type { PageView } from '../../../src/http/page/view.ts';
import type { Report } from '../../../src/model.ts';
import { fakeEngine, sampleEntry, sampleStatus, sampleSweep } from '../../helpers/fake-engine.ts';
import { ask, serve } from '../../helpers/http-client.ts';
import {
  liveProcess,
  mixedReport,
  sampleProcess,
  sampleReport,
  stackPorts,
} from '../../helpers/sample-report.ts';

function view(report: Report | undefined, overrides: Partial<PageView> = {}): PageView {
  return {
    now: Date.parse('2026-01-02T09:00:18.000Z'),
    status: sampleStatus(report),
    report,
    ageMs: 3_000,
    sweeps: report === undefined ? [] : [sampleSweep(report)],
    cleanups: [],
    control: false,
    unlockable: false,
    ...overrides,
  };
}

/** The text that a reader sees, without tags. */
const textOf = (page: string) =>
  page
    .replace(/<(style|script)>[\s\S]*?<\/\1>/g, '')
    .replace(/<[^>]*>/g, ' ')
    .replace(/\s+/g, ' ');

t.test('the headline is the gravest thing', (t) => {
  const orphan = sampleProcess();
  const suspect = sampleProcess({ pid: 2, verdict: 'suspect', ports: [6333] });
  const unknown = sampleProcess({ pid: 3, verdict: 'unknown', ports: [5432] });
  const live = liveProcess(4, 'redis', [6379]);
  const cases: [string, Report | undefined, string][] = [
    ['no report yet', undefined, 'Waiting for the first sweep'],
    ['nothing wrong', sampleReport([live]), 'All clear'],
    ['an unknown', sampleReport([live, unknown]), '1 process could not be judged'],
    [
      'a suspect and an unknown',
      sampleReport([live, unknown, suspect]),
      '1 suspect: strong evidence, not proof',
    ],
    ['an orphan and all of them', sampleReport([live, unknown, suspect, orphan]), '1 orphan, 1 port held'],
    [
      'an orphan without a port',
      sampleReport([sampleProcess({ ports: [] })]),
      '1 orphan, no watched port held',
    ],
    [
      'one orphan on two ports',
      sampleReport([sampleProcess({ ports: [8091, 8791] })]),
      '1 orphan, 2 ports held',
    ],
  ];
  for (const [name, report, text] of cases) {
    const heading = /<h1[^>]*>([\s\S]*?)<\/h1>/.exec(renderPage(view(report)))?.[1] ?? '';
    t.match(textOf(heading), text, name);
  }
  const stale = sampleStatus(sampleReport([]), { healthy: false, problem: 'no sweep finished for 60 s' });
  const page = renderPage(view(sampleReport([]), { status: stale }));
  t.match(
    textOf(page),
    'Stale: what is shown here is old No sweep finished for 60 s.',
    'old data is never "all clear"',
  );
  t.notMatch(page, 'All clear');
  t.end();
});

t.test('without JavaScript there is every port, who holds it, and why', (t) => {
  const report = mixedReport();
  const page = renderPage(view(report));
  const rows = [...page.matchAll(/<tr role="row" class="is-(\w+)" id="port-tcp-(\d+)">([\s\S]*?)<\/tr>/g)];
  t.equal(rows.length, stackPorts.length);
  for (const { port, service } of stackPorts) {
    const row = rows.find(([, , number]) => number === String(port))!;
    const text = textOf(row[3]!);
    t.match(text, service);
    const holders = report.processes.filter((process) => process.ports.includes(port));
    if (holders.length === 0) t.match(text, /free nobody/);
    for (const { pid, comm, verdict } of holders) {
      t.match(text, `${comm} ${pid}`);
      t.equal(row[1], verdict);
    }
  }
  t.same(
    rows.slice(0, 4).map(([, look]) => look),
    ['orphan', 'orphan', 'suspect', 'unknown'],
    'trouble first',
  );
  const text = textOf(page);
  t.match(text, 'conmon is gone, podman no longer knows it');
  t.match(text, 'self_healing_daemon.py (process 51200) lost its parent', 'also where no port is held');
  t.match(text, 'Without JavaScript this page does not refresh itself');
  t.end();
});

t.test('a port with several holders names them, gravest first, and counts the rest', (t) => {
  const workers = Array.from({ length: 7 }, (_, index) => liveProcess(100 + index, 'aidb', [8091]));
  const page = renderPage(view(sampleReport([...workers, sampleProcess()])));
  const row = /id="port-tcp-8091">([\s\S]*?)<\/tr>/.exec(page)![1]!;
  t.equal([...row.matchAll(/class="holder"/g)].length, 4);
  t.match(textOf(row), /orphan.*live container.*1328823.*and 4 more that share the socket/);
  const report = sampleReport([]);
  report.ports[0] = {
    ...report.ports[0]!,
    state: 'held',
    listeners: [{ address: '::', inode: 1, uid: 0, holders: [77] }],
  };
  t.match(textOf(renderPage(view(report))), 'held by a process that could not be seen (77)');
  t.end();
});

t.test('everything that comes from outside is escaped, wherever it stands', (t) => {
  const bad = `"'><script>alert(1)</script><img src=x onerror=alert(2)>`;
  const process = sampleProcess({
    comm: bad,
    user: bad,
    cmdline: ['python3', bad],
    cgroup: bad,
    unit: bad,
    container: { runtime: bad, id: bad, name: bad },
    patterns: [bad],
    cause: bad,
    warning: bad,
    evidence: [{ fact: bad, value: bad, source: bad }],
  });
  const report = sampleReport([process, { ...process, pid: 9, ports: [] }], {
    runtimes: [{ name: bad, user: bad, available: false, reason: bad }],
  });
  report.ports[0]!.service = bad;
  const status = sampleStatus(report, {
    healthy: false,
    problem: bad,
    limits: [{ code: bad, message: bad, cure: bad }],
    host: {
      name: bad,
      kernel: bad,
      uptimeSeconds: 1,
      load: [1],
      memory: { totalBytes: 1, availableBytes: 1 },
    },
  });
  const page = renderPage(
    view(report, {
      status,
      sweeps: [sampleSweep(undefined, { result: 'failed', error: bad, summary: null })],
      cleanups: [sampleEntry({ state: 'failed', error: bad })],
    }),
  );
  t.ok(page.split('alert(1)').length > 15, 'it is in many places');
  t.equal([...page.matchAll(/<script/gi)].length, 1, 'the one script is the own one');
  t.notMatch(page, /<img/i);
  for (const [tag] of page.matchAll(/<[a-z][^>]*>/gi)) {
    t.notMatch(tag.replace(/"[^"]*"/g, ''), /onerror|alert/, 'and no attribute is another one');
  }
  t.end();
});

t.test('the timeline says what it shows, and marks more than by colour', (t) => {
  const report = mixedReport();
  const quiet = { ...report.summary, orphan: 0, suspect: 0, unknown: 0 };
  const at = (seconds: number) =>
    new Date(Date.parse('2026-01-02T08:30:00Z') + seconds * 1_000).toISOString();
  const sweeps = [
    sampleSweep(report, { at: at(0), summary: quiet }),
    sampleSweep(report, { at: at(15) }),
    sampleSweep(undefined, { at: at(30), result: 'failed', summary: null, error: 'EIO' }),
  ];
  const page = renderPage(
    view(report, { sweeps, cleanups: [sampleEntry({ startedAt: at(20) }), sampleEntry({ dryRun: true })] }),
  );
  t.match(page, /aria-label="3 sweeps since 08:30:00 UTC: 1 with an orphan, 1 failed or late; 1 clean-up\."/);
  const heights = [...page.matchAll(/height="(\d+)"\s+class="bar (\w+)"/g)].map(([, height, mark]) => [
    mark,
    Number(height),
  ]);
  t.same(heights, [
    ['clear', 8],
    ['orphan', 30],
    ['failed', 40],
  ]);
  t.equal([...page.matchAll(/class="cleanup-mark/g)].length, 1, 'a plan is no mark');
  t.end();
});

t.test('a clean-up is offered only where the request may', async (t) => {
  const engine = fakeEngine(mixedReport());
  const { port, socket } = await serve(t, { engine });
  const plan = 'data-action="plan"';
  const unlock = 'data-action="unlock"';
  const tcp = await ask({ to: port, path: '/' });
  t.notMatch(tcp.body.split('<script>')[0], plan);
  t.match(tcp.body, unlock);
  const unix = await ask({ to: socket, path: '/' });
  t.match(unix.body, plan);
  t.notMatch(unix.body.split('<script>')[0], unlock);
  const { port: plain } = await serve(t, { engine, access: { group: '', token: undefined } });
  t.notMatch((await ask({ to: plain, path: '/' })).body.split('<script>')[0], unlock, 'no token, no form');
  t.equal((await ask({ to: port, path: '/', headers: { authorization: 'Bearer wrong' } })).status, 401);
});

t.test("the policy allows exactly the page's own script and style", async (t) => {
  const { port } = await serve(t);
  const { headers, body } = await ask({ to: port, path: '/' });
  const policy = String(headers['content-security-policy']);
  for (const tag of ['script', 'style']) {
    const text = new RegExp(`<${tag}>([\\s\\S]*?)</${tag}>`).exec(body)![1]!;
    t.match(policy, `${tag}-src 'sha256-${createHash('sha256').update(text).digest('base64')}'`);
  }
  t.match(policy, /^default-src 'none'/);
  t.match(policy, /connect-src 'self'/);
  t.match(policy, /require-trusted-types-for 'script'/);
  t.notMatch(policy, /unsafe|\*|https?:/);
  t.notMatch(body.replace(/xmlns=&#39;[^&]*&#39;/, ''), /(src|href)="(?!\/|data:)/, 'nothing from elsewhere');
  t.notMatch(body.split('<script>')[0], / style="| on\w+="/);
});

import t from 'tap';
import { cleanExitCode, cleanText } from '../../src/cli/clean-text.ts';
import type { Action, CleanReport, Report } from '../../src/model.ts';
import { liveProcess, sampleProcess, sampleReport } from '../helpers/sample-report.ts';

const plain = {
  sign: (tone: string) => ({ info: 'ℹ', warn: '⚠', ok: '✓', fail: '✗' })[tone] ?? '?',
  strong: (text: string) => text,
};

function action(overrides: Partial<Action> = {}): Action {
  return {
    pid: 1328823,
    startTime: 1,
    comm: 'python3',
    verdict: 'orphan',
    reason: 'container-gone',
    ports: [8091],
    steps: [{ at: '2026-01-02T09:00:17.000Z', signal: 'SIGTERM' }],
    outcome: 'terminated',
    detail: null,
    ms: 12,
    ...overrides,
  };
}

function cleaned(scan: Report, overrides: Partial<CleanReport> = {}): CleanReport {
  const ports = scan.ports.map(({ port, service, state }) => ({ port, service, state, freed: false, ms: 0 }));
  return {
    id: 'x',
    trigger: 'clean',
    dryRun: false,
    scan,
    actions: [],
    ports,
    remaining: [],
    ok: true,
    ...overrides,
  };
}

/** The same with every port free, and 8091 freed. */
function freed(report: CleanReport): CleanReport {
  const ports = report.ports.map((port) => ({ ...port, state: 'free' as const, freed: port.port === 8091 }));
  return { ...report, ports };
}

t.test('a clean-up ends with the summary of the reference document', (t) => {
  const report = freed(cleaned(sampleReport([sampleProcess()]), { actions: [action()] }));
  t.equal(
    cleanText(report, plain),
    `✓ Killed orphaned process 1328823 (python3): SIGTERM
✓ Freed port 8091 (aidb-http)

=== Cleanup Summary ===
Processes killed: 1
✓ All watched ports are free`,
  );
  t.equal(cleanExitCode(report), 0);
  t.end();
});

const outcomes: [action: Partial<Action>, line: RegExp][] = [
  [
    { outcome: 'killed', steps: ['SIGTERM', 'SIGKILL'].map((signal) => ({ at: '', signal })) },
    /^✓ Killed orphaned process 1328823 \(python3\): SIGTERM, SIGKILL$/m,
  ],
  [
    { outcome: 'gone', detail: 'exited between the looks' },
    /^✓ Process 1328823 \(python3\) had gone by itself: exited between the looks$/m,
  ],
  [{ outcome: 'planned', verdict: 'suspect' }, /^ℹ Would kill suspect process 1328823 \(python3\)$/m],
  [
    { outcome: 'survived', detail: 'state D' },
    /^✗ Could not kill orphaned process 1328823 \(python3\): state D$/m,
  ],
  [
    { outcome: 'refused', detail: 'verdict changed' },
    /^✗ Did not touch orphaned process 1328823 \(python3\): verdict changed$/m,
  ],
  [
    { outcome: 'refused', comm: 'a\nb', detail: '\x1b[m' },
    /^✗ Did not touch orphaned process 1328823 \(a\\nb\): \\x1b\[m$/m,
  ],
];

t.test('each outcome has its words, and its reason', (t) => {
  for (const [overrides, line] of outcomes) {
    t.match(cleanText(cleaned(sampleReport([]), { actions: [action(overrides)] }), plain), line);
  }
  t.end();
});

t.test('what is left is named with its verdict and its cause, exit code 1', (t) => {
  const suspect = sampleProcess({ verdict: 'suspect', reason: 'supervisor-dead', cause: 'conmon is dead' });
  const report = cleaned(sampleReport([suspect]), { remaining: [suspect], ok: false });
  t.match(
    cleanText(report, plain),
    /\n✗ Left: suspect python3, PID 1328823 on 8091: conmon is dead \(supervisor-dead\)\n✗ 1 issue to look at$/,
  );
  t.equal(cleanExitCode(report), 1);
  t.end();
});

t.test('a dry run says what would be killed, does not call it left, and is exit code 1', (t) => {
  const orphan = sampleProcess();
  const actions = [action({ outcome: 'planned', steps: [] })];
  const report = cleaned(sampleReport([orphan]), { dryRun: true, actions, remaining: [orphan], ok: false });
  const text = cleanText(report, plain);
  t.match(text, /Processes that would be killed: 1\nℹ Dry run: nothing was ended\n✗ 1 issue to look at$/);
  t.notMatch(text, /Left/);
  t.equal(cleanExitCode(report), 1);
  t.end();
});

t.test('a port held by a live container is no issue, and is said', (t) => {
  const report = cleaned(sampleReport([liveProcess(22301, 'redis', [6379], 'redis-server')]));
  t.match(
    cleanText(report, plain),
    /\nℹ Port 6379 \(redis\) is held by live container local-ai-redis \(redis-server\), PID 22301\n✓ No orphan holds a watched port$/,
  );
  t.equal(cleanExitCode(report), 0);
  t.end();
});

t.test('a port whose holder could not be seen is an issue, unless it is free by now', (t) => {
  const scan = sampleReport([]);
  Object.assign(scan.ports[0]!, {
    state: 'held',
    listeners: [{ address: '::', inode: 1, uid: 0, holders: [] }],
  });
  const report = cleaned(scan);
  t.match(
    cleanText(report, plain),
    /\n✗ Left: port 8091 \(aidb-http\), held by a process that could not be seen\n✗ 1 issue/,
  );
  t.equal(cleanExitCode(report), 1);
  t.equal(cleanExitCode(freed(report)), 0);
  t.end();
});

t.test('a port that is held by nobody visible after its target has gone is an issue', (t) => {
  const report = cleaned(sampleReport([sampleProcess()]), { actions: [action()], ok: false });
  t.match(
    cleanText(report, plain),
    /\n✗ Left: port 8091 \(aidb-http\), held by a process that could not be seen\n✗ 1 issue/,
  );
  t.equal(cleanExitCode(report), 1);
  t.end();
});

t.test(
  'a container that came back to its port is success, and not called the orphan that it replaced',
  (t) => {
    const report = cleaned(sampleReport([sampleProcess()]), { actions: [action()] });
    const text = cleanText(report, plain);
    t.match(
      text,
      /\nℹ Port 8091 \(aidb-http\) is held by a live container\n✓ No orphan holds a watched port$/,
    );
    t.equal(cleanExitCode(report), 0);
    t.end();
  },
);

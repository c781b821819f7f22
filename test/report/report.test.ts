import t from 'tap';
import { classify } from '../../src/classify/classify.ts';
import type { ProcessFacts, Reason } from '../../src/model.ts';
import { causeOf } from '../../src/report/cause.ts';
import { reportOf } from '../../src/report/report.ts';
import { facts, provenance, supervisor, view } from '../helpers/facts.ts';
import { exactly } from '../helpers/exactly.ts';

const container = provenance();
const docker = provenance({ runtime: 'docker' });
const superseded = { byPid: 5000, evidence: [] };

const causes: [Reason, Partial<ProcessFacts>, string][] = [
  [
    'container-gone',
    { container, view: view('absent', { name: undefined }) },
    'process 4168 (python3) survived its container: conmon is gone, podman no longer knows it',
  ],
  [
    'container-gone',
    { container: docker, view: view('not-installed', { name: undefined }) },
    'process 4168 (python3) survived its container: its containerd-shim is gone, docker is not on this host',
  ],
  [
    'container-exited',
    { container, view: view('exited') },
    "local-ai-aidb's process 4168 survived its container: conmon is gone, podman counts it as exited",
  ],
  [
    'previous-instance',
    { container, view: view('running', { pid: 9 }), currentInstance: 'other' },
    "local-ai-aidb's process 4168 is left from an earlier life of its container: conmon is gone, podman runs it again as process 9",
  ],
  [
    'superseded-instance',
    { container, view: view('running'), supervisor: supervisor({ superseded }) },
    "local-ai-aidb's process 4168 is an earlier life of its container: podman started it again under supervisor 5000 and no longer records this one's",
  ],
  [
    'supervisor-dead',
    { container, view: view('running', { pid: 4168 }), currentInstance: 'self' },
    "local-ai-aidb's process 4168 may be an orphan: conmon is gone, but podman still counts the container as running",
  ],
  [
    'runtime-lost-track',
    { container, view: view('created'), supervisor: supervisor() },
    "local-ai-aidb's process 4168 runs in a live container that podman lost track of: conmon 4158 keeps it, podman says created",
  ],
  [
    'stack-process-reparented',
    { stackRoot: { pid: 4168, comm: 'python3', reparented: true } },
    'process 4168 (python3) is a stack process that lost its parent and belongs to no container or unit',
  ],
  [
    'stack-process-reparented',
    { stackRoot: { pid: 7, comm: 'sh', reparented: true } },
    'process 4168 (python3) descends from stack process 7 (sh), which lost its parent and belongs to no container or unit',
  ],
];

for (const [reason, changes, sentence] of causes) {
  t.test(`says in one sentence: ${sentence}`, (t) => {
    const of = facts(changes);
    const judgement = classify(of);
    t.equal(judgement.reason, reason);
    t.equal(causeOf(of, judgement), sentence);
    t.end();
  });
}

t.test('the report counts what is in scope, and shows what is not', (t) => {
  const report = reportOf({
    bootId: 'b',
    takenAt: new Date(0),
    durationMs: 1.26,
    privileged: true,
    unreadable: [],
    runtimes: [],
    ports: [],
    facts: [
      facts({ container, view: view('absent') }),
      facts({ pid: 5, container, view: view('exited'), inScope: false }),
      facts({ pid: 6, unit: { name: 'a.service', manager: 'system', active: true, evidence: [] } }),
    ],
  });
  t.strictSame(report.summary, { orphan: 1, suspect: 0, container: 0, helper: 0, host: 1, unknown: 0 });
  t.match(report, { schema: 1, takenAt: '1970-01-01T00:00:00.000Z', durationMs: 1.3 });
  t.match(
    report.processes,
    exactly(
      {
        verdict: 'orphan',
        inScope: true,
        container: { runtime: 'podman', name: 'local-ai-aidb' },
        unit: null,
      },
      { verdict: 'orphan', inScope: false },
      { verdict: 'host', unit: 'a.service', container: null, supervisor: null },
    ),
  );
  t.end();
});

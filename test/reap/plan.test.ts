import t from 'tap';
import type { Report } from '../../src/model.ts';
import { checkBlastRadius, containerKey, planTargets } from '../../src/reap/plan.ts';
import { CleanupRefusedError } from '../../src/reap/refusal.ts';
import { reportedAs, reportOf, type Said } from './world.ts';
import { exactly } from '../helpers/exactly.ts';

function report(...said: (Said & { ppid?: number })[]): Report {
  const processes = said.map((each) => ({ ...reportedAs(each), ppid: each.ppid ?? 1 }));
  return { ...reportOf([]), processes };
}

const aidb = { runtime: 'podman', id: 'a'.repeat(64), name: 'local-ai-aidb' };
const webui = { runtime: 'podman', id: 'b'.repeat(64), name: 'local-ai-open-webui' };
const nameless = { runtime: 'podman', id: null, name: null };

const cases: {
  name: string;
  said: (Said & { ppid?: number })[];
  suspects?: boolean;
  ports?: number[];
  want: number[];
}[] = [
  {
    name: 'every verdict but orphan stays, suspects too when they were not asked for',
    said: (['suspect', 'container', 'helper', 'host', 'unknown'] as const).map((verdict, index) => ({
      pid: index + 10,
      verdict,
      ports: [8091],
    })),
    want: [],
  },
  {
    name: 'suspects are chosen on request, and still nothing else',
    suspects: true,
    said: (['orphan', 'suspect', 'container', 'helper', 'host', 'unknown'] as const).map(
      (verdict, index) => ({
        pid: index + 10,
        verdict,
      }),
    ),
    want: [10, 11],
  },
  {
    name: 'an orphan out of scope stays',
    said: [
      { pid: 10, inScope: false, container: webui },
      { pid: 11, container: aidb },
    ],
    want: [11],
  },
  {
    name: 'an orphan of the same container as one in scope is of the same dead tree',
    said: [
      { pid: 10, inScope: false, container: aidb },
      { pid: 11, container: aidb },
    ],
    want: [10, 11],
  },
  {
    name: 'containers without a known id are not the same container',
    said: [
      { pid: 10, inScope: false, container: nameless },
      { pid: 11, container: nameless },
    ],
    want: [11],
  },
  {
    name: 'with ports only holders of one of them are chosen',
    ports: [8091],
    said: [{ pid: 10, ports: [8091] }, { pid: 11, ports: [3001] }, { pid: 12 }],
    want: [10],
  },
  {
    name: 'with ports the holder’s container comes along, another container does not',
    ports: [8091],
    said: [
      { pid: 10, ports: [8091], container: aidb },
      { pid: 11, container: aidb },
      { pid: 12, container: webui },
    ],
    want: [10, 11],
  },
  {
    name: 'with ports the holder’s tree comes along, upwards and downwards',
    ports: [8091],
    said: [
      { pid: 10 },
      { pid: 11, ppid: 10, ports: [8091] },
      { pid: 12, ppid: 11 },
      { pid: 13, ppid: 12 },
      { pid: 20 },
    ],
    want: [10, 11, 12, 13],
  },
  {
    name: 'a live process between two orphans does not tie them together',
    ports: [8091],
    said: [
      { pid: 10, ports: [8091] },
      { pid: 11, ppid: 10, verdict: 'host' },
      { pid: 12, ppid: 11 },
    ],
    want: [10],
  },
  {
    name: 'a superseded supervisor comes first, and along with its container’s port',
    ports: [8091],
    said: [
      {
        pid: 10,
        ports: [8091],
        reason: 'superseded-instance',
        container: aidb,
        supervisor: { pid: 99, comm: 'conmon' },
      },
      { pid: 99, reason: 'superseded-instance' },
    ],
    want: [99, 10],
  },
];

for (const { name, said, suspects = false, ports, want } of cases) {
  t.test(name, (t) => {
    t.same(
      planTargets(report(...said), { suspects, ports }).map(({ identity }) => identity.pid),
      want,
    );
    t.end();
  });
}

t.test('only the superseded supervisor itself is marked as one, and takes the name of its container', (t) => {
  const targets = planTargets(
    report(
      { pid: 10, reason: 'superseded-instance', container: aidb, supervisor: { pid: 99, comm: 'conmon' } },
      { pid: 99, reason: 'superseded-instance' },
      { pid: 20, reason: 'container-gone', container: webui },
    ),
    { suspects: false },
  );
  t.same(
    targets.map(({ identity, supervisor, container }) => [identity.pid, supervisor, container]),
    [
      [99, true, aidb],
      [10, false, aidb],
      [20, false, webui],
    ],
  );
  t.end();
});

t.test('a target carries its identity, reason, cause and ports', (t) => {
  const [target] = planTargets(
    report({ pid: 10, startTime: 77, ports: [8091, 8791], reason: 'container-gone' }),
    {
      suspects: false,
    },
  );
  t.match(target, {
    identity: { bootId: /^[0-9a-f-]{36}$/, pid: 10, startTime: 77 },
    verdict: 'orphan',
    reason: 'container-gone',
    cause: 'it was left behind',
    ports: exactly(8091, 8791),
    supervisor: false,
  });
  t.end();
});

t.test('more targets than allowed are refused by number, with the way out', (t) => {
  const targets = Array.from({ length: 3 });
  t.throws(
    () => {
      checkBlastRadius(targets, 2, false);
    },
    { code: 'too-many-targets', message: /^3 processes .*maxTargets \(2\).*--force/ },
  );
  t.throws(() => {
    checkBlastRadius(targets, 2, false);
  }, CleanupRefusedError);
  t.doesNotThrow(() => {
    checkBlastRadius(targets, 3, false);
  });
  t.doesNotThrow(() => {
    checkBlastRadius(targets, 2, true);
  });
  t.end();
});

t.test('a container is named by runtime and id', (t) => {
  t.equal(containerKey(aidb), `podman:${aidb.id}`);
  t.equal(containerKey(nameless), undefined);
  t.equal(containerKey(null), undefined);
  t.end();
});

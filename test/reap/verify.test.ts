import t from 'tap';
import type { ReportedPort, Report, Target } from '../../src/model.ts';
import { planTargets } from '../../src/reap/plan.ts';
import { verify } from '../../src/reap/verify.ts';
import { reportedAs, reportOf, type Said } from './world.ts';
import { exactly } from '../helpers/exactly.ts';

/** Ports as [number, inode, holders]; no inode: free; two rows with one number: two listening sockets. */
type Row = [port: number, inode?: number, holders?: number[]];

function report(said: Said[], rows: Row[]): Report {
  const ports = [...new Set(rows.map(([port]) => port))].map((port): ReportedPort => {
    const listeners = rows.flatMap(([number, inode, holders = []]) =>
      number === port && inode !== undefined ? [{ address: '::', inode, uid: 0, holders }] : [],
    );
    const state = listeners.length === 0 ? 'free' : 'held';
    return { port, protocol: 'tcp', service: `service-${port}`, state, listeners };
  });
  return { ...reportOf([]), processes: said.map(reportedAs), ports };
}

const target: Said = { pid: 10, ports: [8091] };
const before = report([target], [[8091, 500, [10]]]);
const targets: Target[] = planTargets(before, { suspects: true });

const cases: {
  name: string;
  said?: Said[];
  rows?: Row[];
  ports?: number[];
  state?: 'free' | 'held';
  freed?: boolean;
  remaining?: number[];
  ok?: boolean;
}[] = [
  { name: 'the port is free: freed' },
  {
    name: 'the target still holds it: neither freed nor done',
    said: [target],
    rows: [[8091, 500, [10]]],
    state: 'held',
    freed: false,
    remaining: [10],
    ok: false,
  },
  {
    name: 'the container came back on it: freed, and done',
    said: [{ pid: 20, verdict: 'container', reason: 'supervised', ports: [8091] }],
    rows: [[8091, 600, [20]]],
    state: 'held',
  },
  {
    name: 'a new container’s proxy took it: freed, and done',
    said: [{ pid: 20, verdict: 'helper', ports: [8091] }],
    rows: [[8091, 600, [20]]],
    state: 'held',
  },
  {
    name: 'the socket was handed to a process of the host: not freed, its holder is named',
    said: [{ pid: 20, verdict: 'host', inScope: true, ports: [8091] }],
    rows: [[8091, 500, [20]]],
    state: 'held',
    freed: false,
    remaining: [20],
    ok: false,
  },
  {
    name: 'the socket itself is a live container’s too: freed of ours, and done',
    said: [{ pid: 20, verdict: 'container', ports: [8091] }],
    rows: [[8091, 500, [20]]],
    state: 'held',
  },
  {
    name: 'a process of the host was faster than the container: freed of ours, and not done',
    said: [{ pid: 20, verdict: 'host', ports: [8091] }],
    rows: [[8091, 600, [20]]],
    state: 'held',
    remaining: [20],
    ok: false,
  },
  {
    name: 'a new process has the old pid and the port: ours has gone',
    said: [{ ...target, startTime: 2, verdict: 'host' }],
    rows: [[8091, 600, [10]]],
    state: 'held',
    remaining: [10],
    ok: false,
  },
  {
    name: 'the old socket is held by someone who can’t be seen: not freed, not done',
    rows: [[8091, 500, []]],
    state: 'held',
    freed: false,
    ok: false,
  },
  {
    name: 'another socket is held by someone who can’t be seen: not done',
    rows: [[8091, 600, []]],
    state: 'held',
    ok: false,
  },
  {
    name: 'a suspect elsewhere remains',
    said: [{ pid: 30, verdict: 'suspect', ports: [3001] }],
    rows: [[8091], [3001, 700, [30]]],
    remaining: [30],
    ok: false,
  },
  {
    name: 'an unknown process in scope remains',
    said: [{ pid: 30, verdict: 'unknown', reason: 'unreadable' }],
    remaining: [30],
    ok: false,
  },
  {
    name: 'orphans and unknown ones out of scope are not ours to clean',
    said: [
      { pid: 30, inScope: false },
      { pid: 31, inScope: false, verdict: 'unknown' },
    ],
  },
  {
    name: 'an orphan out of scope that holds a target’s port remains',
    said: [{ pid: 30, inScope: false, ports: [8091] }],
    rows: [[8091, 600, [30]]],
    state: 'held',
    remaining: [30],
    ok: false,
  },
  {
    name: 'a clean-up for one port is done when another port’s orphan is left',
    ports: [8091],
    said: [
      { pid: 30, ports: [3001] },
      { pid: 31, verdict: 'unknown', ports: [3001] },
    ],
  },
  {
    name: 'a process of the host on a port that no target held is nobody’s business',
    said: [{ pid: 30, verdict: 'host', ports: [8080] }],
    rows: [[8091], [8080, 700, [30]]],
  },
];

for (const {
  name,
  said = [],
  rows = [[8091]] as Row[],
  ports,
  state = 'free',
  freed = true,
  remaining = [],
  ok = true,
} of cases) {
  t.test(name, (t) => {
    const result = verify({ before, after: report(said, rows), targets, ports, ms: 42 });
    t.match(result.ports[0], { port: 8091, service: 'service-8091', state, freed, ms: freed ? 42 : 0 });
    t.same(
      result.remaining.map(({ pid }) => pid),
      remaining,
    );
    t.equal(result.ok, ok);
    t.end();
  });
}

t.test('a port that no target held is not freed', (t) => {
  const rows: Row[] = [[8091], [3001]];
  t.same(
    verify({ before, after: report([], rows), targets, ms: 1 }).ports.map(({ freed }) => freed),
    [true, false],
  );
  t.end();
});

t.test('a container that shares the port with the orphan keeps it', (t) => {
  const live: Said = { pid: 20, verdict: 'container', ports: [8091] };
  const shared = report(
    [target, live],
    [
      [8091, 500, [10]],
      [8091, 600, [20]],
    ],
  );
  const after = report([live], [[8091, 600, [20]]]);
  t.match(verify({ before: shared, after, targets, ms: 1 }), {
    ok: true,
    ports: exactly({ state: 'held', freed: true }),
  });
  t.end();
});

t.test('tcp and udp of one number are one row, held while one of them is', (t) => {
  const held = report([target], [[8091, 500, [10]]]);
  const free = report([], [[8091]]).ports.map((port) => ({ ...port, protocol: 'udp' as const }));
  for (const ports of [
    [...held.ports, ...free],
    [...free, ...held.ports],
  ]) {
    const result = verify({ before, after: { ...held, ports }, targets, ms: 1 });
    t.match(result.ports, exactly({ port: 8091, state: 'held', freed: false }));
    t.equal(result.ports.length, 1);
  }
  t.end();
});

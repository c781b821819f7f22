import t from 'tap';
import { explainPort, explainStranger, waitingElsewhere } from '../../src/cli/explain-text.ts';
import { sampleProcess, sampleReport } from '../helpers/sample-report.ts';

const plain = {
  sign: (tone: string) => ({ info: 'ℹ', warn: '⚠', ok: '✓', fail: '✗' })[tone] ?? '?',
  strong: (text: string) => text,
};

const chain = [
  { pid: 1, comm: 'systemd', startedAt: '2026-01-01T00:00:00.000Z', cmdline: ['/sbin/init'] },
  { pid: 1328823, comm: 'python3', startedAt: '2026-01-01T21:40:12.340Z', cmdline: ['python3', 'server.py'] },
];

t.test('a held port is explained with its sockets, connections, chain, evidence and cure', (t) => {
  const orphan = sampleProcess();
  const report = sampleReport([orphan, sampleProcess({ pid: 7, comm: 'worker' })]);
  const explanation = {
    port: report.ports[0]!,
    connections: { LISTEN: 1, ESTABLISHED: 2, TIME_WAIT: 1 },
    publishers: null,
    waiting: [
      {
        runtime: 'podman',
        user: 'alice',
        name: 'local-ai-aidb',
        restartCount: 63,
        startedAt: '2026-01-02T09:00:12Z',
        why: 'its environment has PORT=8091',
      },
    ],
    processes: [
      {
        process: orphan,
        chain,
        runtime: {
          state: 'exited' as const,
          pid: 9,
          restartCount: 63,
          answers: [{ fact: 'podman of root (cli)', value: 'exited', source: 'podman container inspect' }],
        },
        blast: {
          by: 'orphand clean',
          processes: Array.from({ length: 13 }, (_, index) => ({ pid: 100 + index, comm: `w${index}` })),
          ports: ['5353/udp', '8091'],
        },
        cure: 'orphand clean --ports 8091',
      },
    ],
  };
  const scope =
    '/machine.slice/libpod-4f0c9d6a1b7e2f5380a94c1de6b72853f9a0417cbd25e86f3b9c7d104ae5f628.scope';
  t.equal(
    explainPort(explanation, report, plain),
    `⚠ Port 8091/tcp (aidb-http) is held by orphan python3, PID 1328823; and by orphan worker, PID 7
    Socket: 0.0.0.0, inode 708091, opened by uid 0, held by 1328823, 7
    Connections: 2 ESTABLISHED, 1 TIME_WAIT
    Waits for it: local-ai-aidb (podman of alice), restarted 63 times, last at 2026-01-02T09:00:12Z: its environment has PORT=8091; once the orphan has gone, its next restart comes up

⚠ PID 1328823 (python3): orphan, container-gone
    Cause: aidb-http's process 1328823 survived its container: conmon is gone, podman no longer knows it
    Command: python3 -u /app/server.py --config /app/config/config.yaml
    Program: /usr/local/bin/python3.11
    User: root (uid 0)
    Started: 2026-01-01T21:40:12.340Z
    Cgroup: ${scope}
    Container: local-ai-aidb (podman 4f0c9d6a1b7e)
    Ports: 8091
    Shares them with: 7 (worker, orphan)
    Chain:
      1 systemd, since 2026-01-01T00:00:00.000Z: /sbin/init
      └ 1328823 python3, since 2026-01-01T21:40:12.340Z: python3 server.py
    Runtime says: exited, process 9, restarted 63 times
      podman of root (cli): exited  [podman container inspect]
    Evidence:
      cgroup: ${scope}  [/proc/1328823/cgroup]
      parent: 1  [/proc/1328823/stat]
      supervisor: none: no conmon between it and pid 1  [/proc/1328823/stat]
      podman: does not know the container  [/var/lib/containers/storage/overlay-containers/containers.json]
    Ending it (orphand clean) would end 13 processes: 100 (w0), 101 (w1), 102 (w2), 103 (w3), 104 (w4), 105 (w5), 106 (w6), 107 (w7), 108 (w8), 109 (w9), 110 (w10), 111 (w11) …
    Ports that would free: 5353/udp, 8091
    What to do: orphand clean --ports 8091`,
  );
  t.end();
});

t.test('no field of a process or its chain reaches the terminal as more than text', (t) => {
  const evil = '\x1b[2J\u202e\nKilled';
  const process = sampleProcess({
    comm: evil,
    cmdline: [evil],
    exe: evil,
    user: evil,
    cgroup: evil,
    unit: evil,
    cause: evil,
    warning: evil,
    container: { runtime: evil, id: evil, name: evil },
    supervisor: { pid: 1, comm: evil },
    evidence: [{ fact: evil, value: evil, source: evil }],
  });
  const links = [{ pid: 1, comm: evil, startedAt: '', cmdline: [evil] }];
  const report = sampleReport([process, { ...process, pid: 8 }]);
  const explanation = {
    port: report.ports[0]!,
    connections: {},
    publishers: [{ runtime: 'podman', user: evil, name: evil }],
    waiting: [{ runtime: 'podman', user: evil, name: evil, restartCount: 1, startedAt: evil, why: evil }],
    processes: [
      {
        process,
        chain: links,
        runtime: {
          ...{ state: 'absent' as const, pid: null, restartCount: null },
          answers: [{ fact: evil, value: evil, source: evil }],
        },
        blast: { by: evil, processes: [{ pid: 1, comm: evil }], ports: [] },
        cure: '',
      },
    ],
  };
  const free = waitingElsewhere(explanation.waiting[0]!, plain);
  for (const text of [explainPort(explanation, report, plain), explainStranger(links, plain), free]) {
    t.notMatch(text.replaceAll('\n', ''), /[\p{Cc}\u202e]/u);
    t.notMatch(text, /^Killed/m);
  }
  t.end();
});

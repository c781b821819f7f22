import t from 'tap';
import { freeing, heldPorts, heldText } from '../../src/cli/freeing.ts';
import type { ReportedProcess } from '../../src/model.ts';
import { liveProcess, sampleProcess, sampleReport } from '../helpers/sample-report.ts';

const live = liveProcess(7, 'aidb', [8091]);
const id = live.container!.id!;

const cases: [name: string, process: ReportedProcess, lost: string[], cure: string][] = [
  ['a live container', live, [], 'podman stop local-ai-aidb'],
  [
    "a user's live container",
    { ...live, uid: 1000, user: 'alice' },
    [],
    'as its owner (alice): podman stop local-ai-aidb',
  ],
  [
    "docker's live container",
    { ...live, uid: 999, container: { runtime: 'docker', id, name: 'web' } },
    [],
    'docker stop web',
  ],
  [
    'an nspawn container',
    { ...live, container: { runtime: 'nspawn', id: 'm', name: 'm' } },
    [],
    'machinectl stop m',
  ],
  [
    'a container of what orphand can’t name the command of',
    { ...live, container: { runtime: 'containerd', id, name: 'web' } },
    [],
    'stop it through containerd: web',
  ],
  [
    'one that podman does not count as running',
    live,
    [id],
    'podman lost track of it, so: podman restart local-ai-aidb, then orphand clean --ports 8091, then podman stop local-ai-aidb',
  ],
  [
    'the same, by its verdict',
    { ...live, ports: [], reason: 'runtime-lost-track' },
    [],
    'podman lost track of it, so: podman restart local-ai-aidb, then orphand clean, then podman stop local-ai-aidb',
  ],
  [
    "an engine's forwarder",
    { ...live, verdict: 'helper', reason: 'runtime-helper', container: null },
    [],
    'stop the container that publishes it (podman ps, docker ps)',
  ],
  [
    'a unit',
    {
      ...live,
      verdict: 'host',
      reason: 'systemd-unit',
      unit: 'nginx\x1b.service',
      cgroup: '/system.slice/nginx',
    },
    [],
    'systemctl stop nginx\\x1b.service',
  ],
  [
    "a session's process",
    { ...live, verdict: 'host', reason: 'not-the-stack', user: 'bob' },
    [],
    "end it the way it was started: it is bob's",
  ],
  ['pid 1', { ...live, verdict: 'host', reason: 'protected' }, [], 'nothing to do: orphand never touches it'],
  ['an orphan', sampleProcess(), [], 'orphand clean --ports 8091'],
  [
    'a suspect',
    sampleProcess({ verdict: 'suspect', reason: 'supervisor-dead' }),
    [],
    'check the evidence; if it is not needed: orphand clean --suspects --ports 8091',
  ],
];

t.test('of each holder it is said what would free its port, of a live one too', (t) => {
  for (const [name, process, lost, cure] of cases) t.equal(freeing(process, new Set(lost)), cure, name);
  t.end();
});

t.test('a held port has a line with its holders and each cure once', (t) => {
  const report = sampleReport([live, { ...live, pid: 8 }, sampleProcess()]);
  t.strictSame(heldPorts(report).map(heldText), [
    'Port 8091 (aidb-http) is held by orphan python3, PID 1328823; and by live container local-ai-aidb (aidb), PIDs 7, 8. To free it: podman stop local-ai-aidb; and orphand clean --ports 8091',
  ]);
  t.end();
});

t.test('a holder that could not be seen is a reason to look with more rights, or closer', (t) => {
  const report = sampleReport([live]);
  report.ports[0]!.listeners[0]!.holders = [];
  report.ports[0]!.protocol = 'udp';
  t.equal(
    heldText(heldPorts(report)[0]!),
    'Port 8091/udp (aidb-http) is held by a process that could not be seen. To free it: orphand explain port 8091',
  );
  t.match(heldText(heldPorts({ ...report, privileged: false })[0]!), /To free it: run with sudo to see who$/);
  t.end();
});

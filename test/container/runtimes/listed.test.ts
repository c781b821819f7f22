import t from 'tap';
import { parseListed } from '../../../src/container/runtimes/listed.ts';

const id = 'a'.repeat(64);

/** As podman 4.3 prints it, shortened. */
const podman = {
  Id: id,
  Path: 'httpd',
  Args: ['-f', '-p', '8091'],
  State: {
    Status: 'running',
    Pid: 56,
    ConmonPid: 45,
    ExitCode: 0,
    StartedAt: '2026-11-25T14:27:01.692029587Z',
  },
  Name: 'local-ai-aidb',
  RestartCount: 3,
  NetworkSettings: { Ports: {} },
  IsInfra: false,
  Config: {
    Env: ['PORT=8091'],
    Labels: { app: 'x' },
    Healthcheck: { Test: ['CMD-SHELL', 'curl http://localhost:8091/health'] },
  },
  HostConfig: {
    NetworkMode: 'host',
    PortBindings: {},
    RestartPolicy: { Name: 'always', MaximumRetryCount: 0 },
  },
};

/** As docker prints it: a port that the engine chose, a name with a slash, null for none. */
const docker = {
  Id: id,
  Path: 'nginx',
  Args: null,
  State: { Status: 'created', Pid: 0, ExitCode: 0, StartedAt: '0001-01-01T00:00:00Z' },
  Name: '/web',
  RestartCount: 0,
  NetworkSettings: { Ports: { '80/tcp': [{ HostIp: '0.0.0.0', HostPort: '32768' }], '443/tcp': null } },
  Config: { Env: null, Labels: null },
  HostConfig: {
    NetworkMode: 'bridge',
    PortBindings: { '80/tcp': [{ HostPort: '' }], '53/udp': [{ HostPort: '53' }, { HostPort: '5353' }] },
    RestartPolicy: { Name: 'no' },
  },
};

const cases: [name: string, value: unknown, want: unknown][] = [
  [
    'podman, on the host network',
    [podman],
    [
      {
        ...{ id, name: 'local-ai-aidb', state: 'running', pid: 56, restartCount: 3, labels: { app: 'x' } },
        ...{ hostNetwork: true, published: [], restartPolicy: 'always', exitCode: 0, conmonPid: 45 },
        startedAt: '2026-11-25T14:27:01.692029587Z',
        command: ['httpd', '-f', '-p', '8091'],
        env: ['PORT=8091'],
        healthCheck: ['CMD-SHELL', 'curl http://localhost:8091/health'],
      },
    ],
  ],
  [
    'docker, with published ports',
    [docker],
    [
      {
        ...{ id, name: 'web', state: 'created', pid: undefined, restartCount: 0, labels: {} },
        ...{ hostNetwork: false, restartPolicy: undefined, startedAt: undefined, conmonPid: undefined },
        published: [
          { port: 53, protocol: 'udp' },
          { port: 5353, protocol: 'udp' },
          { port: 32768, protocol: 'tcp' },
        ],
        ...{ exitCode: 0, command: ['nginx'], env: [], healthCheck: [] },
      },
    ],
  ],
  ["a pod's infra container is left out", [{ ...podman, IsInfra: true }], []],
  ['what is no container is left out', [null, 1, {}, { Id: id }], []],
  ['no list is no answer', { Id: id }, undefined],
  ['nor is nothing', undefined, undefined],
];

for (const [name, value, want] of cases) {
  t.test(name, (t) => {
    t.same(parseListed(value), want);
    t.end();
  });
}

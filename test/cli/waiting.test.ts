import t from 'tap';
import { waitingFor } from '../../src/cli/waiting.ts';
import { parseListed } from '../../src/container/runtimes/listed.ts';
import type { ReportedProcess } from '../../src/model.ts';
import { liveProcess, sampleProcess } from '../helpers/sample-report.ts';
import { exactly } from '../helpers/exactly.ts';

const now = Date.parse('2026-01-02T09:00:00Z');
const orphan = sampleProcess();
const id = 'b'.repeat(64);

/** A container that was restarted a moment ago, and says nothing of a port. */
function looping(
  change: {
    env?: string[];
    args?: string[];
    test?: string[];
    ports?: object;
    id?: string;
    name?: string;
    count?: number;
    policy?: string;
    started?: string;
    status?: string;
  } = {},
) {
  const {
    env,
    args,
    test,
    ports = {},
    count = 63,
    policy = 'always',
    started = '2026-01-02T08:59:58Z',
  } = change;
  const listed = parseListed([
    {
      Id: change.id ?? id,
      Name: change.name ?? 'web',
      Path: 'server',
      Args: args,
      RestartCount: count,
      State: { Status: change.status ?? 'exited', StartedAt: started },
      Config: { Env: env, Healthcheck: { Test: test } },
      HostConfig: { PortBindings: ports, RestartPolicy: { Name: policy } },
    },
  ])!;
  return listed.map((container) => ({ ...container, runtime: 'podman', user: 'root' }));
}

const cases: [
  name: string,
  change: Parameters<typeof looping>[0],
  holders: ReportedProcess[],
  why: string | undefined,
][] = [
  ['by its environment', { env: ['PORT=8091'] }, [orphan], 'its environment has PORT=8091'],
  [
    'by an address in its environment',
    { env: ['LISTEN=0.0.0.0:8091'] },
    [],
    'its environment has LISTEN=0.0.0.0:8091',
  ],
  ['a longer number is another', { env: ['PORT=18091', 'ID=80910', 'V=1.8091'] }, [orphan], undefined],
  ['the name of a variable says nothing', { env: ['P8091=x'] }, [orphan], undefined],
  ['by its command', { args: ['--port=8091'] }, [orphan], 'its command names the port'],
  [
    'by its health check',
    { test: ['CMD-SHELL', 'curl http://localhost:8091/'] },
    [orphan],
    'its health check asks the port',
  ],
  ['by a published port', { ports: { '80/tcp': [{ HostPort: '8091' }] } }, [], 'it publishes the port'],
  [
    'by the holder’s container',
    { id: orphan.container!.id! },
    [orphan],
    'an earlier life of it holds the port',
  ],
  ['by the holder’s name', { name: 'local-ai-aidb' }, [orphan], 'an earlier life of it holds the port'],
  [
    'one that has the port waits for nothing',
    { id: orphan.container!.id!, env: ['PORT=8091'] },
    [liveProcess(7, 'aidb', [8091])],
    undefined,
  ],
  ['about another port', { env: ['PORT=3001'] }, [orphan], undefined],
  ['never restarted', { env: ['PORT=8091'], count: 0 }, [orphan], undefined],
  ['without a restart policy', { env: ['PORT=8091'], policy: 'no' }, [orphan], undefined],
  [
    'restarted long ago and well since',
    { env: ['PORT=8091'], started: '2026-01-01T09:00:00Z', status: 'running' },
    [orphan],
    undefined,
  ],
  [
    'docker between two restarts',
    { env: ['PORT=8091'], started: '2026-01-02T08:00:00Z', status: 'restarting' },
    [orphan],
    'its environment has PORT=8091',
  ],
];

t.test('which container waits for a port, and how that is known', (t) => {
  for (const [name, change, holders, why] of cases) {
    const found = waitingFor(8091, holders, looping(change), now);
    t.equal(found[0]?.why, why, name);
    if (why !== undefined) t.match(found, exactly({ runtime: 'podman', user: 'root', restartCount: 63 }));
  }
  t.end();
});

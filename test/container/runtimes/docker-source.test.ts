import { createServer } from 'node:http';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import type { ContainerQuery } from '../../../src/container/runtimes/answer.ts';
import { Asker } from '../../../src/container/runtimes/ask.ts';
import { DockerSource } from '../../../src/container/runtimes/docker-source.ts';
import { Host } from '../../../src/container/runtimes/host.ts';
import type { ContainerStore } from '../../../src/model.ts';
import { hexId, hostTree } from '../../helpers/host-tree.ts';

const id = hexId('a');
const config = `/var/lib/docker/containers/${id}/config.v2.json`;
const runs = { ID: id, Name: '/web', State: { Running: true, Pid: 50 } };
const exited = {
  status: 200,
  body: { Id: id, Name: '/web', State: { Status: 'exited', Pid: 0 }, RestartCount: 2 },
};
const unknown = { status: 404, body: { message: 'No such container' } };
const store = (root: string): ContainerStore => ({
  root,
  driver: 'overlay2',
  runRoot: undefined,
  layer: undefined,
});

const cases: {
  name: string;
  files: Record<string, string | object>;
  socket?: { status: number; body: object };
  store?: ContainerStore;
  id?: string;
  recordOnly?: boolean;
  expected: object[];
  asked: number;
}[] = [
  {
    name: 'what its record says to run is checked with the daemon',
    files: { [config]: runs },
    socket: exited,
    expected: [
      { via: 'record', state: 'running', pid: 50 },
      { via: 'socket', state: 'exited', restartCount: 2 },
    ],
    asked: 1,
  },
  { name: 'no daemon', files: { [config]: runs }, expected: [{ via: 'record', state: 'running' }], asked: 0 },
  {
    name: 'the record is enough for a supervised container',
    files: { [config]: runs },
    socket: exited,
    recordOnly: true,
    expected: [{ via: 'record', state: 'running' }],
    asked: 0,
  },
  {
    name: 'a record that is gone is enough',
    files: { '/var/lib/docker/containers/': '' },
    socket: exited,
    expected: [{ via: 'record', result: 'absent' }],
    asked: 0,
  },
  {
    name: 'a daemon may be reached without its files',
    files: {},
    socket: exited,
    expected: [{ via: 'socket', state: 'exited' }],
    asked: 1,
  },
  {
    name: 'and may not know it',
    files: {},
    socket: unknown,
    expected: [{ via: 'socket', result: 'absent' }],
    asked: 1,
  },
  { name: 'no docker at all', files: {}, expected: [], asked: 0 },
  {
    name: 'the usual daemon’s 404 is no answer for another data root',
    files: { [`/srv/d/containers/${id}/config.v2.json`]: '{' },
    store: store('/srv/d'),
    socket: unknown,
    expected: [{ via: 'record', result: 'silent' }],
    asked: 1,
  },
  {
    name: 'its knowing it is one',
    files: { [`/srv/d/containers/${id}/config.v2.json`]: '{' },
    store: store('/srv/d'),
    socket: exited,
    expected: [
      { via: 'record', result: 'silent' },
      { via: 'socket', state: 'exited' },
    ],
    asked: 1,
  },
  {
    name: 'its 404 is one for its own data root, whose record can’t be read',
    files: { [config]: '{' },
    store: store('/var/lib/docker'),
    socket: unknown,
    expected: [
      { via: 'record', result: 'silent' },
      { via: 'socket', result: 'absent' },
    ],
    asked: 1,
  },
  {
    name: 'a data root that is not on this host',
    files: { [config]: runs },
    store: store('/srv/d'),
    expected: [{ via: 'record', result: 'silent', source: '/srv/d' }],
    asked: 0,
  },
];

async function listen(
  t: Test,
  path: string,
  { status, body }: { status: number; body: object },
): Promise<() => number> {
  let asked = 0;
  const server = createServer((_, response) => {
    asked++;
    response.statusCode = status;
    response.end(JSON.stringify(body));
  });
  await new Promise<void>((resolve) => server.listen(path, resolve));
  t.teardown(() => server.close());
  return () => asked;
}

for (const { name, files, socket, store: named, recordOnly = false, expected, asked } of cases) {
  t.test(name, async (t) => {
    const server = { pid: 50, ppid: 1, cmdline: ['server'], cgroup: `/docker/${id}`, mnt: '5' };
    const tree = hostTree(t, [server], { ...files, '/var/run/': '' });
    const calls =
      socket === undefined ? () => 0 : await listen(t, join(tree.root, 'var/run/docker.sock'), socket);
    const host = new Host(tree.root, {});
    const asker = new Asker({ host, proc: tree.proc, timeoutMs: 10_000, cli: false, env: {} });
    const query: ContainerQuery = {
      provenance: { runtime: 'docker', id, via: 'cgroup', store: named, evidence: [] },
      uid: 0,
      pids: [60],
    };
    const answers = await new DockerSource(host, tree.proc, asker).answers(query, { recordOnly });
    t.equal(answers.length, expected.length);
    t.match(answers, expected);
    t.equal(calls(), asked);
  });
}

import t from 'tap';
import { classify } from '../../src/classify/classify.ts';
import type { ContainerState, ContainerView, Provenance } from '../../src/model.ts';
import { compilePattern } from '../../src/scan/patterns.ts';
import type { ContainerQuery } from '../../src/container/runtimes/answer.ts';
import type { RuntimeViews } from '../../src/scan/runtime-views.ts';
import { scan } from '../../src/scan/scan.ts';
import { procTree, type FakeProcess } from '../helpers/proc-tree.ts';

const A = 'a'.repeat(64);
const B = 'b'.repeat(64);
const conmon = (pid: number, id: string, changes: Partial<FakeProcess> = {}): FakeProcess => ({
  pid,
  ppid: 1,
  cmdline: ['/usr/bin/conmon', '--api-version', '1', '-c', id, '-u', id],
  comm: 'conmon',
  exe: '/usr/bin/conmon',
  ...changes,
});
const podman = (pid: number, ppid: number, id: string, changes: Partial<FakeProcess> = {}): FakeProcess => ({
  pid,
  ppid,
  cmdline: ['/app/serve'],
  cgroup: `/machine.slice/libpod-${id}.scope/container`,
  mnt: `10${id.charCodeAt(0)}`,
  mountinfo: '73 48 0:40 / / rw - overlay overlay rw,lowerdir=/l\n',
  ...changes,
});

interface Answers {
  [id: string]: { state: ContainerState; pid?: number; name?: string };
}

/** Runtimes that say what a case tells them to, and write down who was asked about. */
function runtimes(answers: Answers): RuntimeViews & { asked: ContainerQuery[] } {
  const asked: ContainerQuery[] = [];
  const of = (provenance: Provenance): Answers[string] | undefined => answers[provenance.id ?? ''];
  return {
    asked,
    view: (query, { recordOnly = false }): Promise<ContainerView> => {
      if (!recordOnly) asked.push(query);
      const { state = 'absent', pid, name } = of(query.provenance) ?? {};
      return Promise.resolve({ state, pid, name, labels: {}, restartCount: undefined, evidence: [] });
    },
    names: (provenance) => ({ name: of(provenance)?.name, labels: {} }),
    statuses: () => [],
  };
}

async function verdicts(
  t: { testdir(): string },
  processes: FakeProcess[],
  answers: Answers = {},
  self = 999,
): Promise<Record<number, string>> {
  const proc = procTree(t.testdir(), processes, [[8091, 7001]], self);
  const { facts } = await scan({
    proc,
    hostRoot: '/nonexistent',
    ports: [{ port: 8091, protocol: 'tcp', service: 'aidb-http' }],
    patterns: new Map([['server\\.py --config', compilePattern('server\\.py --config')]]),
    containers: { names: ['local-ai-*'], labels: [], projects: [] },
    runtimes: runtimes(answers),
    userName: String,
    self,
  });
  return Object.fromEntries(
    facts.map((each) => [each.pid, `${classify(each).reason}${each.inScope ? '' : ' (out of scope)'}`]),
  );
}

const server = ['python3', '/app/server.py', '--config', 'x'];

t.test('a live container is supervised', async (t) => {
  t.strictSame(
    await verdicts(t, [conmon(10, A), podman(11, 10, A, { sockets: [7001] })], {
      [A]: { state: 'running', pid: 11 },
    }),
    {
      11: 'supervised',
    },
  );
});

t.test("what descends from a container's process is supervised through it", async (t) => {
  const found = await verdicts(
    t,
    [conmon(10, A), podman(11, 10, A), podman(12, 11, A, { sockets: [7001] })],
    {
      [A]: { state: 'running', pid: 11 },
    },
  );
  t.match(found, { 12: 'supervised' });
});

t.test('the process of a killed conmon is an orphan once its record is gone', async (t) => {
  t.strictSame(await verdicts(t, [podman(11, 1, A, { sockets: [7001] }), podman(12, 11, A)]), {
    11: 'container-gone',
    12: 'container-gone',
  });
});

t.test("another container's conmon keeps nothing of this one", async (t) => {
  t.match(await verdicts(t, [conmon(10, B), podman(13, 10, B), podman(11, 1, A, { sockets: [7001] })]), {
    11: 'container-gone',
  });
});

t.test('a podman exec whose own conmon has gone lives while the instance it is in is kept', async (t) => {
  const found = await verdicts(t, [conmon(10, A), podman(11, 10, A), podman(12, 1, A, { sockets: [7001] })], {
    [A]: { state: 'running', pid: 11 },
  });
  t.match(found, { 12: 'supervised' });
});

t.test(
  'an earlier life of a container that runs again is an orphan, the new life is supervised',
  async (t) => {
    const old = podman(11, 1, A, { mnt: '555', sockets: [7001] });
    const found = await verdicts(t, [conmon(20, A), podman(21, 20, A, { mnt: '666' }), old], {
      [A]: { state: 'running', pid: 21 },
    });
    t.strictSame(found, { 11: 'previous-instance', 21: 'supervised' });
  },
);

t.test(
  'a reparented child of the recorded instance is of that instance, not of an earlier one',
  async (t) => {
    const found = await verdicts(t, [podman(11, 1, A, { sockets: [7001] }), podman(12, 1, A)], {
      [A]: { state: 'running', pid: 11 },
    });
    t.strictSame(found, { 11: 'supervisor-dead', 12: 'supervisor-dead' });
  },
);

t.test('a container inside a live container is kept by the outer one', async (t) => {
  const inner = podman(12, 11, B, {
    cgroup: `/machine.slice/libpod-${A}.scope/container/libpod-${B}`,
    mnt: '777',
    sockets: [7001],
  });
  t.match(
    await verdicts(t, [conmon(10, A), podman(11, 10, A), inner], { [A]: { state: 'running', pid: 11 } }),
    { 12: 'supervised' },
  );
});

t.test('a pod of Kubernetes is kept by one shim that names its sandbox', async (t) => {
  const shim: FakeProcess = {
    pid: 10,
    ppid: 1,
    cmdline: ['/usr/bin/containerd-shim-runc-v2', '-namespace', 'k8s.io', '-id', B],
    exe: '/usr/bin/containerd-shim-runc-v2',
  };
  const pod = podman(11, 10, A, { cgroup: `/kubepods.slice/cri-containerd-${A}.scope`, sockets: [7001] });
  t.match(await verdicts(t, [shim, pod], { [A]: { state: 'silent' } }), { 11: 'supervised' });
});

t.test('a process that calls itself conmon supervises nothing', async (t) => {
  const impostor = conmon(10, A, { exe: '/tmp/x' });
  t.match(await verdicts(t, [impostor, podman(11, 10, A, { sockets: [7001] })]), {
    11: 'container-process-with-parent',
  });
});

const storeMounts = (id: string): string =>
  `73 48 0:40 / / rw - overlay overlay rw,lowerdir=/l,upperdir=/var/lib/containers/storage/overlay/${id}/diff,workdir=/w\n`;

t.test(
  "a program called conmon inside a dead container is the container's, and keeps nothing alive",
  async (t) => {
    const inner = podman(11, 1, A, {
      ...conmon(11, A),
      mountinfo: storeMounts(A),
      cgroup: `/libpod_parent/libpod-${A}`,
      sockets: [7001],
    });
    const child = podman(12, 11, A, { mountinfo: storeMounts(A) });
    t.strictSame(await verdicts(t, [inner, child]), { 11: 'container-gone', 12: 'container-gone' });
  },
);

t.test("a real conmon in its container's cgroup is a helper", async (t) => {
  const found = await verdicts(t, [
    conmon(10, A, { cgroup: `/libpod_parent/libpod-${A}`, sockets: [7001] }),
    podman(11, 10, A),
  ]);
  t.match(found, { 10: 'runtime-helper' });
});

t.test('a build step lives while its engine does', async (t) => {
  const engine: FakeProcess = {
    pid: 10,
    ppid: 1,
    cmdline: ['/usr/bin/buildah', 'bud'],
    exe: '/usr/bin/buildah',
  };
  t.match(
    await verdicts(t, [engine, podman(11, 10, A, { sockets: [7001] })], {
      [A]: { state: 'running', pid: 11 },
    }),
    { 11: 'supervised' },
  );
});

t.test('a shell inside a dead container that somebody still types into is a suspect at most', async (t) => {
  const shell: FakeProcess = { pid: 10, ppid: 1, cmdline: ['bash'] };
  const found = await verdicts(t, [shell, podman(11, 10, A, { sockets: [7001] }), podman(12, 1, A)]);
  t.strictSame(found, { 11: 'container-process-with-parent', 12: 'container-gone' });
});

t.test('workers of a stack process that lost its parent go with it, whatever they are called', async (t) => {
  const found = await verdicts(t, [
    { pid: 20, ppid: 1, cmdline: server, sockets: [7001] },
    { pid: 21, ppid: 20, cmdline: ['python3', '-c', 'spawn_main'], sockets: [7001] },
    { pid: 22, ppid: 21, cmdline: ['sleep', '9'] },
  ]);
  t.strictSame(found, {
    20: 'stack-process-reparented',
    21: 'stack-process-reparented',
    22: 'stack-process-reparented',
  });
});

t.test('a subreaper takes orphans over as pid 1 does, another parent does not', async (t) => {
  const found = await verdicts(t, [
    {
      pid: 10,
      ppid: 1,
      cmdline: ['/usr/lib/systemd/systemd', '--user'],
      comm: 'systemd',
      cgroup: '/user.slice/user-1000.slice/user@1000.service/init.scope',
    },
    { pid: 20, ppid: 10, cmdline: server },
    { pid: 11, ppid: 1, cmdline: ['supervisord'] },
    { pid: 21, ppid: 11, cmdline: server },
  ]);
  t.strictSame(found, { 20: 'stack-process-reparented', 21: 'stack-process-with-parent' });
});

t.test('a start script that runs orphand is alive, and so is its server', async (t) => {
  const found = await verdicts(t, [
    { pid: 30, ppid: 1, cmdline: ['bash', '/app/server.py', '--config'] },
    { pid: 31, ppid: 30, cmdline: server },
    { pid: 999, ppid: 30, cmdline: ['node', 'orphand'] },
  ]);
  t.match(found, { 30: 'protected', 31: 'stack-process-with-parent' });
});

t.test("a stack process of a unit is the unit's, and what it started too", async (t) => {
  const cgroup = '/system.slice/aidb.service';
  const found = await verdicts(t, [
    { pid: 20, ppid: 1, cmdline: server, cgroup },
    { pid: 21, ppid: 20, cmdline: ['worker'], cgroup, sockets: [7001] },
  ]);
  t.strictSame(found, { 20: 'systemd-unit', 21: 'systemd-unit' });
});

t.test("an unsupervised container that is not the stack's is reported out of scope", async (t) => {
  t.strictSame(await verdicts(t, [podman(11, 1, A)], { [A]: { state: 'exited', name: 'somebody' } }), {
    11: 'container-exited (out of scope)',
  });
});

t.test('a container of the stack is in scope by its name, port or not', async (t) => {
  t.strictSame(await verdicts(t, [podman(11, 1, A)], { [A]: { state: 'exited', name: 'local-ai-aidb' } }), {
    11: 'container-exited',
  });
});

t.test('a process that was handed the socket is judged on its own', async (t) => {
  const found = await verdicts(t, [
    podman(11, 1, A, { sockets: [7001] }),
    { pid: 40, ppid: 1, cmdline: ['nginx'], sockets: [7001] },
  ]);
  t.strictSame(found, { 11: 'container-gone', 40: 'not-the-stack' });
});

t.test('nobody is asked about a supervised container', async (t) => {
  const proc = procTree(t.testdir(), [conmon(10, A), podman(11, 10, A, { sockets: [7001] })], [[8091, 7001]]);
  const views = runtimes({ [A]: { state: 'running', pid: 11, name: 'local-ai-x' } });
  await scan({
    proc,
    hostRoot: '/nonexistent',
    ports: [{ port: 8091, protocol: 'tcp', service: 'x' }],
    patterns: new Map(),
    containers: { names: ['local-ai-*'], labels: [], projects: [] },
    runtimes: views,
    userName: String,
    self: 999,
  });
  t.strictSame(views.asked, []);
});

t.test(
  'in a container without a cgroup namespace its own name makes no container of what runs in it',
  async (t) => {
    const around = `/docker/${B}`;
    const init = { pid: 1, ppid: 0, cmdline: ['bash'], cgroup: around };
    const plain = { pid: 12, ppid: 1, cmdline: ['/usr/sbin/httpd'], cgroup: around, sockets: [7001] };
    const within = podman(11, 1, A, { cgroup: `${around}/libpod_parent/libpod-${A}`, sockets: [7001] });
    t.strictSame(await verdicts(t, [init, plain, within]), { 11: 'container-gone', 12: 'not-the-stack' });
  },
);

t.test('what pid 1 may have started itself, as an entrypoint does, is no orphan', async (t) => {
  const init = { pid: 1, ppid: 0, cmdline: ['tini', '--'], comm: 'tini' };
  const own = { pid: 11, ppid: 1, cmdline: server, session: 1, sockets: [7001] };
  const left = { pid: 12, ppid: 1, cmdline: server };
  t.strictSame(await verdicts(t, [init, own, left]), {
    11: 'stack-process-with-parent',
    12: 'stack-process-reparented',
  });
});

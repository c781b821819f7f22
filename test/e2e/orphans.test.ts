import t from 'tap';
import { moveToCgroup } from '../helpers/lab/cgroups.ts';
import { writeConfig } from '../helpers/lab/config.ts';
import { thisMachine } from '../helpers/lab/host.ts';
import { hostKinds, openHost } from '../helpers/lab/hosts.ts';
import { clean, judged, outcome } from '../helpers/lab/orphand.ts';
import {
  isolatedPodman,
  makePodmanForget,
  rootPodman,
  startContainer,
  type Container,
  type Podman,
} from '../helpers/lab/podman.ts';
import { freePort } from '../helpers/lab/ports.ts';
import { lives, readStat, treeOf, type Proc } from '../helpers/lab/processes.ts';
import { httpd, pythonServer } from '../helpers/lab/server.ts';
import { served, serves } from '../helpers/lab/serving.ts';
import { until } from '../helpers/lab/wait.ts';
import { needs } from '../helpers/needs.ts';

interface Variant {
  name: string;
  ports: number[];
  flags?: string[];
  command: string[];
  /** How many processes it has. */
  size?: number;
  before?: (podman: Podman, container: Container) => Promise<void>;
  /** How it ends: SIGTERM is enough where the first process of a container has a handler, or is no first process. */
  outcome: 'terminated' | 'killed';
}

const orphanVariants: Variant[] = [
  { name: 'a plain server', ports: [19001], command: httpd(19001), outcome: 'killed' },
  {
    name: 'one that takes SIGTERM',
    ports: [19002],
    flags: ['--pid=host'],
    command: httpd(19002),
    outcome: 'terminated',
  },
  {
    name: 'one that ignores SIGTERM',
    ports: [19003],
    ...withPidHost(pythonServer({ ports: [19003], ignoreTerm: true })),
    outcome: 'killed',
  },
  {
    name: 'one that has forked workers on its socket',
    ports: [19004],
    ...pythonServer({ ports: [19004], workers: 4 }),
    size: 5,
    outcome: 'killed',
  },
  {
    name: 'one on two ports',
    ports: [19005, 19006],
    ...pythonServer({ ports: [19005, 19006] }),
    outcome: 'killed',
  },
  {
    name: 'one that was moved to another cgroup',
    ports: [19007],
    command: httpd(19007),
    before: ({ host }, { init }) => moveToCgroup(host, init.pid, 'orphand-lab-moved'),
    outcome: 'killed',
  },
  {
    name: 'one whose main thread has exited',
    ports: [19008],
    ...withPidHost(pythonServer({ ports: [19008], deadMain: true })),
    before: async ({ host }, { init }) => {
      await until('state Z', () => readStat(host, init.pid)?.state === 'Z');
    },
    outcome: 'terminated',
  },
  {
    name: 'one that was paused',
    ports: [19009],
    command: httpd(19009),
    before: async (podman, { name }) => {
      await podman('pause', name);
    },
    outcome: 'killed',
  },
  {
    name: 'one that was stopped with SIGSTOP',
    ports: [19010],
    flags: ['--pid=host'],
    command: httpd(19010),
    before: async ({ host }, { init }) => {
      await host.ok(['kill', '-STOP', `${init.pid}`]);
    },
    outcome: 'killed',
  },
  {
    name: 'one that starts its server again',
    ports: [19011],
    command: ['sh', '-c', `trap : TERM; while :; do ${httpd(19011).join(' ')}; done`],
    size: 2,
    outcome: 'killed',
  },
];

function withPidHost(server: { flags: string[]; command: string[] }): { flags: string[]; command: string[] } {
  return { ...server, flags: ['--pid=host', ...server.flags] };
}

for (const kind of hostKinds())
  t.test(`containers that podman forgot are ended, live ones beside them stay (${kind})`, async (t) => {
    if (!needs(t, 'root', 'podman', 'runc', 'unshare', 'nspawn')) return;
    const host = await openHost(t, kind);
    const podman = await rootPodman(host);
    const orphans: { variant: Variant; container: Container; tree: Proc[] }[] = [];
    for (const [index, variant] of orphanVariants.entries()) {
      const { flags = [], command, ports, before, size = 1 } = variant;
      const container = await startContainer(podman, `variant-${index}`, flags, command);
      await served(host, ...ports);
      await before?.(podman, container);
      const tree = flags.includes('--pid=host')
        ? [container.init]
        : await treeOf(host, container.init.pid, size);
      orphans.push({ variant, container, tree });
    }
    for (const { container } of orphans) await makePodmanForget(podman, container);
    const livePort = 19100;
    const live = await startContainer(podman, 'live', [], httpd(livePort));
    await served(host, livePort);

    const config = writeConfig(host, { ports: [livePort, ...orphanVariants.flatMap(({ ports }) => ports)] });
    const { code, report } = await clean(host, config);
    for (const { variant, tree, container } of orphans) {
      t.equal(judged(report.scan, container.init), 'orphan container-gone', `${variant.name} is an orphan`);
      t.equal(outcome(report, container.init), variant.outcome, `${variant.name} is ${variant.outcome}`);
      for (const one of tree) t.notOk(lives(host, one), `${variant.name}: ${one.pid} has gone`);
      for (const port of variant.ports)
        t.match(
          report.ports.find((one) => one.port === port),
          { state: 'free', freed: true },
          `${variant.name}: port ${port} is free`,
        );
    }
    t.equal(report.ok, true);
    t.equal(code, 0, 'nothing is left to clean');
    t.ok(lives(host, live.init) && lives(host, live.conmon), 'the live container lives');
    t.equal(judged(report.scan, live.init), 'container supervised');
    t.equal(outcome(report, live.init), undefined, 'and was no target');
    t.ok(await serves(host, livePort), 'and serves');
    await startContainer(podman, 'again', [], httpd(19001));
    await served(host, 19001);
  });

t.test("on the machine itself, with a store of the test's own, only the orphan goes", async (t) => {
  if (!needs(t, 'root', 'podman', 'runc')) return;
  const host = thisMachine(t);
  const podman = await isolatedPodman(host);
  const [port, livePort] = [await freePort(), await freePort()];
  const orphan = await startContainer(podman, `orphan-${port}`, [], httpd(port));
  await served(host, port);
  await makePodmanForget(podman, orphan);
  const live = await startContainer(podman, `live-${port}`, [], httpd(livePort));
  await served(host, livePort);
  const { report } = await clean(host, writeConfig(host, { ports: [port, livePort] }));
  t.equal(judged(report.scan, orphan.init), 'orphan container-gone');
  t.notOk(lives(host, orphan.init), 'the orphan has gone');
  t.strictSame(
    report.actions.map(({ pid }) => pid),
    [orphan.init.pid],
    'it was the only target',
  );
  t.match(
    report.ports.find((one) => one.port === port),
    { state: 'free', freed: true },
  );
  t.ok(lives(host, live.init) && lives(host, live.conmon), 'the live container lives');
  t.ok(await serves(host, livePort));
});

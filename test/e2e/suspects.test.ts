import t from 'tap';
import { writeConfig } from '../helpers/lab/config.ts';
import { privateHost, views } from '../helpers/lab/host.ts';
import { hostKinds, openHost } from '../helpers/lab/hosts.ts';
import { clean, judged, outcome, scan } from '../helpers/lab/orphand.ts';
import { killConmon, rootPodman, startContainer, stateOf } from '../helpers/lab/podman.ts';
import { lives } from '../helpers/lab/processes.ts';
import { addUser, rootlessPodman } from '../helpers/lab/rootless.ts';
import { httpd } from '../helpers/lab/server.ts';
import { served, serves } from '../helpers/lab/serving.ts';
import { needs } from '../helpers/needs.ts';

const port = 18291;
const livePort = 18292;

const cases = [
  ...hostKinds().map((kind) => ({ kind, rootless: false })),
  ...views().map((kind) => ({ kind, rootless: true })),
];

for (const { kind, rootless } of cases)
  t.test(
    `a container without conmon that podman calls Up is kept, and ended with --suspects (${rootless ? 'rootless, ' : ''}${kind})`,
    async (t) => {
      if (!needs(t, 'root', 'podman', 'runc', 'unshare', 'nspawn')) return;
      const host = rootless ? await privateHost(t, kind === 'v2' ? 'v2' : 'native') : await openHost(t, kind);
      const podman = rootless ? await rootlessPodman(host, await addUser(host)) : await rootPodman(host);
      const suspect = await startContainer(podman, 'suspect', ['--stop-timeout=1'], httpd(port));
      const live = await startContainer(podman, 'live', [], httpd(livePort));
      await served(host, port, livePort);
      await killConmon(podman, suspect);
      t.equal(await stateOf(podman, 'suspect'), 'running', 'podman says Up');
      const config = writeConfig(host, { ports: [port, livePort] });

      t.equal((await scan(host, config)).code, 1, 'scan says that something is wrong');
      const kept = await clean(host, config);
      t.equal(judged(kept.report.scan, suspect.init), 'suspect supervisor-dead');
      t.strictSame(kept.report.actions, [], 'without --suspects nothing is done');
      t.equal(kept.code, 1, 'and something is left to clean');
      t.strictSame(
        kept.report.remaining.map(({ pid }) => pid),
        [suspect.init.pid],
        'which is named',
      );
      t.ok(lives(host, suspect.init) && (await serves(host, port)), 'it lives and serves');

      const ended = await clean(host, config, ['--suspects']);
      t.match(outcome(ended.report, suspect.init), /^(terminated|killed)$/);
      t.notOk(lives(host, suspect.init), 'with --suspects it goes');
      t.notOk(await serves(host, port), 'and the port is free');
      t.equal(await stateOf(podman, 'suspect'), undefined, 'podman ps -a shows no ghost');
      t.equal(ended.code, 0, 'nothing is left to clean');
      t.ok(lives(host, live.init) && lives(host, live.conmon), 'the live container lives');
      t.equal(await stateOf(podman, 'live'), 'running');
      t.ok(await serves(host, livePort));
      await startContainer(podman, 'suspect', [], httpd(port));
      await served(host, port);
    },
  );

import t from 'tap';
import { writeConfig } from '../helpers/lab/config.ts';
import { hostKinds, openHost } from '../helpers/lab/hosts.ts';
import { clean, judged, outcome, scan } from '../helpers/lab/orphand.ts';
import { makePodmanForget, rootPodman, startContainer } from '../helpers/lab/podman.ts';
import { lives } from '../helpers/lab/processes.ts';
import { pythonServer } from '../helpers/lab/server.ts';
import { served, serves } from '../helpers/lab/serving.ts';
import { until } from '../helpers/lab/wait.ts';
import { needs } from '../helpers/needs.ts';

const port = 18491;

for (const kind of hostKinds())
  t.test(
    `of a live container and an orphan on one port by SO_REUSEPORT only the orphan goes (${kind})`,
    async (t) => {
      if (!needs(t, 'root', 'podman', 'runc', 'unshare', 'nspawn')) return;
      const host = await openHost(t, kind);
      const podman = await rootPodman(host);
      const { flags, command } = pythonServer({ ports: [port], reuseport: true });
      const orphan = await startContainer(podman, 'old', flags, command);
      await served(host, port);
      await makePodmanForget(podman, orphan);
      const live = await startContainer(podman, 'new', flags, command);
      const config = writeConfig(host, { ports: [port] });
      const before = await until('both to listen', async () => {
        const { report } = await scan(host, config);
        return report.ports[0]?.listeners.length === 2 && report;
      });
      t.strictSame(
        new Set(before.ports[0]?.listeners.flatMap(({ holders }) => holders)),
        new Set([orphan.init.pid, live.init.pid]),
        'each socket has its own holder',
      );

      const { code, report } = await clean(host, config);
      t.equal(judged(report.scan, orphan.init), 'orphan container-gone');
      t.equal(judged(report.scan, live.init), 'container supervised');
      t.notOk(lives(host, orphan.init), 'the orphan has gone');
      t.equal(outcome(report, live.init), undefined, 'the live container was no target');
      t.ok(lives(host, live.init) && lives(host, live.conmon), 'and lives');
      t.match(report.ports[0], { state: 'held', freed: true }, 'the port is held by it alone');
      t.equal(code, 0, 'which is as it should be');
      for (let request = 0; request < 10; request++) t.ok(await serves(host, port), 'no request is lost');
    },
  );

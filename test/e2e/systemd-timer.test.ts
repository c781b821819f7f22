import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { bootedHost } from '../helpers/booted/host.ts';
import { dropIn, enable, installInto, plantAtBoot, put } from '../helpers/booted/installed.ts';
import { copyPackage, debianRoot } from '../helpers/booted/root.ts';
import { lives, startProcess, type Proc } from '../helpers/lab/processes.ts';
import { until } from '../helpers/lab/wait.ts';
import { needs } from '../helpers/needs.ts';
import { exactly } from '../helpers/exactly.ts';

const config = `
ports: [8091, 8092]
gracePeriod: 1s
clean: { clean: orphans, confirmAfter: 1s }
`;

interface JournalLine {
  __MONOTONIC_TIMESTAMP: string;
  UNIT?: string;
  _SYSTEMD_UNIT?: string;
  MESSAGE: string;
}
interface Intent {
  kind: string;
  trigger: string;
  targets: { identity: { pid: number } }[];
}

t.test('a host without the daemon: timer and shutdown', async (t) => {
  if (!needs(t, 'root', 'nspawn', 'podman')) return;
  const root = debianRoot(t);
  const program = copyPackage(root);
  put(root, '/etc/orphand/config.yaml', config);
  put(root, '/var/log/journal/.keep', '');
  installInto(root, program, ['timer', 'shutdown']);
  enable(root, ['podman.service', 'podman-restart.service']);
  // By itself it ends after five idle seconds.
  dropIn(root, 'podman.service', [
    '[Service]',
    'ExecStart=',
    'ExecStart=/usr/bin/podman system service --time=0',
  ]);
  dropIn(root, 'orphand-sweep.timer', ['[Timer]', 'OnBootSec=1s', 'AccuracySec=100ms']);
  plantAtBoot(root, 'orphand-sweep.timer', { port: 8091 });
  const host = await bootedHost(t, root, program);
  const intents = (): Intent[] =>
    readFileSync(join(root, '/var/lib/orphand/journal.jsonl'), 'utf8')
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as Intent)
      .filter(({ kind }) => kind === 'intent');

  await t.test('the timer fires, and its clean-up ends what is in the way', async (t) => {
    await until(
      'the sweep',
      async () => (await host.show('orphand-sweep.service', 'ExecMainExitTimestamp')) !== '',
    );
    await until(
      'its end',
      async () => (await host.show('orphand-sweep.service', 'ActiveState')) === 'inactive',
    );
    t.equal(await host.show('orphand-sweep.service', 'Result'), 'success');
    t.equal(await host.show('orphand-sweep.service', 'TriggeredBy'), 'orphand-sweep.timer');
    t.match(intents(), exactly({ trigger: 'clean', targets: exactly({}) }));
    // It is waiting again, for a time that is known: not for a service that never comes to an end.
    await until('the next one', async () => {
      const next = await host.show('orphand-sweep.timer', 'NextElapseUSecMonotonic');
      return /^\d/.test(next) && (await host.show('orphand-sweep.timer', 'SubState')) === 'waiting';
    });
  });

  let stray: Proc | undefined;
  await t.test('a shutdown ends orphans before the runtimes stop', async (t) => {
    await host.ok(['systemctl', 'start', 'podman.service']);
    t.equal(await host.show('orphand-shutdown.service', 'ActiveState'), 'active');
    stray = await startProcess(host, {
      script: 'app/server.py',
      argv: ['python3', '-u', 'SCRIPT', '--config', 'x.yaml'],
      ports: [8092],
      ignoreTerm: true,
    });
    t.ok(lives(host, stray));
    await host.powerOff();

    t.match(intents()[1], { trigger: 'clean', targets: exactly({ identity: { pid: stray.pid } }) });
    const journal = ['--directory', join(root, '/var/log/journal'), '--output=json', '--no-pager'];
    const lines = execFileSync('journalctl', journal, { encoding: 'utf8', maxBuffer: 1 << 28 })
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as JournalLine);
    /** When PID 1 first said this of a unit, in microseconds after boot. */
    const said = (unit: string, message: RegExp): number => {
      const found = lines.find((line) => line.UNIT === unit && message.test(line.MESSAGE));
      if (found === undefined) t.fail(`${unit} ${String(message)} is not in the journal`);
      return Number(found?.__MONOTONIC_TIMESTAMP);
    };
    const over = said('orphand-shutdown.service', /^Stopped /);
    for (const unit of ['podman.service', 'podman-restart.service']) {
      const stopping = said(unit, /^Stopping /);
      t.ok(
        stopping >= over,
        `${unit} began to stop at ${String(stopping)}, the clean-up was over at ${String(over)}`,
      );
    }
    const own = lines
      .filter((line) => line._SYSTEMD_UNIT === 'orphand-shutdown.service')
      .map((line) => line.MESSAGE);
    t.match(own.join('\n'), /SIGKILL/, 'the one that ignores SIGTERM was killed');
  });
});

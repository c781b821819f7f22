import { readFileSync, statSync, writeFileSync } from 'node:fs';
import t from 'tap';
import type { Report } from '../../src/model.ts';
import { bootedHost, type BootedHost } from '../helpers/booted/host.ts';
import { dropIn, enable, installInto, plantAtBoot, put } from '../helpers/booted/installed.ts';
import { probeSandbox } from '../helpers/booted/probe.ts';
import { copyPackage, debianRoot } from '../helpers/booted/root.ts';
import { makePodmanForget, rootPodman, startContainer, stateOf } from '../helpers/lab/podman.ts';
import { lives, startProcess } from '../helpers/lab/processes.ts';
import { httpd, pythonServer } from '../helpers/lab/server.ts';
import { served } from '../helpers/lab/serving.ts';
import { startUnit } from '../helpers/lab/systemd.ts';
import { until } from '../helpers/lab/wait.ts';
import { needs } from '../helpers/needs.ts';
import { exactly } from '../helpers/exactly.ts';

const config = `
ports: [8091, 8092, 8094, 3001, 6333]
gracePeriod: 1s
sweep: { schedule: '*/2 * * * * *', clean: orphans, confirmAfter: 2s }
boot: { clean: orphans, confirmAfter: 1s }
`;

const api = 'http://127.0.0.1:9713';
/** GET from the daemon over TCP; undefined when it was not answered with 200. */
async function get(host: BootedHost, path: string): Promise<string | undefined> {
  const { code, stdout } = await host.run([
    'busybox',
    'timeout',
    '20',
    'busybox',
    'wget',
    '-q',
    '-O',
    '-',
    `${api}${path}`,
  ]);
  return code === 0 ? stdout : undefined;
}
async function report(host: BootedHost): Promise<Report> {
  return JSON.parse((await get(host, '/api/v1/scan')) ?? '') as Report;
}
/** A time of a unit, in microseconds after boot. */
async function when(host: BootedHost, unit: string, property: string): Promise<number> {
  return Number(await host.show(unit, `${property}Monotonic`));
}
async function ready(host: BootedHost): Promise<void> {
  await until('the daemon to be ready', async () => (await get(host, '/readyz')) !== undefined);
}

t.test('units that install wrote, on a host with systemd and podman', async (t) => {
  if (!needs(t, 'root', 'nspawn', 'podman')) return;
  const root = debianRoot(t);
  const program = copyPackage(root);
  put(root, '/etc/orphand/config.yaml', config);
  installInto(root, program, ['boot', 'daemon', 'shutdown']);
  enable(root, ['podman.service', 'podman-restart.service']);
  dropIn(root, 'orphand.service', ['[Service]', 'WatchdogSec=3s', '[Unit]', 'StartLimitBurst=50']);

  await t.test('a container that restarts at boot is made, and the host shut down', async (t) => {
    const host = await bootedHost(t, root, program);
    const podman = await rootPodman(host);
    const { flags, command } = pythonServer({ ports: [8091] }, ['--config', '/app/config/config.yaml']);
    await startContainer(podman, 'local-ai-aidb', ['--restart=always', ...flags], command);
    await served(host, 8091);
    await host.powerOff();
  });

  plantAtBoot(root, 'orphand-boot.service', { port: 8091 });
  const host = await bootedHost(t, root, program);

  await t.test('the boot clean-up ran, and was over before podman and its containers started', async (t) => {
    t.equal(await host.show('plant.service', 'Result'), 'success');
    t.equal(await host.show('orphand-boot.service', 'ActiveState'), 'active');
    t.equal(await host.show('orphand-boot.service', 'ExecMainStatus'), '0');
    const over = await when(host, 'orphand-boot.service', 'ExecMainExitTimestamp');
    t.ok(over > 0);
    t.ok(over > (await when(host, 'plant.service', 'ActiveEnterTimestamp')));
    for (const unit of ['podman.service', 'podman-restart.service']) {
      const started = await when(host, unit, 'InactiveExitTimestamp');
      t.ok(
        started >= over,
        `${unit} started at ${String(started)}, the clean-up was over at ${String(over)}`,
      );
    }
    const boot = JSON.parse(readFileSync(host.path('/run/orphand/boot.json'), 'utf8')) as object;
    const action = {
      comm: 'python3',
      reason: 'stack-process-reparented',
      ports: [8091],
      outcome: 'terminated',
    };
    t.match(boot, { ok: true, cleanup: { trigger: 'boot', actions: exactly(action) } });
    await served(host, 8091);
    t.equal(await stateOf(await rootPodman(host), 'local-ai-aidb'), 'running', 'the container has its port');
    t.equal((await host.run(['systemctl', '--failed', '--quiet'])).stdout, '', 'and no unit failed');
  });

  await t.test(
    'the daemon runs as its own user with three capabilities, has notified and is fed',
    async (t) => {
      await ready(host);
      t.equal(await host.show('orphand.service', 'ActiveState'), 'active');
      t.not(await host.show('orphand.service', 'StatusText'), '');
      const status = readFileSync(
        host.path(`/proc/${await host.show('orphand.service', 'MainPID')}/status`),
        'utf8',
      );
      const uid = await host.ok(['id', '-u', 'orphand']);
      t.match(status, new RegExp(`^Uid:\\t${uid}\\t${uid}\\t${uid}\\t${uid}$`, 'm'));
      // CAP_DAC_READ_SEARCH 2, CAP_KILL 5, CAP_SYS_PTRACE 19
      for (const set of ['CapPrm', 'CapEff', 'CapBnd', 'CapAmb'])
        t.match(status, `${set}:\t0000000000080024\n`);
      t.match(status, 'NoNewPrivs:\t1\n');
      const fed = await when(host, 'orphand.service', 'WatchdogTimestamp');
      await until(
        'another feeding',
        async () => (await when(host, 'orphand.service', 'WatchdogTimestamp')) > fed,
      );
    },
  );

  await t.test('it answers on both sockets, and reads the whole host', async (t) => {
    t.match(await get(host, '/healthz'), /./);
    t.match(await host.run([...host.orphand, 'status']), { code: 0 });
    const socket = statSync(host.path('/run/orphand/orphand.sock'));
    t.equal(socket.mode & 0o777, 0o660);
    t.equal(`${String(socket.uid)}:${String(socket.gid)}`, `0:${await host.ok(['id', '-g', 'orphand'])}`);
    const { privileged, unreadable, ports } = await report(host);
    t.strictSame({ privileged, unreadable }, { privileged: true, unreadable: [] });
    t.match(
      ports.find(({ port }) => port === 8091),
      { state: 'held', listeners: exactly({ holders: exactly(Number) }) },
    );
  });

  await t.test(
    "orphans of a container and of another user are ended, a unit's own process and a container are not",
    async (t) => {
      const podman = await rootPodman(host);
      await host.ok(['useradd', '--create-home', 'alice']);
      const live = await startContainer(podman, 'local-ai-qdrant', [], httpd(6333));
      await startUnit(host, 'mine.service', [
        `Environment='LAB={"ports":[8094],"ready":"/run/mine"}'`,
        'ExecStart=/usr/bin/python3 -u /app/server.py --config /app/mine.yaml',
      ]);
      await served(host, 6333, 8094);
      const mine = Number(await host.show('mine.service', 'MainPID'));
      const gone = await startContainer(podman, 'local-ai-webui', [], httpd(3001));
      await served(host, 3001);
      const stray = await startProcess(host, {
        script: 'app/server.py',
        argv: ['python3', '-u', 'SCRIPT', '--config', 'x.yaml'],
        user: 'alice',
        ports: [8092],
      });
      await makePodmanForget(podman, gone);
      await until("the container's orphan to be ended", () => !lives(host, gone.init), 30_000);
      await until("the other user's orphan to be ended", () => !lives(host, stray), 30_000);

      const after = await report(host);
      const verdict = (pid: number) => after.processes.find((one) => one.pid === pid);
      t.match(verdict(mine), { verdict: 'host', reason: 'systemd-unit', unit: 'mine.service' });
      t.match(verdict(live.init.pid), { verdict: 'container', reason: 'supervised' });
      t.equal(await host.show('mine.service', 'NRestarts'), '0');
      await served(host, 6333, 8094, 8091);

      const journal = '/var/lib/orphand/journal.jsonl';
      const lines = readFileSync(host.path(journal), 'utf8')
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line) as object);
      const targets = JSON.stringify(lines.filter((line) => 'kind' in line && line.kind === 'intent'));
      t.match(targets, /"reason":"container-gone"/);
      const podmanRecord = {
        name: 'podman',
        user: 'root',
        available: true,
        reason: '/var/lib/containers/storage',
      };
      t.match(after.runtimes, exactly(podmanRecord), "known from podman's own record");
      const { uid, mode } = statSync(host.path(journal));
      t.strictSame([String(uid), mode & 0o777], [await host.ok(['id', '-u', 'orphand']), 0o600]);
    },
  );

  await t.test('whoever takes the daemon over can read, and signal, and that is all', async (t) => {
    const can = await probeSandbox(host, 'probe.service');
    const needed = [
      'runNode',
      'writeState',
      'readDescriptorsOfPid1',
      'readEnvironmentOfPid1',
      'readRootlessStores',
      'seeHostSockets',
    ];
    t.strictSame(
      Object.keys(can).filter((what) => can[what] === 'done'),
      needed,
    );
    t.match(can, {
      writeEtc: 'EROFS',
      writeEtcThroughPid1: 'EACCES',
      writeMemoryOfPid1: 'EACCES',
      runShell: 'EACCES',
      runPodman: 'EACCES',
      // A copy of a shell in a folder that it may write would be one too.
      runFromState: 'EACCES',
      runFromTmp: 'EACCES',
      runFromVarTmp: 'EACCES',
      runFromShm: 'EACCES',
    });
  });

  await t.test('full root opens cgroup.kill, at the price that the drop-in names', async (t) => {
    await host.ok([...host.orphand, 'install', '--daemon', '--full-root']);
    const can = await probeSandbox(host, 'probe-full.service');
    t.match(can, { openCgroupKill: 'done', writeEtcThroughPid1: 'done' });
    t.match(can, { writeEtc: 'EROFS', runShell: 'EACCES' });
    t.not(can['becomeRoot'], 'done');
    await ready(host);
  });

  await t.test('a restart of podman leaves containers, daemon and boot clean-up as they are', async (t) => {
    const facts = async (): Promise<unknown[]> => [
      await host.show('orphand.service', 'MainPID'),
      await host.show('orphand-boot.service', 'ActiveState'),
      await when(host, 'orphand-boot.service', 'ExecMainStartTimestamp'),
    ];
    const before = await facts();
    await host.ok(['systemctl', 'restart', 'podman.service']);
    t.strictSame(await facts(), before);
    const { takenAt } = await report(host);
    await until('another sweep', async () => (await report(host)).takenAt !== takenAt);
    await served(host, 6333, 8091);
  });

  await t.test('a reload takes the new configuration, in the same process', async (t) => {
    const pid = await host.show('orphand.service', 'MainPID');
    writeFileSync(host.path('/etc/orphand/config.yaml'), config.replace('6333]', '6333, 6379]'));
    await host.ok(['systemctl', 'reload', 'orphand.service']);
    await until('the new port', async () => (await report(host)).ports.some(({ port }) => port === 6379));
    t.equal(await host.show('orphand.service', 'MainPID'), pid);
  });

  await t.test('a daemon that hangs is restarted by its watchdog', async (t) => {
    const pid = await host.show('orphand.service', 'MainPID');
    await host.ok(['kill', '-STOP', pid]);
    await until(
      'another daemon',
      async () => !['0', pid].includes(await host.show('orphand.service', 'MainPID')),
      40_000,
    );
    await ready(host);
    t.match(await host.ok(['journalctl', '--unit', 'orphand.service']), 'Watchdog timeout');
  });

  await t.test("a request right after a crash is answered: the socket is systemd's", async (t) => {
    const pid = await host.show('orphand.service', 'MainPID');
    await host.ok(['kill', '-KILL', pid]);
    t.match(await get(host, '/healthz'), /./);
    t.not(await host.show('orphand.service', 'MainPID'), pid);
  });

  await t.test('uninstall takes all of it back while the host runs', async (t) => {
    t.equal((await host.run([...host.orphand, 'uninstall'])).code, 0);
    for (const unit of [
      ...['orphand.service', 'orphand.socket', 'orphand-http.socket'],
      ...['orphand-boot.service', 'orphand-shutdown.service'],
    ])
      t.strictSame(
        [await host.show(unit, 'LoadState'), await host.show(unit, 'ActiveState')],
        ['not-found', 'inactive'],
        unit,
      );
    const atShutdown = await host.ok([
      'journalctl',
      '--output=cat',
      '--unit',
      'orphand-shutdown.service',
      '--boot',
    ]);
    t.notMatch(atShutdown, /summary|ports/i, 'without running the clean-up that is for a shutdown');
    const left = await host.ok(['find', '/etc', '/run', '-xdev', '-name', '*orphand*']);
    // The configuration was there before; the drop-in is the test's.
    t.strictSame(left.split('\n').sort(), ['/etc/orphand', '/etc/systemd/system/orphand.service.d']);
    t.equal((await host.run(['getent', 'passwd', 'orphand'])).code, 2);
  });
});

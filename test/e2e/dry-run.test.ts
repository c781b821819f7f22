import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { writeConfig } from '../helpers/lab/config.ts';
import { privateHost, views } from '../helpers/lab/host.ts';
import { clean, judged, outcome } from '../helpers/lab/orphand.ts';
import { killConmon, makePodmanForget, rootPodman, startContainer } from '../helpers/lab/podman.ts';
import { lives, startOrphan } from '../helpers/lab/processes.ts';
import { httpd } from '../helpers/lab/server.ts';
import { served, serves } from '../helpers/lab/serving.ts';
import { needs } from '../helpers/needs.ts';

const [gone, suspected, stack, alive] = [18591, 18592, 18593, 18594];

for (const view of views())
  t.test(`--dry-run sends no signal and prints the same plan (${view})`, async (t) => {
    if (!needs(t, 'root', 'podman', 'runc', 'unshare', 'strace')) return;
    const host = await privateHost(t, view);
    const podman = await rootPodman(host);
    const orphan = await startContainer(podman, 'gone', [], httpd(gone));
    await served(host, gone);
    await makePodmanForget(podman, orphan);
    const suspect = await startContainer(podman, 'suspect', ['--stop-timeout=1'], httpd(suspected));
    const live = await startContainer(podman, 'live', [], httpd(alive));
    const server = await startOrphan(host, { ports: [stack] });
    await killConmon(podman, suspect);
    const targets = [orphan.init, server, suspect.init];
    const config = writeConfig(host, {
      ports: [gone, suspected, stack, alive],
      patterns: ['server\\.py --config'],
    });

    const trace = join(host.dir, 'trace');
    const traced = {
      ...host,
      orphand: [
        ...['strace', '-f', '-qq', '-o', trace, '-e', 'trace=kill,tkill,tgkill,pidfd_send_signal'],
        ...host.orphand,
      ] as unknown as typeof host.orphand,
    };
    const planned = await clean(traced, config, ['--suspects', '--dry-run']);
    // `podman ps` may be asked, and signals nobody's processes but its own threads.
    const signals = readFileSync(trace, 'utf8').split('\n');
    t.strictSame(
      signals.filter(
        (line) => /(?:kill|pidfd_send_signal)\(/.test(line) && !/tgkill|, 0[,)]|SIGURG/.test(line),
      ),
      [],
      'no signal was sent',
    );
    t.equal(planned.report.dryRun, true);
    for (const one of targets) {
      t.equal(outcome(planned.report, one), 'planned');
      t.ok(lives(host, one), `${one.pid} lives`);
    }
    t.equal(planned.report.actions.length, targets.length);
    t.ok(
      planned.report.actions.every(({ steps }) => steps.length === 0),
      'no step was taken',
    );
    t.equal(planned.code, 1, 'something is left to clean');
    t.ok((await serves(host, gone)) && (await serves(host, suspected)) && (await serves(host, stack)));
    t.strictSame(
      await host.ok(['sh', '-c', `cat ${host.dir}/state/* 2>/dev/null | grep -c intent; true`]),
      '0',
      'the journal holds no intent',
    );

    const done = await clean(host, config, ['--suspects']);
    t.strictSame(
      done.report.actions.map(({ pid, startTime, verdict, reason }) => ({ pid, startTime, verdict, reason })),
      planned.report.actions.map(({ pid, startTime, verdict, reason }) => ({
        pid,
        startTime,
        verdict,
        reason,
      })),
      'the plan is the same without --dry-run',
    );
    for (const one of targets) t.notOk(lives(host, one), `${one.pid} has gone`);
    t.equal(judged(done.report.scan, live.init), 'container supervised');
    t.ok(lives(host, live.init) && (await serves(host, alive)), 'the live container lives');
    t.equal(done.code, 0);
  });

import t from 'tap';
import { writeConfig } from '../helpers/lab/config.ts';
import { privateHost, views } from '../helpers/lab/host.ts';
import { clean, judged, orphand, scan } from '../helpers/lab/orphand.ts';
import { makePodmanForget, rootPodman, startContainer } from '../helpers/lab/podman.ts';
import { lives, startOrphan } from '../helpers/lab/processes.ts';
import { addUser, rootlessPodman } from '../helpers/lab/rootless.ts';
import { httpd } from '../helpers/lab/server.ts';
import { served, serves } from '../helpers/lab/serving.ts';
import { needs } from '../helpers/needs.ts';

const [rootsPort, ownPort, livePort] = [18791, 18792, 18793];

for (const view of views())
  t.test(`without root, what can't be seen is said and nothing of it is touched (${view})`, async (t) => {
    if (!needs(t, 'root', 'podman', 'runc', 'unshare')) return;
    const host = await privateHost(t, view);
    const owner = await addUser(host);
    const { name: user, uid, home } = owner;
    const podman = await rootPodman(host);
    const roots = await startContainer(podman, 'roots', [], httpd(rootsPort));
    await served(host, rootsPort);
    await makePodmanForget(podman, roots);
    const config = writeConfig(host, {
      ports: [rootsPort],
      patterns: ['server\\.py --config'],
      stateDirectory: `${home}/state`,
    });

    const seen = await scan(host, config, [], { user });
    t.equal(seen.report.privileged, false);
    t.ok(seen.report.unreadable.length > 0, 'there are processes that could not be read');
    t.match(
      seen.report.ports[0],
      { port: rootsPort, state: 'held' },
      'the port is held, that much is public',
    );
    t.notMatch(judged(seen.report, roots.init), /^orphan/, 'nothing is guessed of its holder');
    t.equal(seen.code, 1);
    const said = await orphand(host, ['scan', '--config', config], { user });
    t.match(said.stdout + said.stderr, /sudo/, 'the cure is named');
    t.match(said.stdout + said.stderr, new RegExp(`\\b${seen.report.unreadable.length}\\b|\\bprocesses\\b`));
    t.equal(said.code, 1);

    const done = await clean(host, config, ['--suspects'], { user });
    t.strictSame(done.report.actions, [], 'nothing is done');
    t.equal(done.code, 1);
    t.ok(lives(host, roots.init) && (await serves(host, rootsPort)), "root's process lives and serves");

    const own = await startOrphan(host, { ports: [ownPort], user });
    const both = writeConfig(host, {
      ports: [rootsPort, ownPort, livePort],
      patterns: ['server\\.py --config'],
      stateDirectory: `${home}/state`,
    });
    const { report, code } = await clean(host, both, [], { user });
    t.equal(judged(report.scan, own), 'orphan stack-process-reparented', "the user's own orphan is known");
    t.match(report.scan.processes.find(({ pid }) => pid === own.pid)?.uid, uid);
    t.notOk(lives(host, own), 'and ended');
    t.ok(lives(host, roots.init), "root's lives on");
    t.equal(code, 1, 'which is left to clean');

    const rootless = await rootlessPodman(host, owner);
    const theirs = await startContainer(rootless, 'theirs', [], httpd(ownPort));
    await served(host, ownPort);
    await makePodmanForget(rootless, theirs);
    const live = await startContainer(rootless, 'live', [], httpd(livePort));
    await served(host, livePort);
    const again = await clean(host, both, ['--suspects'], { user });
    t.equal(
      judged(again.report.scan, theirs.init),
      'orphan container-gone',
      "an orphan of the user's podman",
    );
    t.notOk(lives(host, theirs.init), 'is ended');
    t.equal(judged(again.report.scan, live.init), 'container supervised');
    t.ok(lives(host, live.init) && lives(host, live.conmon), "the user's live container lives");
    t.ok(lives(host, roots.init));

    t.equal((await clean(host, config)).code, 0, 'root can end it');
    t.notOk(lives(host, roots.init));
  });

import { chmodSync, readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { Asker } from '../../../src/container/runtimes/ask.ts';
import { Host, rootUser } from '../../../src/container/runtimes/host.ts';
import { hexId, hostTree, unprivileged, type HostTree } from '../../helpers/host-tree.ts';
import { exactly } from '../../helpers/exactly.ts';

const id = hexId('a');
const me = { name: 'me', uid: process.getuid?.() ?? 0, gid: process.getgid?.() ?? 0, home: '/' };
const engine = { runtime: 'podman' as const, user: me, id, layer: undefined };
const inspection = {
  Id: id,
  Name: 'web',
  State: { Status: 'running', Pid: 50 },
  Config: { Labels: { a: 'b' } },
};
const server = { pid: 50, ppid: 1, cmdline: ['server'], cgroup: `/libpod_parent/libpod-${id}`, mnt: '5' };

/** A program that does what a script says, and writes down how it was called. */
function program(tree: HostTree, name: string, script: string): void {
  tree.write(`/usr/bin/${name}`, `#!/bin/sh\necho "$@" >>${tree.root}/calls\n${script}\n`);
  chmodSync(join(tree.root, 'usr/bin', name), 0o755);
}

async function serve(
  t: Test,
  tree: HostTree,
  path: string,
  status: number,
  body: object,
): Promise<() => number> {
  tree.write(`${path}.d/`, '');
  let calls = 0;
  const http = createServer((_, response) => {
    calls++;
    response.statusCode = status;
    response.end(JSON.stringify(body));
  });
  await new Promise<void>((resolve) => http.listen(join(tree.root, path), resolve));
  t.teardown(() => http.close());
  return () => calls;
}

function asker(
  tree: HostTree,
  more: { cli?: boolean; env?: NodeJS.ProcessEnv; timeoutMs?: number } = {},
): Asker {
  const { cli = true, env = {}, timeoutMs = 10_000 } = more;
  return new Asker({ host: new Host(tree.root, {}), proc: tree.proc, timeoutMs, cli, env });
}

const podmanSocket = me.uid === 0 ? '/run/podman/podman.sock' : `/run/user/${me.uid}/podman/podman.sock`;

const commands: { name: string; script: string; expected: object }[] = [
  { name: 'exit code 1 of `container exists` is absence', script: 'exit 1', expected: { result: 'absent' } },
  {
    name: 'any other failure is none',
    script: 'echo "Error: no such container" >&2; exit 125',
    expected: { result: 'silent', reason: 'exit code 125: Error: no such container' },
  },
  {
    name: 'the object that podman 5 prints',
    script: `[ "$2" = exists ] || echo '${JSON.stringify(inspection)}'`,
    expected: { result: 'known', state: 'running', pid: 50, name: 'web', labels: { a: 'b' } },
  },
  {
    name: 'the list that podman 4.3 prints',
    script: `[ "$2" = exists ] || echo '${JSON.stringify([inspection])}'`,
    expected: { result: 'known', state: 'running', pid: 50 },
  },
  {
    name: 'it ends while podman reads its /proc entry, and is restarted',
    script: `[ "$2" = exists ] && exit; cd "$(dirname "$0")"; [ -e asked ] && echo '${JSON.stringify(inspection)}' || { >asked; echo 'Error: read /proc/245/cgroup: no such process' >&2; exit 125; }`,
    expected: { result: 'known', state: 'running', pid: 50 },
  },
  { name: 'it exists, and inspect fails', script: '[ "$2" = exists ]', expected: { result: 'silent' } },
  { name: 'it exists, and inspect prints nothing', script: 'exit 0', expected: { result: 'silent' } },
  { name: 'it is ended by a signal', script: 'kill -9 $$', expected: { result: 'silent' } },
];

for (const { name, script, expected } of commands) {
  t.test(`podman’s command line: ${name}`, async (t) => {
    const tree = hostTree(t, [server]);
    program(tree, 'podman', script);
    t.match(
      await asker(tree).ask(engine, [60]),
      exactly({ runtime: 'podman', user: 'me', via: 'cli', ...expected }),
    );
    t.match(readFileSync(join(tree.root, 'calls'), 'utf8'), `container exists ${id}`);
  });
}

t.test('a command that does not end has not answered', async (t) => {
  const tree = hostTree(t, [server]);
  program(tree, 'podman', 'exec sleep 1000');
  t.match(
    await asker(tree, { timeoutMs: 200 }).ask(engine, [60]),
    exactly({ result: 'silent', reason: 'no answer in time' }),
  );
});

t.test(
  'docker’s command line: an empty list of a daemon is absence, a daemon that is not there is none',
  async (t) => {
    const docker = { ...engine, runtime: 'docker' as const };
    const gone = hostTree(t, []);
    program(gone, 'docker', 'exit 0');
    t.match(await asker(gone).ask(docker, []), exactly({ via: 'cli', result: 'absent' }));
    const dead = hostTree(t, []);
    program(dead, 'docker', 'echo "Cannot connect" >&2; exit 1');
    t.match(await asker(dead).ask(docker, []), exactly({ via: 'cli', result: 'silent' }));
    const there = hostTree(t, [server]);
    program(there, 'docker', `[ "$1" = ps ] && echo ${id} || echo '${JSON.stringify(inspection)}'`);
    t.match(
      await asker(there).ask(docker, [60]),
      exactly({ via: 'cli', result: 'known', state: 'running', pid: 50 }),
    );
  },
);

t.test('the socket is asked first, and its answer is enough', async (t) => {
  const tree = hostTree(t, [server], { [`${podmanSocket}.d/`]: '' });
  const calls = await serve(t, tree, podmanSocket, 200, inspection);
  program(tree, 'podman', 'exit 1');
  const ask = asker(tree);
  t.match(
    await ask.ask(engine, [60]),
    exactly({ via: 'socket', source: podmanSocket, result: 'known', state: 'running' }),
  );
  t.match(await ask.ask(engine, [60]), exactly({ result: 'known' }));
  t.equal(calls(), 1, 'asked once');
});

t.test('a socket that does not answer is followed by the command line', async (t) => {
  const tree = hostTree(t, [server], { [`${podmanSocket}.d/`]: '' });
  await serve(t, tree, podmanSocket, 500, {});
  program(tree, 'podman', 'exit 1');
  t.match(
    await asker(tree).ask(engine, [60]),
    exactly({ via: 'socket', result: 'silent' }, { via: 'cli', result: 'absent' }),
  );
});

t.test('no command line is run unless a person asked for it', async (t) => {
  const tree = hostTree(t, [server]);
  program(tree, 'podman', 'exit 1');
  t.strictSame(await asker(tree, { cli: false }).ask(engine, [60]), []);
});

t.test('nobody’s command line is run as somebody else', async (t) => {
  const tree = hostTree(t, [server]);
  program(tree, 'podman', 'exit 1');
  const ask = (): Promise<unknown> => asker(tree).ask({ ...engine, user: rootUser }, [60]);
  t.strictSame(await unprivileged(ask), []);
});

t.test('DOCKER_HOST’s socket is asked before the usual one', async (t) => {
  const tree = hostTree(t, [server], { '/srv/d/': '', '/var/run/': '' });
  await serve(t, tree, '/srv/d/sock', 404, { message: 'No such container' });
  const usual = await serve(t, tree, '/var/run/docker.sock', 200, inspection);
  const docker = { ...engine, runtime: 'docker' as const, user: rootUser };
  const ask = asker(tree, { cli: false, env: { DOCKER_HOST: 'unix:///srv/d/sock' } });
  t.match(await ask.ask(docker, [60]), exactly({ source: '/srv/d/sock', result: 'absent' }));
  t.equal(usual(), 0);
  t.match(
    await asker(tree, { cli: false, env: { DOCKER_HOST: 'tcp://x' } }).ask(docker, [60]),
    exactly({ source: '/var/run/docker.sock', result: 'known' }),
  );
});

t.test('a rootless engine has a socket of its user’s', async (t) => {
  const tree = hostTree(t, [server], { '/run/user/1000/podman/': '' });
  await serve(t, tree, '/run/user/1000/podman/podman.sock', 200, inspection);
  await serve(t, tree, '/run/user/1000/docker.sock', 404, { message: 'No such container' });
  const alice = { name: 'alice', uid: 1000, gid: 1000, home: '/home/alice' };
  const ask = asker(tree, { cli: false });
  t.match(await ask.ask({ ...engine, user: alice }, [60]), exactly({ user: 'alice', result: 'known' }));
  t.match(
    await ask.ask({ ...engine, runtime: 'docker', user: alice }, [60]),
    exactly({ user: 'alice', result: 'absent' }),
  );
});

import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { copyFileSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import t, { type Test } from 'tap';
import { compilePattern } from '../../src/scan/patterns.ts';
import { ScanMemory } from '../../src/scan/scan-memory.ts';
import { scan } from '../../src/scan/scan.ts';
import { needs } from '../helpers/needs.ts';
import { makeCgroup } from '../reap/cgroups.ts';
import { containerId, until } from '../reap/world.ts';
import { exactly } from '../helpers/exactly.ts';

const proc = { root: '/proc' };
const actorFile = join(import.meta.dirname, 'actor.py');

/** An actor.py that takes commands. */
class Actor {
  readonly pid: number;
  readonly #child: ChildProcess;
  readonly #lines: AsyncIterator<string>;

  constructor(child: ChildProcess) {
    this.#child = child;
    this.pid = child.pid!;
    this.#lines = createInterface(child.stdout!)[Symbol.asyncIterator]();
  }

  static async start(t: Test, program: string, argv0: string, args: string[]): Promise<Actor> {
    const env = { PATH: process.env['PATH'] };
    const child = spawn(program, args, { argv0, env, stdio: ['pipe', 'pipe', 'inherit'] });
    const ended = once(child, 'exit');
    t.teardown(() => {
      child.kill('SIGKILL');
      return ended;
    });
    const actor = new Actor(child);
    await actor.#line();
    return actor;
  }

  async tell(command: string): Promise<string> {
    this.#child.stdin!.write(`${command}\n`);
    return this.#line();
  }

  async kill(): Promise<void> {
    const ended = once(this.#child, 'exit');
    this.#child.kill('SIGKILL');
    await ended;
  }

  async #line(): Promise<string> {
    const line = await this.#lines.next();
    if (line.done === true) throw new Error(`actor ${this.pid} ended`);
    return line.value;
  }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

/** Looks with and without a memory at two ports, a pattern and the containers of a test. */
async function looking(t: Test) {
  const ports = [await freePort(), await freePort()] as const;
  const pattern = `actor\\.py --stack-${ports[0]}`;
  const times = { now: 0 };
  const memory = new ScanMemory(proc, () => times.now);
  t.teardown(() => {
    memory.close();
  });
  const mine = new Set<number>();
  let looks = 0;
  const look = async (known?: ScanMemory, whole?: boolean) => {
    const { facts, ports: seen } = await scan({
      proc,
      hostRoot: '/',
      ports: ports.map((port) => ({ port, protocol: 'tcp', service: `port-${port}` })),
      patterns: new Map([[pattern, compilePattern(pattern)]]),
      containers: { names: [], labels: [], projects: [] },
      runtimes: {
        view: () =>
          Promise.resolve({
            state: 'absent',
            pid: undefined,
            name: undefined,
            labels: {},
            restartCount: undefined,
            evidence: [],
          }),
        names: () => ({ name: undefined, labels: {} }),
        statuses: () => [],
      },
      userName: String,
      self: process.pid,
      memory: known,
      whole,
    });
    // Whatever else runs on this machine comes and goes. Whether it runs or sleeps is nothing that a verdict asks for.
    const ours = facts.filter(({ pid }) => mine.has(pid));
    return { facts: ours.map((each) => ({ ...each, state: '' })), ports: seen };
  };
  return {
    ports,
    mine,
    look,
    title: (program: string) => `${program} --stack-${ports[0]}`,
    /** Asserts that both see the same, and answers that. */
    same: async (what: string, passMs = 15_000) => {
      times.now += passMs;
      const known = await look(memory);
      const fresh = await look();
      t.strictSame(known, fresh, what);
      // Now and then all is read, from when on what sleeps is at rest.
      if ((looks += 1) % 2 === 0) await look(memory, true);
      return fresh;
    },
    whole: () => look(memory, true),
    remembered: () => look(memory),
  };
}

function actor(t: Test, ...words: string[]): Promise<Actor> {
  return Actor.start(t, '/usr/bin/python3', 'python3', [actorFile, ...words]);
}

/** Ends a child of an actor's, which its parent does not wait for. */
async function end(t: Test, pid: number): Promise<void> {
  process.kill(pid, 'SIGKILL');
  await until(
    () => !existsSync(`/proc/${pid}`) || readFileSync(`/proc/${pid}/stat`, 'utf8').includes(') Z '),
  );
  t.pass(`${pid} has ended`);
}

t.test('sockets that are opened, shared, closed and left behind', async (t) => {
  const { ports, mine, same } = await looking(t);
  const one = await actor(t);
  const two = await actor(t);
  for (const { pid } of [one, two]) mine.add(pid);
  const holders = async (what: string, passMs?: number) => {
    const { ports: seen } = await same(what, passMs);
    return seen.map(({ listeners }) => listeners.map((each) => each.holders));
  };
  t.strictSame(await holders('nobody listens'), [[], []]);
  await one.tell(`listen ${ports[0]}`);
  t.strictSame(await holders('one listens'), [[[one.pid]], []]);
  t.strictSame(await holders('nothing happens'), [[[one.pid]], []]);
  const child = Number(await one.tell('fork'));
  mine.add(child);
  t.strictSame(await holders('a fork has it, too'), [[[one.pid, child]], []]);
  await one.tell('close');
  t.strictSame(await holders('the parent gives it up'), [[[child]], []]);
  await two.tell(`listen ${ports[0]}`);
  const both = await holders('another listens on the same port (SO_REUSEPORT)');
  t.same(new Set(both[0]!.flat()), new Set([child, two.pid]));
  await two.tell(`listen ${ports[1]}`);
  t.strictSame((await holders('and on another'))[1], [[two.pid]]);
  const spawned = Number(await two.tell('spawn python3'));
  mine.add(spawned);
  t.match((await holders('a new program inherits both', 100))[1], exactly(exactly(two.pid, spawned)));
  await two.kill();
  await holders('its parent is killed');
  await end(t, child);
  t.strictSame((await holders('the fork is killed'))[0], [[spawned]]);
  await end(t, spawned);
  t.strictSame(await holders('and so is the last'), [[], []]);
});

t.test('processes that become the stack, or a container’s, and lose who keeps them', async (t) => {
  if (!needs(t, 'root', 'podman')) return;
  const { ports, mine, same, title } = await looking(t);
  const id = containerId();
  const cgroup = makeCgroup(t, 'v2', `libpod-${id}.scope`);
  const move = (pid: number, directory: string) => {
    writeFileSync(join(directory, 'cgroup.procs'), String(pid));
  };
  // A conmon by its program: busybox goes by the name that it is called by, which is sh.
  const folder = t.testdir();
  copyFileSync('/bin/busybox', join(folder, 'conmon'));
  writeFileSync(join(folder, 'keep'), `/usr/bin/python3 ${actorFile} --idle & echo $!; wait\n`);
  const keeper = spawn(join(folder, 'conmon'), ['sh', join(folder, 'keep'), '-c', id, '-u', id], {
    argv0: 'busybox',
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const ended = once(keeper, 'exit');
  const [line] = (await once(createInterface(keeper.stdout), 'line')) as [string];
  const kept = Number(line);
  t.teardown(async () => {
    keeper.kill('SIGKILL');
    await ended;
  });
  const plain = await actor(t);
  for (const pid of [kept, plain.pid, keeper.pid!]) mine.add(pid);
  const reasons = async (what: string) => {
    const { facts } = await same(what);
    return Object.fromEntries(
      facts.map(({ pid, container, supervisor, patterns, inScope }) => [
        pid,
        `${container?.via ?? 'host'}, kept: ${supervisor?.pid === keeper.pid}, patterns: ${patterns.length}, in scope: ${inScope}`,
      ]),
    );
  };
  await same('as it began');
  t.strictSame(await reasons('nothing of it is the stack'), {});
  await plain.tell(`become ${title('python3')}`);
  t.strictSame(await reasons('one becomes a stack process'), {
    [plain.pid]: 'host, kept: false, patterns: 1, in scope: true',
  });
  move(plain.pid, cgroup.directory);
  await same('it moves into a container’s cgroup');
  move(kept, cgroup.directory);
  const moved = await reasons('and so does the child of conmon');
  t.match(moved[kept], /^cgroup, kept: true/);
  t.match(moved[plain.pid], /^cgroup, kept: false/);
  await plain.tell(`listen ${ports[0]}`);
  await reasons('it listens');
  keeper.kill('SIGKILL');
  await ended;
  t.match(await reasons('conmon is killed'), { [kept]: /^cgroup, kept: false/ });
  await same('nothing happens');
  move(plain.pid, join(cgroup.directory, '..'));
  t.match(await reasons('it moves out again'), { [plain.pid]: /^host/ });
  process.kill(kept, 'SIGKILL');
  await until(() => !existsSync(`/proc/${kept}`));
  t.notMatch(await reasons('the container’s last process ends'), { [kept]: String });
});

t.test('a socket that is handed to a process which was there is seen when everything is read', async (t) => {
  const { ports, mine, remembered, whole } = await looking(t);
  const giver = await actor(t);
  const name = `orphand-test-${ports[0]}`;
  // SCM_RIGHTS, with no fork that would make a new process of the taker.
  const taker = spawn(
    '/usr/bin/python3',
    [
      '-c',
      `import socket, sys, time
s = socket.socket(socket.AF_UNIX); s.bind('\\0' + sys.argv[1]); s.listen(); print(flush=True)
held = socket.recv_fds(s.accept()[0], 1, 1)
print(flush=True)
time.sleep(1000)`,
      name,
    ],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  );
  const ended = once(taker, 'exit');
  t.teardown(() => {
    taker.kill('SIGKILL');
    return ended;
  });
  const lines = createInterface(taker.stdout)[Symbol.asyncIterator]();
  await lines.next();
  for (const pid of [giver.pid, taker.pid!]) mine.add(pid);
  await giver.tell(`listen ${ports[0]}`);
  await remembered();
  await giver.tell(`give ${name}`);
  await lines.next();
  const { ports: seen } = await whole();
  t.same(new Set(seen[0]!.listeners[0]!.holders), new Set([giver.pid, taker.pid]));
  const { ports: again } = await remembered();
  t.strictSame(again, seen, 'and known from then on');
});

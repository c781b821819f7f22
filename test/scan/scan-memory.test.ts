import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import type { ContainerState, Provenance } from '../../src/model.ts';
import { compilePattern } from '../../src/scan/patterns.ts';
import { ScanMemory } from '../../src/scan/scan-memory.ts';
import { scan, type Scan } from '../../src/scan/scan.ts';
import {
  endProcess,
  procTree,
  writeForks,
  writeListeners,
  writeProcess,
  type FakeProcess,
} from '../helpers/proc-tree.ts';

const SELF = 999;
const ids = ['a', 'b', 'c', 'd'].map((digit) => digit.repeat(64));
const ports = [8091, 5432, 6379];
const overlay = '73 48 0:40 / / rw - overlay overlay rw,lowerdir=/l\n';

/** Numbers that are the same in every run. */
function random(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

/** A host whose processes do what hosts' processes do, by chance. */
class World {
  readonly proc;
  readonly answers = new Map<string, { state: ContainerState; pid?: number; name?: string }>();
  now = 0;
  readonly #root: string;
  readonly #below: (below: number) => number;
  readonly #processes = new Map<number, FakeProcess & { sockets: number[] }>();
  /** Port by inode. */
  readonly #sockets = new Map<number, number>();
  #nextPid = 1999;
  #nextInode = 7000;
  #ran = 1;
  readonly #counts: boolean;

  /** @param counts whether this kernel counts forks, and what runs */
  constructor(root: string, seed: number, counts: boolean) {
    this.#root = root;
    this.#counts = counts;
    this.#below = random(seed);
    this.proc = procTree(root, [], [], SELF);
    for (let count = 0; count < 15; count += 1) this.#start();
  }

  /** Something happens; says what. */
  step(): string {
    const acts = [
      ...[
        'start',
        'start',
        'fork',
        'fork',
        'exit',
        'exit',
        'exec',
        'move',
        'listen',
        'close',
        'record',
        'rename',
      ],
      ...['wait', 'wait', 'wait', 'wait'],
    ] as const;
    const act = this.#pick(acts);
    this.now += this.#pick([1, 100, 2_500, 15_000]);
    const process = this.#pickOne(this.#processes.values());
    if (act === 'start') this.#start();
    else if (act === 'record') this.#record();
    else if (act === 'rename') this.#rename();
    else if (process === undefined || act === 'wait') return 'wait';
    else if (act === 'fork')
      this.#write({ ...process, sockets: [...process.sockets], pid: this.#pid(), ppid: process.pid });
    else if (act === 'exit') this.#exit(process);
    else if (act === 'exec') this.#exec(process);
    else if (act === 'move') this.#write({ ...process, cgroup: this.#cgroup() });
    else if (act === 'listen') this.#listen(process);
    else this.#close(process);
    writeListeners(
      this.#root,
      [...this.#sockets].map(([inode, port]) => [port, inode] as const),
    );
    return `${act} ${process?.pid ?? ''}`;
  }

  #start(): void {
    const parent = this.#pick([1, 1, ...this.#processes.keys()]);
    const program = this.#program();
    this.#write({ ppid: parent, sockets: [], ...program, ...this.#hasRun(), pid: this.#pid() });
  }

  /** With more than one thread, now and then. */
  #hasRun(): Pick<FakeProcess, 'ran' | 'threads'> {
    this.#ran += 1;
    return this.#counts ? { ran: this.#ran, threads: this.#pick([1, 1, 1, 2]) } : {};
  }

  #program(): Omit<FakeProcess, 'pid' | 'ppid'> {
    const id = this.#pick(ids);
    return this.#pick([
      { cmdline: ['/usr/sbin/sshd', '-D'] },
      { cmdline: ['/bin/sh', '-c', 'sleep 1'], exe: '/bin/dash' },
      { cmdline: ['python3', '/app/server.py', '--config', 'x'] },
      { cmdline: ['/usr/bin/podman', 'run', 'x'], comm: 'podman', exe: '/usr/bin/podman' },
      { cmdline: ['/usr/bin/conmon', '-c', id, '-u', id], comm: 'conmon', exe: '/usr/bin/conmon' },
      {
        cmdline: ['/app/serve'],
        cgroup: this.#cgroup(),
        mnt: String(100 + this.#below(6)),
        mountinfo: overlay,
      },
    ]);
  }

  #cgroup(): string {
    return this.#pick([
      '/',
      '/system.slice/cron.service',
      ...ids.map((id) => `/machine.slice/libpod-${id}.scope/container`),
    ]);
  }

  #exit({ pid, sockets }: { pid: number; sockets: number[] }): void {
    endProcess(this.#root, pid);
    this.#processes.delete(pid);
    for (const child of this.#processes.values()) if (child.ppid === pid) this.#write({ ...child, ppid: 1 });
    this.#drop(sockets);
  }

  #exec(process: FakeProcess & { sockets: number[] }): void {
    const kept = this.#below(2) === 0 ? process.sockets : [];
    const { pid, ppid, cgroup, threads, ran } = process;
    this.#write({
      ...(cgroup === undefined ? {} : { cgroup }),
      ...this.#program(),
      // Another thread may name it anew while the main one sleeps.
      ...(threads === 2 && this.#below(2) === 0 ? { ran, threads } : this.#hasRun()),
      pid,
      ppid,
      sockets: kept,
    });
    this.#drop(process.sockets);
  }

  /** Two may listen on one port (SO_REUSEPORT). */
  #listen(process: FakeProcess & { sockets: number[] }): void {
    const inode = this.#nextInode++;
    this.#sockets.set(inode, this.#pick(ports));
    this.#write({ ...process, sockets: [...process.sockets, inode] });
  }

  #close(process: FakeProcess & { sockets: number[] }): void {
    const [first, ...rest] = process.sockets;
    if (first === undefined) return;
    this.#write({ ...process, sockets: rest });
    this.#drop([first]);
  }

  /** A socket that nobody has is no more. */
  #drop(inodes: readonly number[]): void {
    const held = new Set([...this.#processes.values()].flatMap(({ sockets }) => sockets));
    for (const inode of inodes) if (!held.has(inode)) this.#sockets.delete(inode);
  }

  #record(): void {
    const pid = this.#pickOne(this.#processes.keys());
    const state = this.#pick(['running', 'exited', 'absent', 'silent'] as const);
    this.answers.set(this.#pick(ids), { state, ...(pid !== undefined && state === 'running' && { pid }) });
  }

  #rename(): void {
    const id = this.#pick(ids);
    this.answers.set(id, {
      state: 'running',
      ...this.answers.get(id),
      name: this.#pick(['local-ai-db', 'other']),
    });
  }

  #write(process: FakeProcess & { sockets: number[] }): void {
    writeProcess(this.#root, process);
    this.#processes.set(process.pid, process);
  }

  #pid(): number {
    this.#nextPid += 1;
    writeForks(this.#root, this.#counts ? this.#nextPid : undefined);
    return this.#nextPid;
  }

  #pick<T>(from: readonly T[]): T {
    const picked = from[this.#below(from.length)];
    if (picked === undefined) throw new Error('nothing to pick from');
    return picked;
  }

  #pickOne<T>(from: Iterable<T>): T | undefined {
    const all = [...from];
    return all[this.#below(all.length)];
  }
}

function look({ proc, answers }: World, memory?: ScanMemory, whole?: boolean) {
  const of = ({ id }: Provenance) => answers.get(id ?? '');
  return scan({
    proc,
    hostRoot: '/nonexistent',
    ports: ports.map((port) => ({ port, protocol: 'tcp', service: `port-${port}` })),
    patterns: new Map([['server\\.py --config', compilePattern('server\\.py --config')]]),
    containers: { names: ['local-ai-*'], labels: [], projects: [] },
    runtimes: {
      view: ({ provenance }) => {
        const { state = 'absent', pid, name } = of(provenance) ?? {};
        return Promise.resolve({ state, pid, name, labels: {}, restartCount: undefined, evidence: [] });
      },
      names: (provenance) => ({ name: of(provenance)?.name, labels: {} }),
      statuses: (running) => [
        { name: 'all', user: [...running()].sort().join(' '), available: true, reason: '' },
      ],
    },
    userName: String,
    self: SELF,
    memory,
    whole,
  });
}

function timeless(scan: Scan): Scan {
  return { ...scan, takenAt: new Date(0), durationMs: 0 };
}

/** Counts how much of each scan was left out. */
function counting(memory: ScanMemory): Map<string, number> {
  const kinds = new Map<string, number>();
  const begin = memory.begin.bind(memory);
  memory.begin = function* (whole, forks) {
    const known = yield* begin(whole, forks);
    const kind = known.selection !== undefined ? 'settled' : known.whole ? 'whole' : 'changed';
    kinds.set(kind, (kinds.get(kind) ?? 0) + 1);
    return known;
  };
  return kinds;
}

for (const seed of [1, 2, 3, 4, 5, 6]) {
  const counts = seed <= 4;
  t.test(
    `whatever happens, a scan that remembers sees what one does that reads everything (seed ${seed}${counts ? '' : ', no statistics'})`,
    async (t) => {
      const world = new World(t.testdir(), seed, counts);
      const memory = new ScanMemory(world.proc, () => world.now);
      t.teardown(() => {
        memory.close();
      });
      const kinds = counting(memory);
      const said: string[] = [];
      const verdicts = new Set<string>();
      for (let step = 0; step < 250; step += 1) {
        said.push(world.step());
        const known = timeless(await look(world, memory, step % 10 === 0));
        const fresh = timeless(await look(world));
        for (const { supervisor, container } of fresh.facts)
          verdicts.add(`${supervisor === undefined ? 'kept by nobody' : 'kept'} ${container?.via ?? 'host'}`);
        if (t.strictSame(known, fresh, `step ${step}: ${said.slice(-3).join(', ')}`)) continue;
        break;
      }
      for (const kind of ['settled', 'changed'])
        t.ok((kinds.get(kind) ?? 0) > 30, `${kind}: ${kinds.get(kind)}`);
      t.ok(verdicts.size >= 4, [...verdicts].join(', '));
    },
  );
}

t.test('where processes may be hidden, one comes to sight without a fork', async (t) => {
  const world = new World(t.testdir(), 1, true);
  const memory = new ScanMemory(world.proc, () => world.now);
  t.teardown(() => {
    memory.close();
  });
  const { root } = world.proc;
  const see = async () => (await look(world, memory)).facts.some(({ pid }) => pid === 5000);
  const newcomer = { ppid: 1, cmdline: ['python3', 'server.py', '--config', 'x'] };
  for (let round = 0; round < 4; round += 1) {
    world.now += 15_000;
    t.notOk(await see());
  }
  writeFileSync(join(root, 'self/status'), 'CapEff:\t0000000000000000\n');
  writeProcess(root, { ...newcomer, pid: 5000 });
  t.ok(await see());
});

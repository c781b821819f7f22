import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import type { Test } from 'tap';
import { openPidFd } from '../../src/linux/pidfd.ts';
import type { Reason, Report, ReportedProcess, Verdict } from '../../src/model.ts';
import { systemClock } from '../../src/reap/clock.ts';
import { confirm } from '../../src/reap/confirm.ts';
import { DeadTree, type Confirmed } from '../../src/reap/dead-tree.ts';
import { FirstLook } from '../../src/reap/first-look.ts';
import { planTargets } from '../../src/reap/plan.ts';
import { readBootId } from '../../src/procfs/boot.ts';
import { readCmdline } from '../../src/procfs/cmdline.ts';
import { readStat } from '../../src/procfs/stat.ts';
import { readStatus } from '../../src/procfs/status.ts';

export const proc = { root: '/proc' };

/** What a look is to say of a real process. */
export interface Said {
  pid: number;
  verdict?: Verdict;
  reason?: Reason;
  ports?: number[];
  container?: ReportedProcess['container'];
  supervisor?: ReportedProcess['supervisor'];
  inScope?: boolean;
  cause?: string;
  /** For a process that is made up. */
  startTime?: number;
}

/** A report about real processes: what has exited is not in it. */
export function reportOf(said: readonly Said[]): Report {
  const takenAt = new Date().toISOString();
  const processes = said.flatMap((each) => reported(each) ?? []);
  const ports = [...new Set(said.flatMap((each) => each.ports ?? []))].map((port) => {
    const holders = processes.filter((process) => process.ports.includes(port)).map(({ pid }) => pid);
    const listeners =
      holders.length === 0 ? [] : [{ address: '0.0.0.0', inode: 100_000 + port, uid: 0, holders }];
    return {
      port,
      protocol: 'tcp' as const,
      service: `service-${port}`,
      state: holders.length === 0 ? ('free' as const) : ('held' as const),
      listeners,
    };
  });
  const summary = { orphan: 0, suspect: 0, container: 0, helper: 0, host: 0, unknown: 0 };
  for (const { verdict } of processes) summary[verdict] += 1;
  return {
    schema: 1,
    bootId: readBootId(proc),
    takenAt,
    durationMs: 0,
    privileged: true,
    unreadable: [],
    runtimes: [],
    ports,
    processes,
    summary,
  };
}

/** One process of a report that needs no real one behind it. */
export function reportedAs(said: Said): ReportedProcess {
  return {
    pid: said.pid,
    startTime: said.startTime ?? 1,
    startedAt: '2026-01-01T00:00:00.000Z',
    ppid: 1,
    uid: 0,
    user: 'root',
    comm: 'python3',
    cmdline: ['python3', '/app/server.py'],
    exe: null,
    cgroup: '/',
    unit: null,
    container: said.container ?? null,
    supervisor: said.supervisor ?? null,
    ports: said.ports ?? [],
    patterns: [],
    inScope: said.inScope ?? true,
    verdict: said.verdict ?? 'orphan',
    reason: said.reason ?? 'stack-process-reparented',
    cause: said.cause ?? 'it was left behind',
    warning: null,
    evidence: [],
  };
}

function reported(said: Said): ReportedProcess | undefined {
  const stat = readStat(proc, said.pid);
  const status = readStatus(proc, said.pid);
  if (stat === undefined || status === undefined || (stat.state === 'Z' && stat.threads === 1))
    return undefined;
  const { ppid, comm, startTime } = stat;
  const cmdline = readCmdline(proc, said.pid) ?? [];
  return {
    ...reportedAs(said),
    ppid,
    comm,
    startTime: said.startTime ?? startTime,
    cmdline,
    uid: status.uid,
  };
}

/** A look at real processes, which says of them what `said` says at that moment. */
export function lookAt(said: () => readonly Said[]): () => Promise<Report> {
  return () => Promise.resolve(reportOf(said()));
}

/** A dead tree of these processes, confirmed by two looks; closed when the test ends. */
export function treeOf(t: Test, said: readonly Said[]): DeadTree {
  const first = new FirstLook({ proc });
  const report = reportOf(said);
  first.observe(report, planTargets(report, { suspects: true }));
  const confirmations = confirm(first, reportOf(said), { confirmAfterMs: 0, now: performance.now() });
  const confirmed = confirmations.filter((each): each is Confirmed => each.state === 'confirmed');
  if (confirmed.length !== said.length) throw new Error(`not confirmed: ${JSON.stringify(confirmations)}`);
  const tree = new DeadTree({ proc, clock: systemClock, report, confirmed });
  t.teardown(() => {
    tree.close();
    first.close();
  });
  return tree;
}

/** Starts a process, ended when the test ends, and waits until it runs `comm` and is older than a clock tick. */
export async function plant(t: Test, command: string[], comm: string): Promise<number> {
  const [program = 'true', ...args] = command;
  const child = spawn(program, args, { stdio: 'ignore' });
  t.teardown(() => child.kill('SIGKILL'));
  return ready(child, comm);
}

/** A process that does nothing and ends on SIGTERM. */
export function idler(t: Test): Promise<number> {
  return plant(t, ['sleep', '100'], 'sleep');
}

/** A process that ignores SIGTERM. */
export function stubborn(t: Test): Promise<number> {
  return plant(t, ['sh', '-c', 'trap "" TERM; exec sleep 100'], 'sleep');
}

async function ready(child: ChildProcess, comm: string): Promise<number> {
  const { pid } = child;
  if (pid === undefined) throw new Error(`${child.spawnfile} did not start`);
  await until(() => readStat(proc, pid)?.comm === comm);
  // A start time is a clock tick of 10 ms: the look has to come after it.
  await delay(30);
  return pid;
}

/** Waits for a condition, at most 20 s. */
export async function until(condition: () => boolean): Promise<void> {
  for (let tries = 0; !condition(); tries += 1) {
    if (tries > 2000) throw new Error(`waited in vain: ${String(condition)}`);
    await delay(10);
  }
}

/** Whether a process runs: not gone, and not waiting to be reaped. */
export function runs(pid: number): boolean {
  const stat = readStat(proc, pid);
  return stat !== undefined && (stat.state !== 'Z' || stat.threads > 1);
}

/** Children of a process that run. */
export function childrenOf(pid: number): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((each) => readStat(proc, each)?.ppid === pid && runs(each));
}

/** Open descriptors of this process. */
export function openDescriptors(): number {
  return readdirSync('/proc/self/fd').length;
}

/** A container id that nothing else has. */
export function containerId(): string {
  return Array.from({ length: 64 }, () => Math.floor(Math.random() * 16).toString(16)).join('');
}

/** Starts a process with this pid: the next one that the kernel gives out (ns_last_pid, proc_sys_kernel(5)). Needs root. */
export async function reuse(t: Test, pid: number, script: string): Promise<number> {
  for (let tries = 0; tries < 500; tries += 1) {
    const command = `echo ${pid - 1} > /proc/sys/kernel/ns_last_pid; (${script}) > /dev/null 2>&1 & echo $!`;
    const got = Number(execFileSync('sh', ['-c', command], { encoding: 'utf8' }));
    if (got === pid) {
      // Held: it may end by itself before the test does, and leave its pid to another once more.
      const pidfd = openPidFd(got);
      t.teardown(() => {
        pidfd?.send('SIGKILL');
        pidfd?.close();
      });
      return got;
    }
    process.kill(got, 'SIGKILL');
    await delay(5);
  }
  throw new Error(`pid ${pid} was not given out again`);
}

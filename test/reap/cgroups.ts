import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Test } from 'tap';
import { readMountinfo } from '../../src/procfs/mountinfo.ts';
import type { ContainerCgroup } from '../../src/reap/container-cgroup.ts';
import { proc, until } from './world.ts';

/** Where cgroup v2 is mounted: all of it on a pure v2 host, `unified` on a hybrid one; in a container on such a one it is mounted first. */
export function v2Directory(): string {
  const mount = readMountinfo(proc, process.pid)?.find(({ fsType }) => fsType === 'cgroup2');
  return mount?.mountPoint ?? mountV2();
}

function mountV2(): string {
  const directory = mkdtempSync(join(tmpdir(), 'orphand-cgroup2-'));
  execFileSync('mount', ['-t', 'cgroup2', 'cgroup2', directory]);
  process.once('exit', () => {
    execFileSync('umount', ['--lazy', directory]);
    rmdirSync(directory);
  });
  return directory;
}

/** Where the v1 freezer is mounted; undefined on a pure v2 host. */
export function freezerDirectory(): string | undefined {
  return readMountinfo(proc, process.pid)?.find(
    ({ fsType, superOptions }) => fsType === 'cgroup' && superOptions.includes('freezer'),
  )?.mountPoint;
}

/** Makes the cgroup of a container; emptied and removed when the test ends. */
export function makeCgroup(t: Test, version: ContainerCgroup['version'], name: string): ContainerCgroup {
  const root = version === 'v2' ? v2Directory() : freezerDirectory();
  if (root === undefined) throw new Error(`no ${version} here`);
  const directory = join(root, name);
  mkdirSync(directory);
  t.teardown(async () => {
    if (version === 'v1-freezer') writeFileSync(join(directory, 'freezer.state'), 'THAWED');
    await until(() => empty(directory));
  });
  return { version, directory };
}

/** A command line that moves itself there before it becomes `command`. */
export function inside(cgroups: ContainerCgroup[], command: string): string[] {
  const moves = cgroups.map(({ directory }) => `echo $$ > ${directory}/cgroup.procs`);
  return ['sh', '-c', [...moves, command].join(' && ')];
}

function empty(directory: string): boolean {
  const procs = join(directory, 'cgroup.procs');
  if (!existsSync(procs)) return true;
  for (const pid of readFileSync(procs, 'utf8').split('\n').filter(Boolean)) {
    try {
      process.kill(Number(pid), 'SIGKILL');
    } catch {
      // It has gone.
    }
  }
  try {
    rmdirSync(directory);
    return true;
  } catch {
    return false;
  }
}

import { readdirSync, rmdirSync } from 'node:fs';
import { join } from 'node:path';
import { writeControl } from '../../../src/reap/cgroup-freezer.ts';
import type { Host } from './host.ts';
import { until } from './wait.ts';

const hierarchies = (): string[] => ['/sys/fs/cgroup', ...folders('/sys/fs/cgroup')];

/** Removes the folders of cgroups by name, wherever in the machine's hierarchies they are, once they are empty. */
export async function removeCgroups(names: ReadonlySet<string>): Promise<void> {
  for (const folder of foldersNamed(names))
    await until(`${folder} to be empty`, () => removeTree(folder), 5_000).catch(() => undefined);
}

/** Thaws cgroups by name. What a v1 freezer holds does not even exit on SIGKILL, and keeps its whole pid namespace. */
export function thawCgroups(names: ReadonlySet<string>): void {
  for (const folder of foldersNamed(names)) writeControl(folder, 'freezer.state', 'THAWED');
}

function foldersNamed(names: ReadonlySet<string>): Set<string> {
  if (names.size === 0) return new Set();
  // Two levels hold all that the runtimes make here: libpod_parent/libpod-ID, docker/ID, and a test's own.
  const parents = hierarchies().flatMap((root) => [root, ...folders(root)]);
  return new Set(
    parents.flatMap((parent) =>
      folders(parent).filter((folder) => names.has(folder.slice(parent.length + 1))),
    ),
  );
}

function removeTree(folder: string): boolean {
  try {
    for (const child of folders(folder)) removeTree(child);
    rmdirSync(folder);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ENOENT';
  }
}

function folders(folder: string): string[] {
  try {
    return readdirSync(folder, { withFileTypes: true })
      .filter((entry) => entry.isDirectory())
      .map((entry) => join(folder, entry.name));
  } catch {
    return [];
  }
}

/** Moves a process to a cgroup of the test's own, directly below the root of each hierarchy that a host has. */
export async function moveToCgroup(host: Host, pid: number, name: string): Promise<void> {
  host.cgroups.add(name);
  // cpuset (v1) takes no process before it has been told its CPUs and memory nodes.
  await host.ok([
    ...['sh', '-c'],
    `roots=/sys/fs/cgroup
     [ -f /sys/fs/cgroup/cgroup.procs ] || roots='/sys/fs/cgroup/*'
     for root in $roots; do
       [ -f "$root/cgroup.procs" ] || continue
       mkdir -p "$root/$2"
       for file in cpuset.cpus cpuset.mems; do
         if [ -f "$root/$2/$file" ]; then cat "$root/$file" >"$root/$2/$file"; fi
       done
       echo "$1" >"$root/$2/cgroup.procs" || exit 1
     done`,
    ...['sh', `${pid}`, name],
  ]);
}

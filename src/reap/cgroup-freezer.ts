import { closeSync, constants, openSync, readFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { sleepUntil, type Clock } from './clock.ts';
import type { ContainerCgroup } from './container-cgroup.ts';

// Frozen in 2–3 ms where every task can be; one in state D may never be.
const FREEZE_MS = 500;

/** Writes a cgroup's control file; false when it is not there or may not be written (EACCES, EROFS, EOPNOTSUPP …). */
export function writeControl(directory: string, file: string, value: string): boolean {
  let fd: number | undefined;
  try {
    // Without O_CREAT: where the kernel has no such file nothing must be made.
    fd = openSync(join(directory, file), constants.O_WRONLY);
    writeSync(fd, value);
    return true;
  } catch {
    return false;
  } finally {
    if (fd !== undefined) closeSync(fd);
  }
}

/** Freezes every process of a cgroup (v2 cgroup.freeze, v1 freezer.state); false when it did not come about. `thaw` is due in any case. */
export async function freeze(cgroup: ContainerCgroup, clock: Clock): Promise<boolean> {
  const [file, value] = cgroup.version === 'v2' ? ['cgroup.freeze', '1'] : ['freezer.state', 'FROZEN'];
  const due = clock.monotonic() + FREEZE_MS;
  while (clock.monotonic() < due) {
    // v1 wants to be asked again while it says FREEZING (freezer-subsystem.txt).
    if (!writeControl(cgroup.directory, file, value)) return false;
    if (isFrozen(cgroup)) return true;
    await sleepUntil(clock, clock.monotonic() + 1);
  }
  return false;
}

export function thaw(cgroup: ContainerCgroup): void {
  if (cgroup.version === 'v2') writeControl(cgroup.directory, 'cgroup.freeze', '0');
  else writeControl(cgroup.directory, 'freezer.state', 'THAWED');
}

/** Whether it is frozen now, by whomever: a paused container is. */
export function isFrozen({ version, directory }: ContainerCgroup): boolean {
  try {
    return version === 'v2'
      ? /^frozen 1$/m.test(readFileSync(join(directory, 'cgroup.events'), 'utf8'))
      : readFileSync(join(directory, 'freezer.state'), 'utf8').trim() === 'FROZEN';
  } catch {
    return false;
  }
}

/** Whether a v1 freezer's cgroup holds nothing, neither by itself nor by one above it; true too where that can't be read. */
export function isThawed(directory: string): boolean {
  try {
    return readFileSync(join(directory, 'freezer.state'), 'utf8').trim() === 'THAWED';
  } catch {
    return true;
  }
}

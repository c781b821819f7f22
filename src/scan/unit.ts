import { lstatSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { Evidence, Unit } from '../model.ts';

/**
 * The systemd service whose cgroup a process is in. Whether it is active is read from the invocation link that systemd
 * keeps below its run-time directory while a unit is active and removes once it is inactive or failed
 * (unit_unlink_state_files in systemd's unit.c), so that no bus and no spawned systemctl is needed.
 */
export function unitOf(cgroupPath: string, hostRoot = '/'): Unit | undefined {
  const parts = cgroupPath.split('/');
  const index = parts.findLastIndex((part) => /\.(service|scope|slice|socket|mount)$/.test(part));
  const name = parts[index];
  // Scopes hold processes that systemd did not start: a login session, a container. Only a service owns what runs in it.
  if (!name?.endsWith('.service')) return undefined;
  const userManager = parts.slice(0, index).find((part) => /^user@\d+\.service$/.test(part));
  const runtimeDirectory =
    userManager === undefined
      ? 'run/systemd'
      : join('run/user', userManager.slice(5, -'.service'.length), 'systemd');
  const active = isActive(join(hostRoot, runtimeDirectory), name);
  const evidence: Evidence[] = [{ fact: 'unit', value: name, source: `cgroup ${cgroupPath}` }];
  if (active !== undefined) {
    evidence.push({
      fact: 'unit active',
      value: active ? 'yes' : 'no',
      source: join('/', runtimeDirectory, 'units', `invocation:${name}`),
    });
  }
  return { name, manager: userManager === undefined ? 'system' : 'user', active, evidence };
}

/** undefined where that systemd can't be asked: it does not run, or its directory may not be read. */
function isActive(runtimeDirectory: string, unit: string): boolean | undefined {
  const units = join(runtimeDirectory, 'units');
  try {
    statSync(units);
  } catch {
    return undefined;
  }
  try {
    // A dangling link by design: its target is the invocation id.
    lstatSync(join(units, `invocation:${unit}`));
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ENOENT' ? false : undefined;
  }
}

import { readMountinfo } from '../../../src/procfs/mountinfo.ts';
import { run } from './run.ts';

/** Unmounts everything below a folder of the test's own, so that it can be removed. */
export async function unmountBelow(folder: string): Promise<void> {
  const mounts = readMountinfo({ root: '/proc' }, process.pid) ?? [];
  const below = mounts.filter(({ mountPoint }) => mountPoint.startsWith(`${folder}/`));
  // The last one mounted first: it may lie on another.
  for (const { mountPoint } of below.reverse()) await run(['umount', '--lazy', mountPoint]);
}

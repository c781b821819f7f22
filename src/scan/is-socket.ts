import { quietly } from '../container/quietly.ts';
import { socketLink } from '../procfs/fd.ts';
import { readLink, type ProcFs } from '../procfs/fs.ts';

/** Whether a descriptor, by its path below procfs, is that of a socket now; one that can't be read is not known to be. */
export function isSocket(proc: ProcFs, path: string, inode: number): boolean {
  return quietly(() => readLink(proc, path)) === socketLink(inode);
}

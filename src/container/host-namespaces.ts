import { readLink, type ProcFs } from '../procfs/fs.ts';
import { quietly } from './quietly.ts';

/**
 * The host's own namespaces of a kind, namespaces(7): pid 1's, which some sandboxes hide, and orphand's. The unit gives
 * orphand a mount namespace of its own; no container is in either.
 */
export function hostNamespaces(proc: ProcFs, kind: 'mnt' | 'user'): ReadonlySet<string> {
  return new Set(
    ['1', 'self'].flatMap((process) => quietly(() => readLink(proc, `${process}/ns/${kind}`)) ?? []),
  );
}

import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { Test } from 'tap';
import type { ProcFs } from '../../src/procfs/fs.ts';
import { seteuid } from './effective-ids.ts';
import { procTree, type FakeProcess } from './proc-tree.ts';

/** A built host: its `/`, and its /proc below that. */
export interface HostTree {
  root: string;
  proc: ProcFs;
  /** Writes a file of the host; with `mtime` (seconds after the epoch) also when it was written. */
  write: (path: string, text: string, mtime?: number) => void;
  /** What a file of the host holds; '' where there is none. */
  read: (path: string) => string;
}

/** Builds a host with these processes and files (`/etc/passwd` → text; a path that ends in `/` is a directory). */
export function hostTree(
  t: Test,
  processes: FakeProcess[],
  files: Record<string, string | object> = {},
): HostTree {
  const root = shortDirectory(t);
  const write = (path: string, text: string, mtime?: number): void => {
    const file = join(root, path);
    mkdirSync(path.endsWith('/') ? file : dirname(file), { recursive: true });
    if (path.endsWith('/')) return;
    writeFileSync(file, text);
    if (mtime !== undefined) utimesSync(file, mtime, mtime);
  };
  const proc = procTree(join(root, 'proc'), processes, []);
  for (const [path, content] of Object.entries(files)) {
    write(path, typeof content === 'string' ? content : JSON.stringify(content));
  }
  const read = (path: string): string => {
    const file = join(root, path);
    return existsSync(file) ? readFileSync(file, 'utf8') : '';
  };
  return { root, proc, write, read };
}

/** A directory that goes with the test, short enough for a unix socket's path (107 bytes). */
export function shortDirectory(t: Test): string {
  const directory = mkdtempSync(join(tmpdir(), 'orphand-'));
  chmodSync(directory, 0o755);
  t.teardown(() => {
    rmSync(directory, { recursive: true, force: true });
  });
  return directory;
}

/** A 64-digit id. */
export function hexId(digit: string): string {
  return digit.repeat(64);
}

/** The mountinfo of a podman container's process: overlay root, and .containerenv from the run root on the root device. */
export function podmanMounts(store: string, layer: string, runRoot?: string, id?: string): string {
  const root = `75 49 0:40 / / rw - overlay overlay rw,lowerdir=${store}/overlay/l/AB,upperdir=${store}/overlay/${layer}/diff,workdir=${store}/overlay/${layer}/work\n`;
  if (runRoot === undefined || id === undefined) return root;
  return `${root}82 75 254:0 ${runRoot}/overlay-containers/${id}/userdata/.containerenv /run/.containerenv rw - ext4 /dev/vda rw\n`;
}

/** The stat of a process in state Z. With more threads than one it is one whose main thread has exited. */
export function stateZ(pid: number, threads: number, startTime: number): string {
  return `${pid} (x) Z 1 ${pid} ${pid} 0 -1 0 ${'0 '.repeat(10)}${threads} 0 ${startTime}\n`;
}

/** Runs something as a user who may read nothing that is closed to others, even where the tests are root's. */
export function unprivileged<T>(run: () => T): T {
  if (process.getuid?.() !== 0) return run();
  seteuid(65534);
  try {
    return run();
  } finally {
    seteuid(0);
  }
}

import { readText, UnreadableError, type ProcFs } from './fs.ts';
import { readFromLiveTask } from './task.ts';

/** One mount in /proc/PID/mountinfo, proc_pid_mountinfo(5). */
export interface Mount {
  id: number;
  parent: number;
  /** `254:0` */
  device: string;
  /** The directory of the file system that is mounted here. */
  root: string;
  /** Set when that directory was removed since (`//deleted` in the kernel's text, taken off `root`). */
  deleted?: true;
  mountPoint: string;
  fsType: string;
  source: string;
  superOptions: string[];
}

const DELETED = '//deleted';

/** Reads the text of a mountinfo file, octal escapes decoded; a line that is none is left out. */
export function parseMountinfo(text: string): Mount[] {
  return text.split('\n').flatMap((line) => parseMount(line) ?? []);
}

/** /proc/PID/mountinfo of one process; gone is `undefined`. */
export function readMountinfo(proc: ProcFs, pid: number): Mount[] | undefined {
  const text = readFromLiveTask(proc, pid, (directory) => {
    try {
      return readText(proc, `${directory}/mountinfo`);
    } catch (error) {
      // The kernel's answer for a thread that has exited and has no namespaces any more (fs/proc_namespace.c).
      if (error instanceof UnreadableError && error.code === 'EINVAL') return undefined;
      throw error;
    }
  });
  return text === undefined ? undefined : parseMountinfo(text);
}

function parseMount(line: string): Mount | undefined {
  const fields = line.split(' ');
  const [id, parent, device, root, mountPoint] = fields;
  // Between the mount options and ` - ` is any number of optional fields: `shared:1 master:2`.
  const separator = fields.indexOf('-', 6);
  const [fsType, source, ...superOptions] = fields.slice(separator + 1);
  if (separator === -1 || !/^\d+$/.test(id ?? '') || !/^\d+$/.test(parent ?? '')) return undefined;
  if (device === undefined || root === undefined || mountPoint === undefined) return undefined;
  if (fsType === undefined || source === undefined || superOptions.length === 0) return undefined;

  const deleted = root.endsWith(DELETED);
  return {
    id: Number(id),
    parent: Number(parent),
    device,
    // No path has an empty component: this suffix is always the kernel's.
    root: decode(deleted ? root.slice(0, -DELETED.length) : root),
    ...(deleted ? { deleted } : {}),
    mountPoint: decode(mountPoint),
    fsType: decode(fsType),
    source: decode(source),
    superOptions: superOptions.join(' ').split(',').map(decode),
  };
}

// Space, tab, newline, backslash and (in options) comma are written as \040 and so on.
function decode(text: string): string {
  return text.replace(/\\([0-3][0-7]{2})/g, (_, octal: string) => String.fromCharCode(parseInt(octal, 8)));
}

import { readRecord, type ProcFs } from './fs.ts';

/** One line of /proc/PID/cgroup, cgroups(7). */
export interface CgroupLine {
  /** 0 is cgroup v2. */
  hierarchy: number;
  /** v1 controllers, or `name=systemd`; empty for v2. */
  controllers: string[];
  /** As seen from the reader's cgroup namespace. */
  path: string;
}

/** Reads the lines of a cgroup file; a line that is none is left out. */
export function parseCgroup(text: string): CgroupLine[] {
  return text.split('\n').flatMap((line) => {
    // The path may have colons itself (`system.slice:cri-containerd:ID`), a controller list has none.
    const match = /^(\d+):([^:]*):(\/.*)$/s.exec(line);
    if (match?.[1] === undefined || match[2] === undefined || match[3] === undefined) return [];
    const controllers = match[2] === '' ? [] : match[2].split(',');
    return [{ hierarchy: Number(match[1]), controllers, path: match[3] }];
  });
}

/** The text of /proc/PID/cgroup; gone is `undefined`. */
export function readCgroup(proc: ProcFs, pid: number): string | undefined {
  return readRecord(proc, `${pid}/cgroup`);
}

/** The one path to show of a cgroup file: v2's, or else systemd's, or else the longest, `/` being none; '' without any line. */
export function cgroupPath(text: string): string {
  const lines = parseCgroup(text);
  const v2 = lines.find((line) => line.hierarchy === 0)?.path;
  if (v2 !== undefined && v2 !== '/') return v2;
  const systemd = lines.find((line) => line.controllers.includes('name=systemd'))?.path;
  if (systemd !== undefined && systemd !== '/') return systemd;
  return lines.reduce((longest, { path }) => (path.length > longest.length ? path : longest), '');
}

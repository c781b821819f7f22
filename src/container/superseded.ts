import { dirname, join } from 'node:path';
import type { Supervisor } from '../model.ts';
import { readBootTime } from '../procfs/boot.ts';
import { readCmdline } from '../procfs/cmdline.ts';
import { MalformedError, UnreadableError, type ProcFs } from '../procfs/fs.ts';
import { readExe } from '../procfs/links.ts';
import { listPids } from '../procfs/pids.ts';
import { readStat } from '../procfs/stat.ts';
import { readStatus } from '../procfs/status.ts';
import { hasEnded } from './ended.ts';
import { optionValue } from './program.ts';
import { quietly } from './quietly.ts';
import { parsePid, readRecordFile } from './record-file.ts';
import { helperKind, supervisorFrom } from './supervisor.ts';

// btime has whole seconds and moves when the clock is set: a difference below this is none.
const CLOCK_MARGIN_MS = 1000;
const MS_PER_TICK = 10;

interface Question {
  supervisor: Supervisor;
  cmdline: string[];
  /** Where the host's `/` is, for built trees. */
  hostRoot?: string;
}

/**
 * Says that the container of a live conmon runs, or ran, again under a younger one (DESIGN.md section 1.8): conmon.pid and
 * pidfile, at the paths in its own arguments, were both rewritten after it started, and name another conmon and another
 * instance. What it says gets processes ended, so that everything short of this proof is `undefined`. Ways in which a
 * live container's conmon could look superseded, each closed below:
 *
 * 1. conmon of `podman exec`: has its own session's files, or none. It is never superseded and never supersedes.
 * 2. podman inside a container: its files hold pids of another namespace. Only a conmon in this namespace (NSpid has one
 *    entry) is looked at, and only such a one counts as the younger.
 * 3. A record that can't be read, is being rewritten, is no number, or is no regular file: no proof.
 * 4. An old record: mtime must be younger than the supervisor's start, and so must the named conmon.
 * 5. A pid that was reused: the named process must be a conmon of the same container, by executable.
 * 6. `--conmon-pidfile` of the user's choice (podman generate systemd) outlives its container and may be shared by
 *    different ones: where the path does not hold the container's id, the named conmon must be alive.
 * 7. A start that failed. When podman has forgotten a healthy container (systemd-tmpfiles removed its `alive` file) and
 *    somebody starts it again, a second conmon writes conmon.pid, the OCI runtime refuses ("container already exists") and
 *    the second conmon goes: the first still is the only life. The runtime writes pidfile only after it has created an
 *    instance: so pidfile must be younger, too, and must not name a process below this supervisor.
 * 8. The same while the container ends (podman 4.3 itself ends it after such a refusal, seen): pidfile then names a first
 *    process that has gone, and "younger" is as blurred as the boot time. So the supervisor must still have a container's
 *    process below it; one that is about to exit has its exit command at most.
 */
export function supersededBy(proc: ProcFs, question: Question): Supervisor['superseded'] {
  try {
    return proof(proc, question);
  } catch (error) {
    // What of a process can't be read proves nothing.
    if (error instanceof UnreadableError || error instanceof MalformedError) return undefined;
    throw error;
  }
}

function proof(proc: ProcFs, { supervisor, cmdline, hostRoot = '/' }: Question): Supervisor['superseded'] {
  const id = supervisor.containerId;
  const paths = recordPaths(cmdline);
  if (id === undefined || supervisor.exec || paths === undefined) return undefined;
  if (!inThisNamespace(proc, supervisor.pid)) return undefined;

  const since = readBootTime(proc) + supervisor.startTime * MS_PER_TICK + CLOCK_MARGIN_MS;
  const byPid = youngerPid(join(hostRoot, paths.conmon), since);
  const instance = youngerPid(join(hostRoot, paths.container), since);
  if (byPid === undefined || instance === undefined) return undefined;
  if (isBelow(proc, instance, supervisor.pid) || !keepsAnything(proc, supervisor.pid)) return undefined;

  const named = readStat(proc, byPid);
  const living = named === undefined || hasEnded(named) ? undefined : named;
  if (
    living === undefined ? !paths.conmon.includes(`/${id}/userdata/`) : !isYounger(proc, living, supervisor)
  ) {
    return undefined;
  }
  return {
    byPid,
    evidence: [
      {
        fact: 'recorded supervisor',
        value: `${byPid}, ${living === undefined ? 'has ended' : 'alive'}`,
        source: paths.conmon,
      },
      { fact: 'recorded instance', value: String(instance), source: paths.container },
    ],
  };
}

/** Where conmon and the OCI runtime write their pids, by conmon's arguments. */
function recordPaths(cmdline: string[]): { conmon: string; container: string } | undefined {
  const conmon = optionValue(cmdline, ['--conmon-pidfile', '-P']);
  const container = optionValue(cmdline, ['-p', '--container-pidfile']);
  if (conmon === undefined || container === undefined) return undefined;
  return dirname(conmon).startsWith('/') && dirname(container).startsWith('/')
    ? { conmon, container }
    : undefined;
}

function youngerPid(path: string, sinceMs: number): number | undefined {
  const record = readRecordFile(path);
  return record.state === 'read' && record.mtimeMs > sinceMs ? parsePid(record.text) : undefined;
}

function inThisNamespace(proc: ProcFs, pid: number): boolean {
  return readStatus(proc, pid)?.nsPid.length === 1;
}

/** Whether a live process is a supervisor or a descendant of it. */
function isBelow(proc: ProcFs, pid: number, supervisor: number): boolean {
  const seen = new Set<number>();
  for (let each = pid; each > 1 && !seen.has(each); each = readStat(proc, each)?.ppid ?? 0) {
    if (each === supervisor) return true;
    seen.add(each);
  }
  return false;
}

/** Whether a supervisor has a live child that is no program of the runtime's (its exit command is podman). */
function keepsAnything(proc: ProcFs, supervisor: number): boolean {
  return listPids(proc).some((pid) => {
    const stat = quietly(() => readStat(proc, pid));
    if (stat?.ppid !== supervisor || hasEnded(stat)) return false;
    const cmdline = readCmdline(proc, pid) ?? [];
    return helperKind({ comm: stat.comm, cmdline, exe: readExe(proc, pid) }) === undefined;
  });
}

function isYounger(
  proc: ProcFs,
  living: { pid: number; comm: string; startTime: number },
  old: Supervisor,
): boolean {
  const { pid, comm, startTime } = living;
  const cmdline = readCmdline(proc, pid) ?? [];
  const other = supervisorFrom({ pid, comm, startTime, cmdline, exe: readExe(proc, pid) });
  if (other === undefined || other.exec || other.containerId !== old.containerId) return false;
  return startTime > old.startTime && inThisNamespace(proc, pid);
}

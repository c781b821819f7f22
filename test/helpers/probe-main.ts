/** Run on a lab's host by probe.ts: prints what src/container says of a process, as JSON. */
import { containerFromCgroup } from '../../src/container/cgroup-path.ts';
import { containerFromMounts } from '../../src/container/rootfs.ts';
import { Runtimes } from '../../src/container/runtimes/runtimes.ts';
import type { ReleaseRequest } from '../../src/container/runtimes/release.ts';
import { supersededBy } from '../../src/container/superseded.ts';
import { helperKind, supervisorFrom } from '../../src/container/supervisor.ts';
import type { Provenance } from '../../src/model.ts';
import { readCgroup } from '../../src/procfs/cgroup.ts';
import { readCmdline } from '../../src/procfs/cmdline.ts';
import { readExe } from '../../src/procfs/links.ts';
import { readMountinfo } from '../../src/procfs/mountinfo.ts';
import { readStat } from '../../src/procfs/stat.ts';
import { readStatus } from '../../src/procfs/status.ts';
import { quietly } from '../../src/container/quietly.ts';
import type { ProbeOptions } from './probe.ts';

const proc = { root: '/proc' };
const request = JSON.parse(process.argv[2] ?? '{}') as ProbeOptions & {
  pid?: number;
  release?: ReleaseRequest;
};

function chain(pid: number): number[] {
  const parent = readStat(proc, pid)?.ppid ?? 0;
  return parent === 0 ? [pid] : [pid, ...chain(parent)];
}

function named(pid: number): {
  pid: number;
  comm: string;
  startTime: number;
  cmdline: string[];
  exe: string | undefined;
} {
  const { comm = '', startTime = 0 } = readStat(proc, pid) ?? {};
  return {
    pid,
    comm,
    startTime,
    cmdline: readCmdline(proc, pid) ?? [],
    exe: quietly(() => readExe(proc, pid)),
  };
}

async function look(
  pid: number,
  { without, cli = false, recordOnly, labels }: ProbeOptions,
): Promise<object> {
  const runtimes = new Runtimes({ proc, timeoutMs: 10_000, cli });
  const cgroup =
    without === 'cgroup' ? undefined : containerFromCgroup(readCgroup(proc, pid) ?? '', readCgroup(proc, 1));
  const mounts =
    without === 'mounts'
      ? undefined
      : containerFromMounts(readMountinfo(proc, pid) ?? [], readMountinfo(proc, process.pid) ?? []);
  const provenance: Provenance | undefined =
    cgroup === undefined ? mounts : { ...cgroup, via: 'cgroup', store: mounts?.store, evidence: [] };
  const pids = chain(pid);
  const supervisors = pids.flatMap((each) => {
    const process = named(each);
    const supervisor = supervisorFrom(process);
    return supervisor === undefined
      ? []
      : [{ ...supervisor, superseded: supersededBy(proc, { supervisor, cmdline: process.cmdline }) }];
  });
  const uid = readStatus(proc, pid)?.euid ?? 0;
  const options = { recordOnly: recordOnly === true, labels: labels === true };
  const view = provenance === undefined ? undefined : await runtimes.view({ provenance, uid, pids }, options);
  const names = provenance === undefined ? undefined : runtimes.names(provenance);
  return {
    cgroup,
    mounts,
    helper: helperKind(named(pid)),
    supervisors,
    view,
    names,
    statuses: runtimes.statuses(),
  };
}

const result =
  request.release === undefined
    ? await look(request.pid ?? 0, request)
    : await new Runtimes({ proc, timeoutMs: 10_000, cli: true }).release(request.release);
process.stdout.write(JSON.stringify(result));

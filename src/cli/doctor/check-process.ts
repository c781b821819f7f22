import type { DoctorFacts } from './facts.ts';
import { limit, note, ok } from './finding.ts';
import type { Finding } from './finding.ts';

/** Whether every process can be read and ended. */
export function privileges({ uid, capabilities: { ptrace, readSearch, kill } }: DoctorFacts): Finding {
  if (ptrace && readSearch && kill) return ok('privileges', 'may read and end every process');
  const missing = [
    ...(ptrace ? [] : ['CAP_SYS_PTRACE']),
    ...(readSearch ? [] : ['CAP_DAC_READ_SEARCH']),
    ...(kill ? [] : ['CAP_KILL']),
  ].join(', ');
  return limit(
    'unprivileged',
    `runs as uid ${uid} without ${missing}: of other users' processes it sees neither what they hold nor where they belong`,
    uid === 0
      ? `give it ${missing} (in a container: --cap-add)`
      : 'sudo orphand doctor; for good: sudo orphand install',
  );
}

/** Options of /proc that hide processes or sockets. */
export function procMount({ hidepid, pidsOnly, capabilities }: DoctorFacts): Finding[] {
  const found: Finding[] = [];
  if (hidepid !== undefined && hidepid !== '0' && hidepid !== 'off') {
    found.push(
      capabilities.ptrace
        ? ok(
            'hidepid',
            `/proc is mounted with hidepid=${hidepid}, which does not hide anything from CAP_SYS_PTRACE`,
          )
        : limit(
            'hidepid',
            `/proc is mounted with hidepid=${hidepid}: processes of other users are hidden`,
            'run as root, or by its unit (sudo orphand install), which has CAP_SYS_PTRACE',
          ),
    );
  }
  if (pidsOnly) {
    found.push(
      limit(
        'proc-subset',
        '/proc is mounted with subset=pid: the list of sockets is not in it',
        'mount -o remount,subset= /proc, or run it outside this sandbox (ProcSubset=all)',
      ),
    );
  }
  return found;
}

/** A pid namespace that is not the host's. */
export function pidNamespace({ hostPids }: DoctorFacts): Finding[] {
  if (hostPids !== false) return [];
  const cure = 'on a host: run it outside of containers, or with --pid=host --network=host';
  return [
    note(
      'pid-namespace',
      'runs in a pid namespace of its own: it sees the processes in there, and no others',
      cure,
    ),
  ];
}

/** Whether processes can be signalled by pidfd, and what forbids it. */
export function pidfd({ pidfd: support, filtered, kernel }: DoctorFacts): Finding {
  if (support.available) {
    if (support.inode) return ok('pidfd', 'processes are signalled by pidfd, and known by its inode');
    return note(
      'pidfd',
      `kernel ${kernel} gives pidfds no inode of their own: a process is known by its pid and start time`,
      'Linux 6.9 or newer',
    );
  }
  const refused = `pidfds don't work here (${support.code}), and without them nothing is ended`;
  if (support.code === 'ENOSYS' && !filtered)
    return limit('pidfd', refused, `Linux 5.3 or newer (this is ${kernel})`);
  if (support.code === 'MODULE_NOT_FOUND' || support.code === 'ERR_DLOPEN_FAILED') {
    return limit('pidfd', refused, 'install orphand again: its koffi module has no part for this platform');
  }
  return limit(
    'seccomp',
    `${refused}: a seccomp filter forbids pidfd_open or pidfd_send_signal`,
    'allow both: SystemCallFilter=@process in a unit; in a container a newer profile (--security-opt seccomp=…)',
  );
}

/** Which cgroup files there are to end a tree at once. */
export function cgroups({ cgroup, kernel }: DoctorFacts): Finding {
  const without = 'what forks while it is ended is caught by the freezer and by rounds, not by cgroup.kill';
  switch (cgroup) {
    case 'v2':
      return older(kernel, 5, 14)
        ? note('cgroup', `cgroup v2 of kernel ${kernel}: ${without}`, 'Linux 5.14 or newer')
        : ok('cgroup', 'cgroup v2');
    case 'hybrid':
    case 'v1':
      return note(
        'cgroup',
        `cgroup ${cgroup === 'v1' ? 'v1' : 'v1 with a v2 tree beside it'}: ${without}`,
        'boot with systemd.unified_cgroup_hierarchy=1',
      );
    case 'none':
      return note(
        'cgroup',
        'no cgroup file system is mounted: containers are told by their root file system only',
        'mount -t cgroup2 cgroup2 /sys/fs/cgroup',
      );
  }
}

function older(kernel: string, major: number, minor: number): boolean {
  const [first = 0, second = 0] = kernel.split('.').map((part) => Number.parseInt(part, 10));
  return first < major || (first === major && second < minor);
}

/** Whether the journal can be written. */
export function stateDirectory({ state: { directory, problem } }: DoctorFacts): Finding {
  if (problem === undefined) return ok('journal', `journal and lock in ${directory}`);
  return limit(
    'journal',
    `${directory} takes no journal (${problem}), and without one nothing is ended`,
    'make it writable, or set stateDirectory',
  );
}

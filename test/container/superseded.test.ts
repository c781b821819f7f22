import { execFileSync } from 'node:child_process';
import { chmodSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { supersededBy } from '../../src/container/superseded.ts';
import { supervisorFrom } from '../../src/container/supervisor.ts';
import { hexId, hostTree, stateZ, unprivileged, type HostTree } from '../helpers/host-tree.ts';
import type { FakeProcess } from '../helpers/proc-tree.ts';

const id = hexId('c');
const userdata = `/run/containers/storage/overlay-containers/${id}/userdata`;

// procTree's boot time, in seconds; the old conmon starts 100 s after it.
const boot = 1_700_000_000;
const before = boot + 50;
const after = boot + 200;

function conmonArgs(
  of: string,
  pidfile = `${userdata}/conmon.pid`,
  container = `${userdata}/pidfile`,
): string[] {
  return ['/usr/bin/conmon', '-c', of, '-u', of, '-p', container, '--conmon-pidfile', pidfile];
}

const old: FakeProcess = { pid: 100, ppid: 1, cmdline: conmonArgs(id), startTime: 10_000 };
const oldServer: FakeProcess = { pid: 101, ppid: 100, cmdline: ['server'], startTime: 10_001 };
const young: FakeProcess = { pid: 200, ppid: 1, cmdline: conmonArgs(id), startTime: 20_000 };
const youngServer: FakeProcess = { pid: 201, ppid: 200, cmdline: ['server'], startTime: 20_001 };

/** What the files of the container hold, and when they were written. */
interface Files {
  conmonPid?: string;
  conmonTime?: number;
  pidfile?: string;
  pidfileTime?: number;
}

const second: Files = { conmonPid: '200', pidfile: '201\n' };

interface Case {
  name: string;
  processes?: FakeProcess[];
  cmdline?: string[];
  files?: Files;
  /** Changes the built host before it is looked at. */
  change?: (host: HostTree) => void;
  byPid: number | undefined;
}

const cases: Case[] = [
  { name: 'the record names a younger conmon and another instance', byPid: 200 },
  {
    name: 'between two restarts the younger conmon has gone, the record stays',
    processes: [old, oldServer],
    byPid: 200,
  },
  {
    name: 'a younger conmon that its parent has not reaped has gone',
    processes: [old, oldServer, { ...young, cmdline: [] }],
    change: ({ root }) => {
      writeFileSync(join(root, 'proc/200/stat'), stateZ(200, 1, 20_000));
    },
    byPid: 200,
  },
  { name: 'the record names this very conmon', files: { ...second, conmonPid: '100' }, byPid: undefined },
  {
    name: 'the record is older than this conmon',
    files: { ...second, conmonTime: before },
    byPid: undefined,
  },
  {
    name: 'the record is not clearly younger: the boot time has whole seconds',
    files: { ...second, conmonTime: boot + 100.5 },
    byPid: undefined,
  },
  { name: 'no record', files: { pidfile: '201' }, byPid: undefined },
  { name: 'the record is being written', files: { ...second, conmonPid: '' }, byPid: undefined },
  { name: 'the record is no pid', files: { ...second, conmonPid: '200; rm -rf /' }, byPid: undefined },
  {
    name: 'the record is no file',
    change: ({ root }) => {
      rmSync(join(root, `${userdata}/conmon.pid`));
      execFileSync('mkfifo', [join(root, `${userdata}/conmon.pid`)]);
    },
    byPid: undefined,
  },
  {
    name: 'a start that the OCI runtime refused wrote conmon.pid but no pidfile: the first life is the only one',
    processes: [old, oldServer],
    files: { ...second, pidfile: '101', pidfileTime: before },
    byPid: undefined,
  },
  {
    name: 'the same where pidfile was rewritten with the first life’s pid',
    processes: [old, oldServer],
    files: { ...second, pidfile: '101' },
    byPid: undefined,
  },
  {
    name: 'the recorded instance is a grandchild of this conmon',
    processes: [old, oldServer, young, { pid: 201, ppid: 101, cmdline: ['worker'] }],
    byPid: undefined,
  },
  {
    name: 'this conmon has no child left: it is about to exit',
    processes: [old, young, youngServer],
    byPid: undefined,
  },
  {
    name: 'this conmon has its exit command only',
    processes: [
      old,
      { ...oldServer, cmdline: ['/usr/bin/podman', 'container', 'cleanup', id] },
      young,
      youngServer,
    ],
    byPid: undefined,
  },
  {
    name: 'this conmon has a child that has ended only',
    change: ({ root }) => {
      writeFileSync(join(root, 'proc/101/stat'), stateZ(101, 1, 10_001).replace(' Z 1 ', ' Z 100 '));
    },
    byPid: undefined,
  },
  {
    name: 'one process that can’t be read hides no other',
    processes: [old, oldServer, young, youngServer, { pid: 90, ppid: 1, cmdline: ['x'] }],
    change: ({ root }) => {
      writeFileSync(join(root, 'proc/90/stat'), 'garbage');
    },
    byPid: 200,
  },
  { name: 'no pidfile', files: { conmonPid: '200' }, byPid: undefined },
  { name: 'pidfile is being written', files: { ...second, pidfile: '' }, byPid: undefined },
  {
    name: 'the recorded pid was given to another program',
    processes: [old, oldServer, { ...young, cmdline: ['/usr/bin/nginx'] }],
    byPid: undefined,
  },
  {
    name: 'the recorded pid was given to a program that calls itself conmon',
    processes: [old, oldServer, { ...young, exe: '/usr/bin/python3' }],
    byPid: undefined,
  },
  {
    name: 'the recorded pid is a conmon of another container',
    processes: [old, oldServer, { ...young, cmdline: conmonArgs(hexId('d')) }],
    byPid: undefined,
  },
  {
    name: 'the recorded pid is the conmon of a podman exec',
    processes: [old, oldServer, { ...young, cmdline: [...conmonArgs(id), '--exec-attach'] }],
    byPid: undefined,
  },
  {
    name: 'the recorded conmon is older than this one',
    processes: [old, oldServer, { ...young, startTime: 9_000 }],
    byPid: undefined,
  },
  {
    name: 'this conmon is in another pid namespace, whose numbers the record holds',
    processes: [{ ...old, nsPid: [100, 45] }, oldServer, young, youngServer],
    byPid: undefined,
  },
  {
    name: 'the recorded conmon is in another pid namespace',
    processes: [old, oldServer, { ...young, nsPid: [200, 45] }, youngServer],
    byPid: undefined,
  },
  {
    name: 'the kernel does not tell namespaces',
    processes: [{ ...old, nsPid: [] }, oldServer, young, youngServer],
    byPid: undefined,
  },
  {
    name: 'this conmon is one of a podman exec',
    cmdline: [...conmonArgs(id), '--exec-attach'],
    byPid: undefined,
  },
  {
    name: 'this conmon names no container',
    cmdline: ['/usr/bin/conmon', ...conmonArgs(id).slice(5)],
    byPid: undefined,
  },
  {
    name: 'this conmon names no conmon.pid',
    cmdline: ['/usr/bin/conmon', '-c', id, '-p', `${userdata}/pidfile`],
    byPid: undefined,
  },
  {
    name: 'this conmon names no pidfile',
    cmdline: ['/usr/bin/conmon', '-c', id, '--conmon-pidfile', `${userdata}/conmon.pid`],
    byPid: undefined,
  },
  {
    name: 'a relative path leads nowhere',
    cmdline: conmonArgs(id, 'conmon.pid'),
    change: ({ write }) => {
      write('/conmon.pid', '200', after);
    },
    byPid: undefined,
  },
  {
    name: 'a conmon.pid of the user’s choice counts while the conmon in it lives',
    cmdline: conmonArgs(id, '/run/web.pid'),
    change: ({ write }) => {
      write('/run/web.pid', '200', after);
    },
    byPid: 200,
  },
  {
    name: 'a conmon.pid of the user’s choice may be another container’s by now',
    processes: [old, oldServer],
    cmdline: conmonArgs(id, '/run/web.pid'),
    change: ({ write }) => {
      write('/run/web.pid', '200', after);
    },
    byPid: undefined,
  },
  {
    name: 'a younger conmon that can’t be looked at proves nothing',
    change: ({ root }) => {
      writeFileSync(join(root, 'proc/200/stat'), 'garbage');
    },
    byPid: undefined,
  },
];

function build(
  t: Test,
  { processes = [old, oldServer, young, youngServer], files = second, change }: Case,
): HostTree {
  const host = hostTree(t, processes);
  const { conmonPid, conmonTime = after, pidfile, pidfileTime = after } = files;
  if (conmonPid !== undefined) host.write(`${userdata}/conmon.pid`, conmonPid, conmonTime);
  if (pidfile !== undefined) host.write(`${userdata}/pidfile`, pidfile, pidfileTime);
  change?.(host);
  return host;
}

for (const each of cases) {
  t.test(each.name, (t) => {
    const host = build(t, each);
    const cmdline = each.cmdline ?? conmonArgs(id);
    const supervisor = supervisorFrom({
      pid: 100,
      comm: 'conmon',
      startTime: 10_000,
      cmdline,
      exe: '/usr/bin/conmon',
    })!;
    const found = supersededBy(host.proc, { supervisor, cmdline, hostRoot: host.root });
    t.equal(found?.byPid, each.byPid);
    if (each.byPid !== undefined) t.ok(found?.evidence.length, 'with evidence');
    t.end();
  });
}

t.test('a record that may not be read proves nothing', (t) => {
  const host = build(t, { name: '', byPid: undefined });
  chmodSync(join(host.root, `${userdata}/conmon.pid`), 0);
  const cmdline = conmonArgs(id);
  const supervisor = supervisorFrom({
    pid: 100,
    comm: 'conmon',
    startTime: 10_000,
    cmdline,
    exe: undefined,
  })!;
  const ask = (): unknown => supersededBy(host.proc, { supervisor, cmdline, hostRoot: host.root });
  t.equal(unprivileged(ask), undefined);
  t.ok(ask(), 'and would otherwise');
  t.end();
});

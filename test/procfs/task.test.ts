import { readFileSync, readlinkSync } from 'node:fs';
import t from 'tap';
import { readCmdline } from '../../src/procfs/cmdline.ts';
import { readEnviron } from '../../src/procfs/environ.ts';
import { readExe, readNamespace, readRootLink } from '../../src/procfs/links.ts';
import { readMountinfo } from '../../src/procfs/mountinfo.ts';
import { listPids } from '../../src/procfs/pids.ts';
import { readStat } from '../../src/procfs/stat.ts';
import { readStatus } from '../../src/procfs/status.ts';
import { liveTasks } from '../../src/procfs/task.ts';
import { until } from '../helpers/lab/wait.ts';
import { start, startMainThreadExited } from './children.ts';

const own = { root: '/proc' };

t.test('a process whose main thread has exited still says what it is', async (t) => {
  const { pid } = await startMainThreadExited(t);
  t.match(readStat(own, pid), { state: 'Z' });
  t.equal(readFileSync(`/proc/${pid}/cmdline`, 'utf8'), '', 'the kernel says nothing in its own directory');
  t.throws(() => readlinkSync(`/proc/${pid}/exe`), { code: 'ENOENT' });
  t.throws(() => readFileSync(`/proc/${pid}/mountinfo`), { code: 'EINVAL' });

  t.same(readCmdline(own, pid)?.slice(0, 2), [process.execPath, '-e']);
  t.equal(readExe(own, pid), readExe(own, process.pid));
  t.equal(readRootLink(own, pid), '/');
  t.equal(readNamespace(own, pid, 'mnt'), readNamespace(own, process.pid, 'mnt'));
  t.same(readMountinfo(own, pid), readMountinfo(own, process.pid));
  t.equal(readEnviron(own, pid)?.get('PATH'), process.env['PATH']);
  t.match(readStatus(own, pid), { uid: process.getuid?.() });
  t.ok(liveTasks(own, pid).length > 0);
  t.notOk(liveTasks(own, pid).includes(pid), 'the main thread is not alive');
});

t.test('a real zombie has no program, no arguments and no mounts, and is no error', async (t) => {
  // A shell leaves its child behind unwaited by becoming a program that does not wait; the child ends after that, so
  // that the shell can't have waited for it.
  const child = 'while [ "$(cat /proc/$PPID/comm)" != sleep ]; do :; done';
  const { pid } = await start(t, 'sh', ['-c', `sh -c '${child}' & echo ready; exec sleep 1000`]);
  const zombieOf = (): number | undefined =>
    listPids(own).find((other) => {
      const stat = readStat(own, other);
      return stat?.ppid === pid && stat.state === 'Z';
    });
  const zombie = await until('a zombie', zombieOf);
  t.same(liveTasks(own, zombie), []);
  t.same(readCmdline(own, zombie), []);
  t.equal(readExe(own, zombie), undefined);
  t.equal(readMountinfo(own, zombie), undefined);
  t.equal(readEnviron(own, zombie), undefined);
  t.equal(readNamespace(own, zombie, 'net'), undefined);
});

t.test('a process with a live main thread is not looked at thread by thread', (t) => {
  t.ok(readStat(own, process.pid)!.threads > 1, 'it has threads');
  t.same(liveTasks(own, process.pid), []);
  t.end();
});

const stat = (pid: number, state: string, threads: number): string =>
  `${pid} (a) Z (b) ${state} 1 7 7 0 -1 4227084 0 0 0 0 0 0 0 0 20 0 ${threads} 0 99 0 0\n`;

t.test('threads that have ended, or end while being listed, are none', (t) => {
  const root = t.testdir({
    7: {
      stat: stat(7, 'Z', 5),
      task: {
        7: { stat: stat(7, 'Z', 5) },
        8: { stat: stat(8, 'Z', 5) },
        9: { stat: stat(9, 'X', 5) },
        10: {},
        11: { stat: '' },
        12: { stat: stat(12, 'S', 5), cmdline: 'python3\0server.py\0' },
      },
      cmdline: '',
    },
  });
  t.same(liveTasks({ root }, 7), [12]);
  t.same(readCmdline({ root }, 7), ['python3', 'server.py']);
  t.end();
});

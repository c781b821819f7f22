import { execFile } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { promisify } from 'node:util';
import t, { type Test } from 'tap';
import { openPidFd, PidFdUnavailableError, pidFdSupport, type PidFd } from '../../src/linux/pidfd.ts';
import { seteuid } from '../helpers/effective-ids.ts';
import { needs } from '../helpers/needs.ts';
import { koffi, run, runNode } from './children.ts';
import { GONE, notProcesses } from './not-processes.ts';
import { openDescriptors, openedSince } from '../helpers/descriptors.ts';

const LONG_MS = 20_000;

function open(t: Test, pid: number): PidFd {
  const pidFd = openPidFd(pid);
  if (pidFd === undefined) throw new Error(`no process ${pid}`);
  t.teardown(() => {
    pidFd.close();
  });
  return pidFd;
}

function state(pid: number): string | undefined {
  const text = readFileSync(`/proc/${pid}/stat`, 'utf8');
  return text[text.lastIndexOf(')') + 2];
}

async function reaches(pid: number, wanted: string): Promise<void> {
  while (state(pid) !== wanted) await new Promise((resolve) => setTimeout(resolve, 2));
}

t.test('this machine has pidfds, and an inode for each process where it has pidfs', (t) => {
  const [major = 0, minor = 0] = readFileSync('/proc/sys/kernel/osrelease', 'utf8').split('.').map(Number);
  t.same(pidFdSupport(), { available: true, inode: major > 6 || (major === 6 && minor >= 14) });
  t.end();
});

for (const [name, pid] of notProcesses) {
  t.test(`${name} is no process`, (t) => {
    t.equal(openPidFd(pid), undefined);
    t.end();
  });
}

t.test('a thread is no process', (t) => {
  const thread = readdirSync('/proc/self/task')
    .map(Number)
    .find((tid) => tid !== process.pid);
  t.ok(thread, 'there is one');
  t.equal(openPidFd(thread!), undefined);
  t.end();
});

t.test('a process that obeys ends on SIGTERM', async (t) => {
  const child = await run(t, 'sleep', ['1000']);
  const pidFd = open(t, child.pid);
  t.equal(pidFd.pid, child.pid);
  t.equal(pidFd.hasExited(), false);
  t.equal(await pidFd.waitExit(0), false);
  t.equal(await pidFd.waitExit(20), false);
  t.equal(pidFd.send('SIGTERM'), 'sent');
  t.equal(await pidFd.waitExit(LONG_MS), true);
  t.equal(pidFd.hasExited(), true);
  await child.ended;
  t.equal(child.process.signalCode, 'SIGTERM');
  t.equal(pidFd.send('SIGKILL'), 'gone', 'once it was reaped');
  t.equal(pidFd.hasExited(), true);
  t.equal(await pidFd.waitExit(0), true);
  t.equal(openPidFd(child.pid), undefined);
});

t.test('a process that ignores SIGTERM ends on SIGKILL', async (t) => {
  const child = await runNode(
    t,
    `process.on('SIGTERM', () => {}); setInterval(() => {}, 1e6); console.log('ready')`,
  );
  const pidFd = open(t, child.pid);
  t.equal(pidFd.send('SIGTERM'), 'sent');
  t.equal(await pidFd.waitExit(100), false);
  t.equal(pidFd.send('SIGKILL'), 'sent');
  t.equal(await pidFd.waitExit(LONG_MS), true);
  await child.ended;
  t.equal(child.process.signalCode, 'SIGKILL');
});

t.test('SIGSTOP stops and SIGCONT continues', async (t) => {
  const child = await run(t, 'sleep', ['1000']);
  const pidFd = open(t, child.pid);
  t.equal(pidFd.send('SIGSTOP'), 'sent');
  await reaches(child.pid, 'T');
  t.equal(pidFd.hasExited(), false, 'a stopped process has not exited');
  t.equal(pidFd.send('SIGCONT'), 'sent');
  await reaches(child.pid, 'S');
  t.pass('it went on');
});

t.test('fifty children that end at once are all seen to', async (t) => {
  // Each sends SIGCHLD to this process while it polls.
  const children = await Promise.all(Array.from({ length: 50 }, () => run(t, 'sleep', ['1000'])));
  const pidFds = children.map((child) => open(t, child.pid));
  t.same(new Set(pidFds.map((pidFd) => pidFd.send('SIGKILL'))), new Set(['sent']));
  t.same(new Set(await Promise.all(pidFds.map((pidFd) => pidFd.waitExit(LONG_MS)))), new Set([true]));
});

t.test('a process has exited before its parent reaps it', async (t) => {
  const parent = await runNode(
    t,
    // Blocks as soon as the child runs, so that nobody waits for it.
    `const child = require('node:child_process').spawn('sleep', ['1000'], { stdio: 'ignore' });
    child.on('spawn', () => {
      require('node:fs').writeSync(1, child.pid + '\\n');
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
    });`,
  );
  const pid = Number(parent.line);
  const pidFd = open(t, pid);
  t.equal(pidFd.hasExited(), false);
  t.equal(pidFd.send('SIGKILL'), 'sent');
  t.equal(await pidFd.waitExit(LONG_MS), true);
  t.equal(state(pid), 'Z');
});

t.test('a process whose main thread alone has exited has not exited', async (t) => {
  const child = await runNode(
    t,
    `const { Worker } = require('node:worker_threads');
    const koffi = require('koffi');
    new Worker(\`
      const fs = require('node:fs');
      const wait = setInterval(() => {
        if (!fs.readFileSync('/proc/' + process.pid + '/stat', 'utf8').includes(') Z ')) return;
        clearInterval(wait);
        fs.writeSync(1, 'exited\\\\n');
        setInterval(() => {}, 1e6);
      }, 2);
    \`, { eval: true });
    setTimeout(() => {
      koffi.load(null).func('long syscall(long, long)')(process.arch === 'arm64' ? 93 : 60, 0);
    }, 300);`,
  );
  t.equal(state(child.pid), 'Z');
  const pidFd = open(t, child.pid);
  t.equal(pidFd.hasExited(), false, 'it still holds what it holds');
  t.equal(pidFd.send('SIGKILL'), 'sent');
  t.equal(await pidFd.waitExit(LONG_MS), true);
});

t.test("another user's process without CAP_KILL is denied, and lives", async (t) => {
  if (!needs(t, 'root')) return;
  const child = await run(t, 'sleep', ['1000'], { uid: 65533 });
  const pidFd = open(t, child.pid);
  seteuid(65534);
  try {
    t.equal(pidFd.send('SIGKILL'), 'denied');
  } finally {
    seteuid(0);
  }
  t.equal(pidFd.hasExited(), false);
  // Alive in whatever state: it may not have reached its sleep yet.
  t.match(state(child.pid), /^[SRD]$/);
});

t.test('the inode is the same for one process and differs between two', async (t) => {
  const [one, two] = [await run(t, 'sleep', ['1000']), await run(t, 'sleep', ['1000'])];
  const [first, again, other] = [open(t, one.pid), open(t, one.pid), open(t, two.pid)];
  t.equal(first.inode, again.inode);
  if (first.inode === undefined) t.pass('this kernel has no pidfs');
  else t.not(first.inode, other.inode);
});

t.test('the reuse of a pid moves the hold to nobody', async (t) => {
  if (!needs(t, 'root', 'unshare')) return;
  // In a pid namespace of its own, where nobody else starts anything: the next fork gets the next pid.
  const inside = `
    import { spawn } from 'node:child_process';
    import { once } from 'node:events';
    import { writeFileSync } from 'node:fs';
    import { openPidFd } from '${new URL('../../src/linux/pidfd.ts', import.meta.url).href}';
    const start = async () => {
      const child = spawn('sleep', ['1000'], { stdio: 'ignore' });
      await once(child, 'spawn');
      return child;
    };
    const end = async (child) => {
      child.kill('SIGKILL');
      await once(child, 'exit');
    };
    const old = await start();
    const held = openPidFd(old.pid);
    await end(old);
    writeFileSync('/proc/sys/kernel/ns_last_pid', String(old.pid - 1));
    const heir = await start();
    const fresh = openPidFd(heir.pid);
    const seen = {
      reused: heir.pid === old.pid,
      exited: held.hasExited(),
      sent: [held.send('SIGKILL'), held.send('SIGTERM')],
      heirEnded: await fresh.waitExit(50),
      sameInode: held.inode !== undefined && fresh.inode === held.inode,
    };
    console.log(JSON.stringify(seen));
    await end(heir);
  `;
  const args = ['--pid', '--fork', '--mount-proc', '--kill-child', process.execPath];
  const { stdout } = await promisify(execFile)('unshare', [
    ...args,
    ...process.execArgv,
    '--input-type=module',
    '--eval',
    inside,
  ]);
  t.strictSame(JSON.parse(stdout), {
    reused: true,
    exited: true,
    sent: ['gone', 'gone'],
    heirEnded: false,
    sameInode: false,
  });
});

t.test('a closed hold signals nobody, whoever has its descriptor now', async (t) => {
  const [one, two] = [await run(t, 'sleep', ['1000']), await run(t, 'sleep', ['1000'])];
  const first = open(t, one.pid);
  first.close();
  // Gets the lowest free descriptor: the same number.
  const second = open(t, two.pid);
  first.close();
  t.throws(() => first.send('SIGKILL'), /closed/);
  t.throws(() => first.hasExited(), /closed/);
  await t.rejects(first.waitExit(10), /closed/);
  t.equal(second.hasExited(), false, 'closing twice closed nothing of another');
  t.equal(second.send('SIGKILL'), 'sent');
  t.equal(await second.waitExit(LONG_MS), true);
  t.equal(state(one.pid), 'S');
});

t.test('closing ends the waits', async (t) => {
  const child = await run(t, 'sleep', ['1000']);
  const pidFd = open(t, child.pid);
  const waits = [pidFd.waitExit(2 ** 30), pidFd.waitExit(2 ** 30)];
  await new Promise((resolve) => setTimeout(resolve, 30));
  pidFd.close();
  t.same(await Promise.all(waits), [false, false]);
});

t.test('no outcome leaves a descriptor behind', async (t) => {
  const child = await run(t, 'sleep', ['1000']);
  const before = openDescriptors();
  for (let round = 0; round < 50; round++) {
    const pidFd = openPidFd(child.pid);
    t.equal(await pidFd?.waitExit(0), false);
    pidFd?.close();
    openPidFd(GONE);
    pidFdSupport();
  }
  t.same(openedSince(before), []);
});

t.test('a child does not inherit a hold', async (t) => {
  const held = await run(t, 'sleep', ['1000']);
  open(t, held.pid);
  const heir = await runNode(
    t,
    `const fs = require('node:fs');
    const links = fs.readdirSync('/proc/self/fd').map((fd) => {
      try { return fs.readlinkSync('/proc/self/fd/' + fd); } catch { return ''; }
    });
    console.log(JSON.stringify(links.filter((link) => link.includes('pidfd'))));
    setInterval(() => {}, 1e6);`,
  );
  const own = readdirSync('/proc/self/fd').length;
  t.ok(own > 0);
  t.same(JSON.parse(heir.line), []);
});

t.test('without descriptors there is an error with its errno, not an absent process', (t) => {
  const libc = koffi.load(null);
  const getrlimit = libc.func('int getrlimit(int, void *)');
  const setrlimit = libc.func('int setrlimit(int, void *)');
  const RLIMIT_NOFILE = 7;
  const before = Buffer.alloc(16);
  getrlimit(RLIMIT_NOFILE, before);
  const none = Buffer.from(before);
  none.writeBigUInt64LE(0n, 0);
  setrlimit(RLIMIT_NOFILE, none);
  let error: unknown;
  let support: unknown;
  try {
    support = pidFdSupport();
    openPidFd(process.pid);
  } catch (thrown) {
    error = thrown;
  } finally {
    setrlimit(RLIMIT_NOFILE, before);
  }
  t.ok(error instanceof PidFdUnavailableError);
  t.match(error, { code: 'EMFILE' });
  t.same(support, { available: false, code: 'EMFILE' });
  t.match(pidFdSupport(), { available: true });
  t.end();
});

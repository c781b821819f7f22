import { spawn } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import t, { type Test } from 'tap';
import { openPidFd, PidFdUnavailableError, type PidFd } from '../../src/linux/pidfd.ts';
import type { CleanReport, Report } from '../../src/model.ts';
import { readStat } from '../../src/procfs/stat.ts';
import { cleanup, type CleanupOptions } from '../../src/reap/cleanup.ts';
import type { CleanupDeps } from '../../src/reap/deps.ts';
import { interruptedCleanups, readJournal } from '../../src/reap/journal-read.ts';
import { lockCleanup } from '../../src/reap/lock.ts';
import type { Progress } from '../../src/reap/progress.ts';
import {
  childrenOf,
  containerId,
  idler,
  lookAt,
  openDescriptors,
  plant,
  proc,
  reportOf,
  runs,
  stubborn,
  until,
  type Said,
} from './world.ts';
import { exactly } from '../helpers/exactly.ts';

function setUp(t: Test, look: () => readonly Said[], more: Partial<CleanupDeps> = {}): CleanupDeps {
  return {
    look: lookAt(look),
    proc,
    gracePeriodMs: 300,
    maxTargets: 64,
    stateDirectory: more.stateDirectory ?? join(t.testdir(), 'state'),
    ...more,
  };
}

function run(deps: CleanupDeps, more: Partial<CleanupOptions> = {}): Promise<CleanReport> {
  return cleanup(deps, {
    trigger: 'clean',
    dryRun: false,
    suspects: false,
    confirmAfterMs: 50,
    force: false,
    ...more,
  });
}

const outcomes = (report: CleanReport): unknown => report.actions.map(({ pid, outcome }) => [pid, outcome]);

t.test('orphans are ended, everything else lives; the report and the journal say so', async (t) => {
  const [orphan, deaf, live, suspect, host] = [
    await idler(t),
    await stubborn(t),
    await idler(t),
    await idler(t),
    await idler(t),
  ];
  const progress: Progress[] = [];
  const deps = setUp(
    t,
    () => [
      { pid: orphan, ports: [8091] },
      { pid: deaf, ports: [8091, 3001] },
      { pid: live, verdict: 'container', ports: [3001] },
      { pid: suspect, verdict: 'suspect' },
      { pid: host, verdict: 'host', ports: [8080] },
    ],
    { onProgress: (each) => progress.push(each) },
  );
  const report = await run(deps);
  t.same(outcomes(report), [
    [orphan, 'terminated'],
    [deaf, 'killed'],
  ]);
  t.same([orphan, deaf, live, suspect, host].map(runs), [false, false, true, true, true]);
  t.match(report, { id: /^\d{8}T\d{6}Z-[0-9a-f]{6}$/, trigger: 'clean', dryRun: false });
  t.match(
    report.ports,
    exactly(
      { port: 8091, state: 'free', freed: true },
      { port: 3001, state: 'held', freed: true },
      { port: 8080, state: 'held', freed: false },
    ),
  );
  t.equal(report.scan.processes.length, 5, 'the scan is the one before');
  t.same(
    report.remaining.map(({ pid }) => pid),
    [suspect],
  );
  t.equal(report.ok, false);
  t.same(
    progress.map(({ kind }) => kind),
    ['second-look-wait', 'signalled', 'grace-wait', 'killed', 'verified'],
  );
  t.match(
    readJournal(deps.stateDirectory, proc),
    exactly({
      id: report.id,
      state: 'done',
      trigger: 'clean',
      targets: exactly(
        {
          identity: { pid: orphan, bootId: report.scan.bootId },
          user: 'root',
          ports: exactly(8091),
          reason: 'stack-process-reparented',
        },
        { identity: { pid: deaf }, cmdline: exactly('sleep', '100') },
      ),
      outcome: { ok: false, error: null, actions: report.actions, ports: report.ports },
    }),
  );
});

t.test('nothing to clean: one look, no wait, no lock, no journal', async (t) => {
  let looks = 0;
  const deps = setUp(t, () => {
    looks += 1;
    return [];
  });
  t.match(await run(deps, { confirmAfterMs: 60_000 }), {
    ok: true,
    actions: exactly(),
    remaining: exactly(),
  });
  t.equal(looks, 1);
  t.notOk(existsSync(deps.stateDirectory));
});

t.test('a dry run shows the same plan and sends nothing', async (t) => {
  const [one, two] = [await idler(t), await idler(t)];
  const said: Said[] = [
    { pid: one, ports: [8091] },
    { pid: two, verdict: 'suspect' },
  ];
  const deps = setUp(t, () => said, { maxTargets: 0 });
  const planned = await run(deps, { dryRun: true, suspects: true, confirmAfterMs: 60_000 });
  t.same(outcomes(planned), [
    [one, 'planned'],
    [two, 'planned'],
  ]);
  t.match(planned, { dryRun: true, ok: false, ports: exactly({ port: 8091, state: 'held', freed: false }) });
  t.notOk(existsSync(deps.stateDirectory));
  for (const pid of [one, two]) {
    const status = readFileSync(`/proc/${pid}/status`, 'utf8');
    t.match(status, /SigPnd:\t0{16}\nShdPnd:\t0{16}/);
    t.ok(runs(pid));
  }
  const done = await run({ ...deps, maxTargets: 64 }, { suspects: true });
  t.same(
    done.actions.map(({ pid }) => pid),
    planned.actions.map(({ pid }) => pid),
  );
});

t.test('with ports only what belongs to them is ended, and the look is asked for them', async (t) => {
  const [one, other] = [await idler(t), await idler(t)];
  const scopes: unknown[] = [];
  const look = (scope?: { ports?: readonly number[] }): Promise<Report> => {
    scopes.push(scope);
    return Promise.resolve(
      reportOf([
        { pid: one, ports: [8091] },
        { pid: other, ports: [3001] },
      ]),
    );
  };
  const report = await run(
    setUp(t, () => [], { look }),
    { ports: [8091] },
  );
  t.same(outcomes(report), [[one, 'terminated']]);
  t.ok(runs(other));
  t.equal(report.ok, true);
  t.same(scopes, [{ ports: [8091] }, { ports: [8091] }, { ports: [8091] }]);
});

t.test('between the looks: one exits, one turns out alive, one stays; only that one is ended', async (t) => {
  const [exits, alive, stays, young] = [await idler(t), await idler(t), await idler(t), await idler(t)];
  let looks = 0;
  const deps = setUp(t, () => {
    looks += 1;
    if (looks === 2) process.kill(exits, 'SIGKILL');
    return [
      ...(looks > 1 ? [] : [{ pid: exits }]),
      { pid: alive, ...(looks > 1 ? { verdict: 'container' as const, cause: 'its conmon lives' } : {}) },
      { pid: stays },
      ...(looks > 1 ? [{ pid: young }] : []),
    ];
  });
  const report = await run(deps);
  t.match(
    report.actions,
    exactly(
      { pid: stays, outcome: 'terminated' },
      { pid: exits, outcome: /gone|refused/, steps: exactly() },
      {
        pid: alive,
        outcome: 'refused',
        steps: exactly(),
        detail: 'verdict changed from orphan to container: its conmon lives',
      },
    ),
  );
  t.ok(runs(alive));
  t.ok(runs(young), 'what only the second look saw waits for the next clean-up');
  t.same(
    report.remaining.map(({ pid }) => pid),
    [young],
  );
});

t.test('nothing confirmed: nothing in the journal', async (t) => {
  const pid = await idler(t);
  let looks = 0;
  const deps = setUp(t, () => {
    looks += 1;
    return [{ pid, verdict: looks === 1 ? 'orphan' : 'helper' }];
  });
  t.match(await run(deps), { ok: true, actions: exactly({ outcome: 'refused' }) });
  t.ok(runs(pid));
  t.same(readJournal(deps.stateDirectory, proc), []);
});

t.test('more than maxTargets: refused before the wait, with the report; --force goes on', async (t) => {
  const pids = [await idler(t), await idler(t)];
  let looks = 0;
  const deps = setUp(
    t,
    () => {
      looks += 1;
      return pids.map((pid) => ({ pid }));
    },
    { maxTargets: 1 },
  );
  await t.rejects(run(deps), { code: 'too-many-targets', message: /^2 processes/, report: { schema: 1 } });
  t.equal(looks, 1);
  t.same(pids.map(runs), [true, true]);
  t.match(await run(deps, { force: true }), { ok: true });
  t.same(pids.map(runs), [false, false]);
});

t.test('a target that may not be signalled is not ok, also when no look lists it any more', async (t) => {
  const pid = await idler(t);
  let looks = 0;
  const deny = (target: number): PidFd | undefined => {
    const pidfd = openPidFd(target);
    if (pidfd === undefined) return undefined;
    return {
      pid: target,
      inode: pidfd.inode,
      send: () => 'denied',
      hasExited: () => pidfd.hasExited(),
      waitExit: (ms) => pidfd.waitExit(ms),
      close: () => {
        pidfd.close();
      },
    };
  };
  const deps = setUp(
    t,
    () => {
      looks += 1;
      return looks > 2 ? [] : [{ pid }];
    },
    { openPidFd: deny },
  );
  t.match(await run(deps), {
    ok: false,
    remaining: exactly(),
    actions: exactly({ outcome: 'refused', detail: /CAP_KILL/ }),
  });
  t.ok(runs(pid));
});

t.test('another clean-up has the lock: refused, nothing sent', async (t) => {
  const pid = await idler(t);
  const deps = setUp(t, () => [{ pid }]);
  const lock = lockCleanup(deps.stateDirectory);
  await t.rejects(run(deps), {
    code: 'locked',
    message: new RegExp(`pid ${process.pid}`),
    report: { schema: 1 },
  });
  t.ok(runs(pid));
  lock.release();
  t.match(await run(deps), { ok: true });
  t.notOk(runs(pid));
});

t.test(
  'a state directory that can’t be written: refused by name, nothing sent; none at all is a choice',
  async (t) => {
    const pid = await idler(t);
    const stateDirectory = join(t.testdir({ file: '' }), 'file', 'state');
    await t.rejects(run(setUp(t, () => [{ pid }], { stateDirectory })), {
      code: 'no-journal',
      message: /file\/state/,
    });
    t.ok(runs(pid));
    t.match(await run(setUp(t, () => [{ pid }], { stateDirectory: '' })), { ok: true });
    t.notOk(runs(pid));
  },
);

t.test('without pidfd every target is refused, with the reason, and nothing is waited for', async (t) => {
  const pid = await idler(t);
  const openPidFd = (): never => {
    throw new PidFdUnavailableError('pidfd_open', 'ENOSYS');
  };
  const report = await run(
    setUp(t, () => [{ pid }], { openPidFd }),
    { confirmAfterMs: 60_000 },
  );
  t.match(report, {
    ok: false,
    actions: exactly({ pid, outcome: 'refused', steps: exactly(), detail: /^pidfd_open: ENOSYS/ }),
  });
  t.ok(runs(pid));
});

t.test('an abort before the second look leaves everything as it is', async (t) => {
  const pid = await idler(t);
  const deps = setUp(t, () => [{ pid }]);
  const report = await run(deps, { confirmAfterMs: 60_000, signal: AbortSignal.timeout(50) });
  t.match(report, { ok: false, actions: exactly({ pid, outcome: 'refused', detail: /^interrupted/ }) });
  t.ok(runs(pid));
  t.same(readJournal(deps.stateDirectory, proc), []);
});

t.test('an abort during the second look leaves everything as it is', async (t) => {
  const pid = await idler(t);
  const abort = new AbortController();
  let looks = 0;
  const deps = setUp(t, () => {
    looks += 1;
    if (looks === 2) abort.abort();
    return [{ pid }];
  });
  t.match(await run(deps, { signal: abort.signal }), {
    actions: exactly({ outcome: 'refused', detail: /^interrupted/ }),
  });
  t.ok(runs(pid));
});

t.test('an abort after the intent finishes the clean-up, and its outcome is on record', async (t) => {
  const pid = await stubborn(t);
  const abort = new AbortController();
  const deps = setUp(t, () => [{ pid }], {
    onProgress: ({ kind }) => {
      if (kind === 'grace-wait') abort.abort();
    },
  });
  t.match(await run(deps, { signal: abort.signal }), { ok: true, actions: exactly({ outcome: 'killed' }) });
  t.match(readJournal(deps.stateDirectory, proc), exactly({ state: 'done', outcome: { ok: true } }));
});

t.test('a suspect whose runtime lists it: runtime first, then what is left', async (t) => {
  const container = { runtime: 'podman', id: containerId(), name: 'aidb' };
  const pid = await stubborn(t);
  let released = false;
  const deps = setUp(
    t,
    () => [
      released
        ? { pid, container, verdict: 'orphan', reason: 'container-gone' }
        : { pid, container, verdict: 'suspect', reason: 'supervisor-dead' },
    ],
    {
      release: () => {
        released = true;
        return Promise.resolve([{ at: new Date().toISOString(), signal: 'podman rm' }]);
      },
    },
  );
  const kept = await run(deps);
  t.match(kept, { ok: false, actions: exactly(), remaining: exactly({ pid }) });
  t.notOk(released);
  const report = await run(deps, { suspects: true });
  t.same(
    report.actions[0]?.steps.map(({ signal }) => signal),
    ['podman rm', 'SIGTERM', 'SIGKILL'],
  );
  t.match(report, { ok: true, actions: exactly({ outcome: 'killed', reason: 'supervisor-dead' }) });
});

t.test('a look that fails half-way: ended all the same, on record as failed, and thrown', async (t) => {
  const pid = await stubborn(t);
  let looks = 0;
  const deps = setUp(t, () => {
    looks += 1;
    if (looks > 2) throw new Error('no look');
    return [{ pid }];
  });
  await t.rejects(run({ ...deps, look: async () => Promise.resolve(await deps.look()) }), {
    message: 'no look',
  });
  t.notOk(runs(pid));
  t.match(
    readJournal(deps.stateDirectory, proc),
    exactly({
      state: 'done',
      outcome: { ok: false, error: 'no look', actions: exactly({ outcome: 'killed' }) },
    }),
  );
});

t.test('a real port is free afterwards, with the workers that shared it', async (t) => {
  // Forked workers share the listening socket; they ignore SIGTERM and know no port in the report.
  const script = `use IO::Socket::INET; $s = IO::Socket::INET->new(LocalAddr => '127.0.0.1', Listen => 5) or die;
    $SIG{TERM} = 'IGNORE'; for (1..3) { if (!fork) { sleep 100; exit } } $SIG{TERM} = 'DEFAULT';
    open F, '>', "$ARGV[0].new"; print F $s->sockport; close F; rename "$ARGV[0].new", $ARGV[0]; sleep 100`;
  const file = join(t.testdir(), 'port');
  const pid = await plant(t, ['perl', '-e', script, file], 'perl');
  await until(() => existsSync(file));
  const port = Number(readFileSync(file, 'utf8'));
  t.equal(await answers(port), true);
  const report = await run(setUp(t, () => [{ pid, ports: [port] }]));
  t.match(report, { ok: true, ports: exactly({ port, state: 'free', freed: true }) });
  t.equal(report.actions.length, 4);
  t.equal(await answers(port), false);
});

t.test(
  'a clean-up that was killed half-way is found interrupted, holds no lock, and can be done again',
  async (t) => {
    const pid = await stubborn(t);
    const stateDirectory = join(t.testdir(), 'state');
    const script = fileURLToPath(new URL('interrupted-child.ts', import.meta.url));
    const child = spawn(process.execPath, [...process.execArgv, script, String(pid), stateDirectory], {
      stdio: 'inherit',
    });
    t.teardown(() => child.kill('SIGKILL'));
    const journal = join(stateDirectory, 'journal.jsonl');
    await until(() => existsSync(journal) && readFileSync(journal, 'utf8').endsWith('\n'));
    t.match(
      readJournal(stateDirectory, proc),
      exactly({ state: 'running', trigger: 'boot', by: { pid: child.pid } }),
    );
    t.same(interruptedCleanups(stateDirectory, proc), []);
    await t.rejects(run(setUp(t, () => [{ pid }], { stateDirectory })), {
      code: 'locked',
      message: new RegExp(`pid ${child.pid}`),
    });
    child.kill('SIGKILL');
    await until(() => readStat(proc, child.pid!) === undefined);
    t.match(
      interruptedCleanups(stateDirectory, proc),
      exactly({ state: 'interrupted', targets: exactly({ identity: { pid }, ports: exactly(8091) }) }),
    );
    t.ok(runs(pid));
    t.match(await run(setUp(t, () => [{ pid }], { stateDirectory })), { ok: true });
    t.notOk(runs(pid));
  },
);

t.test('forks are on record before they are signalled', async (t) => {
  const script = 'for i in 1 2; do (trap "" TERM; exec sleep 100) & done; wait';
  const pid = await plant(t, ['sh', '-c', script], 'sh');
  await until(() => childrenOf(pid).length === 2);
  const deps = setUp(t, () => [{ pid }]);
  const seen: unknown[] = [];
  const report = await run({
    ...deps,
    onProgress: ({ kind }) => {
      if (kind === 'signalled')
        seen.push(
          ...readJournal(deps.stateDirectory, proc).flatMap(({ forks }) => forks.map((fork) => fork.pid)),
        );
    },
  });
  t.same(
    seen.sort(),
    report.actions
      .slice(1)
      .map((action) => action.pid)
      .sort(),
  );
  t.equal(seen.length, 2);
});

t.test('all descriptors are given back, whatever comes of it', async (t) => {
  const stateDirectory = join(t.testdir(), 'state');
  const round = async (): Promise<void> => {
    const [ended, deaf, kept] = [await idler(t), await stubborn(t), await idler(t)];
    let looks = 0;
    await run(
      setUp(
        t,
        () => {
          looks += 1;
          return [{ pid: ended }, { pid: deaf }, { pid: kept, verdict: looks > 1 ? 'host' : 'orphan' }];
        },
        { stateDirectory },
      ),
    );
    await run(
      setUp(t, () => [{ pid: kept }], { stateDirectory }),
      { signal: AbortSignal.abort() },
    );
    await t.rejects(run(setUp(t, () => [{ pid: kept }], { stateDirectory, maxTargets: 0 })));
  };
  await round();
  const before = openDescriptors();
  await round();
  t.equal(openDescriptors(), before);
  t.same(readdirSync(stateDirectory).sort(), ['journal.jsonl', 'lock']);
});

function answers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket: Socket = connect(port, '127.0.0.1');
    socket.on('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.on('error', () => {
      resolve(false);
    });
  });
}

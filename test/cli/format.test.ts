import t from 'tap';
import { findingLines, scanText } from '../../src/cli/format.ts';
import { liveProcess, sampleProcess, sampleReport } from '../helpers/sample-report.ts';

const plain = {
  sign: (tone: string) => ({ info: 'ℹ', warn: '⚠', ok: '✓', fail: '✗' })[tone] ?? '?',
  strong: (text: string) => text,
};

const webui = sampleProcess({
  pid: 95306,
  cmdline: [
    '/usr/local/bin/python3',
    '-m',
    'uvicorn',
    'open_webui.main:app',
    '--host',
    '0.0.0.0',
    '--port',
    '3001',
  ],
  container: null,
  ports: [3001],
  verdict: 'suspect',
  reason: 'stack-process-with-parent',
  cause: 'process 95306 looks like a stack process outside any container, but its parent 7 (sh) lives',
});

t.test('a scan reads like the reference document', (t) => {
  const report = sampleReport([sampleProcess(), webui, liveProcess(22301, 'redis', [6379], 'redis-server')]);
  t.equal(
    scanText(report, false, plain),
    `⚠ 8091   aidb-http           held by orphan python3, PID 1328823
✓ 8791   aidb-websocket      free
✓ 8092   hybrid-coordinator  free
✓ 8094   nixos-docs          free
⚠ 3001   open-webui          held by suspect python3, PID 95306
✓ 8098   ralph-wiggum        free
✓ 6333   qdrant              free
✓ 8080   llama-cpp           free
✓ 5432   postgres            free
✓ 6379   redis               held by live container local-ai-redis (redis-server), PID 22301
✓ 47334  mindsdb             free
⚠ Found orphaned aidb-http process on port 8091
    PID: 1328823
    Command: python3 -u /app/server.py --config /app/config/config.yaml
    Cause: aidb-http's process 1328823 survived its container: conmon is gone, podman no longer knows it (container-gone)
⚠ Found suspect open-webui process on port 3001
    PID: 95306
    Command: /usr/local/bin/python3 -m uvicorn open_webui.main:app --host 0.0.0.0 --port 3001
    Cause: process 95306 looks like a stack process outside any container, but its parent 7 (sh) lives (stack-process-with-parent)

=== Scan Summary ===
Ports watched: 11 (3 held)
Orphans: 1, suspects: 1, unknown: 0
ℹ To end the orphans: orphand clean
ℹ To look at a suspect: orphand explain pid 95306; to end them: orphand clean --suspects
✗ 2 issues to look at`,
  );
  t.end();
});

t.test('a host without findings ends with the sentence of the reference document', (t) => {
  t.match(scanText(sampleReport([]), false, plain), /\n✓ All watched ports are free$/);
  const live = sampleReport([liveProcess(22301, 'redis', [6379])]);
  t.match(scanText(live, false, plain), /\n✓ No orphan holds a watched port$/);
  t.end();
});

t.test('--all names what there is nothing to do for, and why', (t) => {
  const report = sampleReport([liveProcess(22301, 'redis', [6379], 'redis-server')]);
  const row = 'PID 22301 redis-server: local-ai-redis runs: conmon 22300 keeps it (supervised)';
  t.ok(scanText(report, true, plain).includes(`Nothing to do for:\n    ${row}`));
  t.notOk(scanText(report, false, plain).includes(row));
  t.end();
});

t.test('forked workers that share a socket are one line, however many', (t) => {
  const workers = Array.from({ length: 12 }, (_, n) => sampleProcess({ pid: 100 + n }));
  t.match(
    scanText(sampleReport(workers), false, plain),
    /aidb-http +held by orphan python3, PIDs 100, 101, 102, 103, 104, 105, 106, 107 and 4 more\n/,
  );
  t.end();
});

t.test('a live container and an orphan on one port are both named, the orphan first', (t) => {
  const report = sampleReport([liveProcess(22011, 'aidb', [8091], 'python3'), sampleProcess()]);
  t.match(
    scanText(report, false, plain),
    /⚠ 8091 .*held by orphan python3, PID 1328823; and by live container local-ai-aidb \(python3\), PID 22011\n/,
  );
  t.end();
});

t.test('who may not see the holder is told so, and how to', (t) => {
  const report = sampleReport([], { privileged: false });
  const [port] = report.ports;
  Object.assign(port!, { state: 'held', listeners: [{ address: '::1', inode: 1, uid: 0, holders: [] }] });
  report.unreadable = [
    { pid: 1, file: '/proc/1/fd', code: 'EACCES' },
    { pid: 1, file: '/proc/1/exe', code: 'EACCES' },
    { pid: 2, file: '/proc/2/fd', code: 'EACCES' },
  ];
  const text = scanText(report, false, plain);
  t.match(text, /⚠ 8091 .*held by a process that could not be seen\n/);
  t.match(text, /⚠ 2 processes could not be read: run with sudo to see who holds 8091\n/);
  t.match(text, /✗ 1 issue to look at$/);
  t.end();
});

t.test('root is told what could not be read, for no sudo would help', (t) => {
  const unreadable = [{ pid: 9, file: '/proc/9/fd', code: 'EACCES' }];
  const text = scanText(sampleReport([], { unreadable }), false, plain);
  t.match(text, /⚠ 1 process could not be read: \/proc\/9\/fd \(EACCES\)\n/);
  t.notMatch(text, /sudo/);
  t.end();
});

t.test('a container that is not the stack’s is reported, and no issue', (t) => {
  const text = scanText(sampleReport([sampleProcess({ ports: [], inScope: false })]), false, plain);
  t.match(
    text,
    /ℹ Not the stack's, left alone: orphan python3, PID 1328823 of container local-ai-aidb \(container-gone\)\n/,
  );
  t.match(text, /Orphans: 0, .*\n✓ All watched ports are free$/);
  t.end();
});

t.test('a warning about a live container is shown though nothing will be done', (t) => {
  const process = { ...liveProcess(22301, 'redis', [6379]), warning: 'podman lost track of it' };
  t.match(
    scanText(sampleReport([process]), false, plain),
    /⚠ live container local-ai-redis \(redis\), PID 22301: podman lost track of it\n/,
  );
  t.end();
});

t.test('a runtime that does not answer is named where a verdict hangs on it', (t) => {
  const runtimes = [{ name: 'docker', user: 'root', available: false, reason: 'no answer in 3 s' }];
  const silent = sampleProcess({ verdict: 'suspect', reason: 'runtime-silent' });
  t.match(
    scanText(sampleReport([silent], { runtimes }), false, plain),
    /⚠ docker of root does not answer: no answer in 3 s\n/,
  );
  t.notMatch(scanText(sampleReport([], { runtimes }), false, plain), /docker/);
  t.end();
});

t.test('no field of a process breaks a line or reaches the terminal', (t) => {
  const evil = '\x1b[2J\u202e\nKilled';
  const process = sampleProcess({
    comm: evil,
    cmdline: [evil],
    cause: evil,
    warning: evil,
    container: { runtime: evil, id: evil, name: evil },
  });
  for (const verdict of ['orphan', 'suspect', 'unknown', 'container', 'helper', 'host'] as const) {
    for (const unit of [null, evil]) {
      for (const inScope of [true, false]) {
        const report = sampleReport([{ ...process, verdict, unit, inScope }]);
        t.notMatch(scanText(report, true, plain).replaceAll('\n', ''), /[\p{Cc}\u202e]/u, verdict);
        t.notMatch(scanText(report, true, plain), /^Killed/m, verdict);
      }
    }
  }
  t.end();
});

t.test('a process that holds no port is found by its name, a kernel-made one by its comm', (t) => {
  const [first, , command] = findingLines(sampleProcess({ ports: [], cmdline: [] }), [], plain);
  t.equal(first, '⚠ Found orphaned python3 process');
  t.equal(command, '    Command: [python3]');
  t.end();
});

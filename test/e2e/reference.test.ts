// The reference's two examples, its patterns and its ports, with the built-in configuration: nothing is configured here.
import { copyFileSync, existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import type { Test } from 'tap';
import type { CleanReport } from '../../src/model.ts';
import { labFolder, privateHost, views, type Host, type View } from '../helpers/lab/host.ts';
import { judged, orphand, outcome } from '../helpers/lab/orphand.ts';
import { lives, processRunning, readStat, startProcess, type HostProcess } from '../helpers/lab/processes.ts';
import { addUser } from '../helpers/lab/rootless.ts';
import { served, serves } from '../helpers/lab/serving.ts';
import { until } from '../helpers/lab/wait.ts';
import { needs } from '../helpers/needs.ts';

const server = ['python3', '-u', 'SCRIPT', '--config', '/app/config/config.yaml'];

interface Example extends HostProcess {
  name: string;
  pattern: string;
  ready?: (host: Host, pid: number) => boolean;
}

const examples: Example[] = [
  {
    name: "the reference's server.py",
    script: 'app/server.py',
    argv: server,
    ports: [8091],
    pattern: 'server\\.py --config',
  },
  {
    name: "the reference's uvicorn",
    script: 'site/uvicorn/__main__.py',
    argv: [
      ...['/usr/local/bin/python3', '-m', 'uvicorn', 'open_webui.main:app'],
      ...['--host', '0.0.0.0', '--port', '3001'],
    ],
    ports: [3001],
    pattern: 'uvicorn.*open_webui\\.main:app.*3001',
  },
  {
    name: 'a server with four forked workers on its socket',
    script: 'app/hybrid/server.py',
    argv: server,
    ports: [8092],
    workers: 4,
    pattern: 'server\\.py --config',
  },
  {
    name: "another user's server",
    script: 'app/docs/server.py',
    argv: server,
    ports: [8094],
    user: 'alice',
    pattern: 'server\\.py --config',
  },
  {
    name: 'a server on ::1 only',
    script: 'app/ralph/server.py',
    argv: ['python3', 'SCRIPT'],
    ports: [8098],
    address: '::1',
    pattern: 'ralph.*server\\.py',
  },
  {
    name: 'a server that calls itself a) R 1 (b',
    script: 'app/named/server.py',
    argv: server,
    ports: [6333],
    comm: 'a) R 1 (b',
    pattern: 'server\\.py --config',
  },
  {
    name: 'a server with newlines and escape sequences in its arguments',
    script: 'app/hostile/server.py',
    argv: [...server, '\u001b[2J\u001b[31mred', 'two\nlines\r', '\u009b5m\u0007', '\u202egpj'],
    ports: [8791],
    pattern: 'server\\.py --config',
  },
  {
    name: 'a server that ignores SIGTERM',
    script: 'app/stubborn/server.py',
    argv: server,
    ports: [6379],
    ignoreTerm: true,
    pattern: 'server\\.py --config',
  },
  {
    name: 'a server whose main thread has exited',
    script: 'app/headless/server.py',
    argv: server,
    ports: [47334],
    deadMain: true,
    ready: (host, pid) => readStat(host, pid)?.state === 'Z',
    pattern: 'server\\.py --config',
  },
  {
    name: 'a daemon without a port',
    script: 'app/self_healing_daemon.py',
    argv: ['python3', 'SCRIPT'],
    pattern: 'self_healing_daemon\\.py',
  },
];

async function startExamples(t: Test, host: Host) {
  const started = [];
  for (const { name, pattern, ready, ...options } of examples) {
    const one = await startProcess(host, { ...options, env: { PYTHONPATH: `${host.dir}/site` } });
    if (ready !== undefined) await until(name, () => ready(host, one.pid));
    for (const port of options.ports ?? []) t.ok(await serves(host, port, options.address), `${name} serves`);
    started.push({ name, pattern, ports: options.ports ?? [], stubborn: options.ignoreTerm === true, one });
  }
  return started;
}

/** Nothing that a process chose may reach a terminal but as text: no control character, nothing that turns the line. */
function printable(t: Test, text: string): void {
  t.notMatch(text, /[^\P{Cc}\n]/u, 'the output holds no raw control character');
  t.notMatch(text, /[\u202a-\u202e\u2066-\u2069]/, 'nor one that reverses what follows');
}

async function openReference(t: Test, view: View) {
  const host = await privateHost(t, view);
  await addUser(host, 'alice');
  const started = await startExamples(t, host);
  const stranger = await startProcess(host, {
    script: 'other/web.py',
    argv: ['/usr/bin/python3', 'SCRIPT'],
    ports: [8080],
  });
  return { host, started, stranger };
}

for (const view of views()) {
  t.test(`the reference's processes are ended, the rest of the host is not (${view})`, async (t) => {
    if (!needs(t, 'root', 'unshare')) return;
    const { host, started, stranger } = await openReference(t, view);
    const { code, stdout } = await orphand(host, ['clean', '--json']);
    const report = JSON.parse(stdout) as CleanReport;
    for (const { name, pattern, ports, stubborn, one } of started) {
      for (const each of [one, ...one.workers]) {
        t.equal(judged(report.scan, each), 'orphan stack-process-reparented', `${name} is an orphan`);
        t.equal(outcome(report, each), stubborn ? 'killed' : 'terminated', `${name} is ended`);
        t.notOk(lives(host, each), `${name}: ${each.pid} has gone`);
      }
      const found = report.scan.processes.find(({ pid }) => pid === one.pid);
      t.strictSame(found?.ports, ports, `${name}: its ports`);
      t.ok(found?.patterns.includes(pattern), `${name}: its pattern`);
      for (const port of ports)
        t.match(
          report.ports.find((each) => each.port === port),
          { state: 'free', freed: true },
          `${name}: port ${port}`,
        );
    }
    t.equal(report.ok, true);
    t.equal(code, 0, 'nothing is left to clean');
    t.equal(judged(report.scan, stranger), 'host not-the-stack', "someone else's server on 8080");
    t.ok(lives(host, stranger) && (await serves(host, 8080)), 'lives and serves');
    const again = await orphand(host, ['clean', '--json']);
    t.strictSame((JSON.parse(again.stdout) as CleanReport).actions, [], 'a second run finds nothing to do');
    t.equal(again.code, 0);
  });

  t.test(`what a person reads names them as the reference does (${view})`, async (t) => {
    if (!needs(t, 'root', 'unshare')) return;
    const { host, started, stranger } = await openReference(t, view);
    const named = (text: string, { pid }: { pid: number }) => t.match(text, new RegExp(`PID: ${pid}\\n`));
    const scan = await orphand(host, ['scan']);
    t.equal(scan.code, 1, 'scan: there is something');
    printable(t, scan.stdout + scan.stderr);
    for (const { one } of started) named(scan.stdout, one);

    for (const { one } of started) {
      const explain = await orphand(host, ['explain', `${one.pid}`]);
      t.equal(explain.code, 0);
      printable(t, explain.stdout + explain.stderr);
      t.match(explain.stdout, 'stack-process-reparented');
    }

    const clean = await orphand(host, ['clean']);
    t.equal(clean.code, 0, clean.stdout + clean.stderr);
    printable(t, clean.stdout + clean.stderr);
    t.match(clean.stdout, 'Found orphaned aidb-http process on port 8091');
    t.match(clean.stdout, 'Found orphaned open-webui process on port 3001');
    t.match(clean.stdout, '=== Cleanup Summary ===');
    t.match(clean.stdout, /Processes killed: 14\n/);
    for (const { one } of started) {
      named(clean.stdout, one);
      t.notOk(lives(host, one));
    }
    t.ok(lives(host, stranger));
    await served(host, 8080);
  });

  t.test(`a start script is ended with the server that it started (${view})`, async (t) => {
    if (!needs(t, 'root', 'unshare')) return;
    const host = await privateHost(t, view);
    const script = join(host.dir, 'start_with_discovery.sh');
    const ready = join(host.dir, 'ready');
    const lab = JSON.stringify({ ports: [5432], ready });
    // The server itself matches no pattern: it belongs to the stack by its parent.
    copyFileSync(join(labFolder, 'serve.py'), join(host.dir, 'database.py'));
    writeFileSync(script, `LAB='${lab}' /usr/bin/python3 ${host.dir}/database.py >/dev/null 2>&1 &\nwait\n`);
    await host.ok(['setsid', '--fork', 'bash', script]);
    await until('the server', () => existsSync(ready));
    const shell = await processRunning(host, ['bash', script]);
    const server = await processRunning(host, ['/usr/bin/python3', `${host.dir}/database.py`]);
    t.equal(readStat(host, server.pid)?.ppid, shell.pid);
    const { code, stdout } = await orphand(host, ['clean', '--json']);
    const report = JSON.parse(stdout) as CleanReport;
    for (const one of [shell, server]) {
      t.equal(judged(report.scan, one), 'orphan stack-process-reparented');
      t.notOk(lives(host, one));
    }
    t.equal(report.actions.length, 2);
    t.equal(code, 0);
  });
}

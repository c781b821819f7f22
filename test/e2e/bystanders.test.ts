import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { writeConfig } from '../helpers/lab/config.ts';
import { privateHost, type Host } from '../helpers/lab/host.ts';
import { clean, judged, outcome, scan } from '../helpers/lab/orphand.ts';
import { lives, processRunning, startProcess, type Proc } from '../helpers/lab/processes.ts';
import { serves } from '../helpers/lab/serving.ts';
import { until } from '../helpers/lab/wait.ts';
import { needs } from '../helpers/needs.ts';

const stack = ['python3', '-u', 'SCRIPT', '--config', '/app/config.yaml'];
const [orphanPort, otherPort, givenPort] = [18391, 18392, 18393];
const config = (host: Host) =>
  writeConfig(host, {
    ports: [orphanPort, otherPort, givenPort],
    patterns: ['server\\.py --config', 'self_healing_daemon\\.py'],
  });

/** Starts a command that is left to pid 1, and finds it by its command line. */
async function startCommand(host: Host, argv: string[]): Promise<Proc> {
  await host.ok(['setsid', '--fork', 'sh', '-c', 'exec "$@" <>/dev/null >/dev/null 2>&1', 'sh', ...argv]);
  return processRunning(host, argv);
}

/** Starts a process that keeps a connection to the orphan's port. */
async function startClient(host: Host): Promise<Proc> {
  const code = `import socket, time; s = socket.create_connection(("127.0.0.1", ${orphanPort})); time.sleep(1000)`;
  const client = await startCommand(host, ['/usr/bin/python3', '-c', code]);
  const remote = `:${orphanPort.toString(16).toUpperCase().padStart(4, '0')} 01`;
  await until('the client to be connected', () =>
    readFileSync(host.path('/proc/1/net/tcp'), 'utf8').includes(remote),
  );
  return client;
}

t.test('an orphan goes; what only looks or stands near it stays', async (t) => {
  if (!needs(t, 'root', 'unshare')) return;
  const host = await privateHost(t);
  const orphan = await startProcess(host, { script: 'app/server.py', argv: stack, ports: [orphanPort] });
  const notes = join(host.dir, 'self_healing_daemon.py');
  writeFileSync(notes, '');
  const bystanders = {
    'tail -f on a file with a pattern as its name': await startCommand(host, ['tail', '-f', notes]),
    'an interpreter that has it as an argument': await startCommand(host, [
      'python3',
      '-c',
      'import time; time.sleep(1000)',
      'vi',
      notes,
    ]),
    'a shell that mentions it': await startCommand(host, [
      'sh',
      '-c',
      'sleep 1000; : self_healing_daemon.py',
    ]),
    'a grep for it': await startCommand(host, ['grep', '-r', 'server.py --config', '/dev/zero']),
    "someone else's server on a watched port": await startProcess(host, {
      script: 'other/web.py',
      argv: ['/usr/bin/python3', 'SCRIPT'],
      ports: [otherPort],
    }),
    'a client of the orphan': await startClient(host),
  };
  const withParent = await startProcess(host, { script: 'dev/server.py', argv: stack, parent: true });

  const { code, report } = await clean(host, config(host));
  t.notOk(lives(host, orphan), 'the orphan has gone');
  t.strictSame(
    report.actions.map(({ pid }) => pid),
    [orphan.pid],
    'it was the only target',
  );
  for (const [name, one] of Object.entries(bystanders)) {
    t.equal(outcome(report, one), undefined, `${name} was no target`);
    t.notMatch(judged(report.scan, one) ?? 'host', /^(orphan|suspect)/, `${name} is not suspected`);
    t.ok(lives(host, one), `${name} lives`);
  }
  const { holders } = report.scan.ports.find(({ port }) => port === orphanPort)?.listeners[0] ?? {};
  t.strictSame(holders, [orphan.pid], 'a client of a port is no holder of it');
  t.equal(judged(report.scan, bystanders["someone else's server on a watched port"]), 'host not-the-stack');
  t.ok(await serves(host, otherPort));
  t.equal(judged(report.scan, withParent), 'suspect stack-process-with-parent');
  t.ok(lives(host, withParent), 'a stack process whose parent lives is kept');
  t.equal(code, 1, 'and is left to be looked at');
});

t.test("a process that was handed the orphan's listening socket lives on and is reported", async (t) => {
  if (!needs(t, 'root', 'unshare')) return;
  const host = await privateHost(t);
  const socket = join(host.dir, 'give');
  const orphan = await startProcess(host, {
    script: 'app/server.py',
    argv: stack,
    ports: [givenPort],
    give: socket,
  });
  const heir = await startProcess(host, {
    script: 'other/heir.py',
    argv: ['/usr/bin/python3', 'SCRIPT'],
    take: socket,
  });
  const before = await scan(host, config(host));
  t.strictSame(
    new Set(before.report.ports.find(({ port }) => port === givenPort)?.listeners[0]?.holders),
    new Set([orphan.pid, heir.pid]),
    'both hold it',
  );
  const { code, report } = await clean(host, config(host));
  t.notOk(lives(host, orphan), 'the orphan has gone');
  t.strictSame(
    report.actions.map(({ pid }) => pid),
    [orphan.pid],
  );
  t.ok(lives(host, heir), 'the heir lives');
  t.ok(await serves(host, givenPort), 'and serves');
  t.equal(judged(report.scan, heir), 'host not-the-stack');
  t.match(report.ports.find(({ port }) => port === givenPort)?.state, 'held');
  t.strictSame(
    report.remaining.map(({ pid }) => pid),
    [heir.pid],
    'it is what remains',
  );
  t.equal(report.ok, false);
  t.equal(code, 1, 'the port is not free');
});

t.test('what runs beside orphand in a terminal lives on, although its shell has gone', async (t) => {
  if (!needs(t, 'root', 'unshare')) return;
  const host = await privateHost(t);
  const orphan = await startProcess(host, { script: 'app/server.py', argv: stack, ports: [orphanPort] });
  // orphand itself is started by a process of the stack, as a start script would: an ancestor is never a target.
  const script = join(host.dir, 'start_with_discovery.sh');
  const file = writeConfig(host, {
    ports: [orphanPort],
    patterns: ['start_with_discovery\\.sh', 'server\\.py'],
  });
  writeFileSync(
    script,
    `${host.orphand.join(' ')} clean --json --suspects --config ${file}\necho "still here $?"\n`,
  );
  const { stdout, code } = await host.run(['bash', script]);
  t.match(stdout, 'still here 0');
  t.equal(code, 0);
  t.notOk(lives(host, orphan));
});

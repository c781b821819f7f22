import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import type { BootRecord } from '../../src/cli/boot-record.ts';
import type { ConfigFile } from '../../src/config/schema.ts';
import { readJournal } from '../../src/reap/journal-read.ts';
import { lockCleanup } from '../../src/reap/lock.ts';
import { writeConfig } from '../helpers/lab/config.ts';
import { type Host, thisMachine } from '../helpers/lab/host.ts';
import { orphand } from '../helpers/lab/orphand.ts';
import { freePort } from '../helpers/lab/ports.ts';
import { lives, startProcess } from '../helpers/lab/processes.ts';
import { exactly } from '../helpers/exactly.ts';

/** Runs `orphand boot`, and answers what it said and left. */
async function boot(host: Host, config: ConfigFile) {
  const run = join(host.dir, 'run');
  mkdirSync(run, { recursive: true });
  const file = writeConfig(host, { ...config, boot: { confirmAfter: '500ms', ...config.boot } });
  const result = await orphand(host, ['boot', '--config', file], { env: { RUNTIME_DIRECTORY: run } });
  const recordFile = join(run, 'boot.json');
  const record = existsSync(recordFile)
    ? (JSON.parse(readFileSync(recordFile, 'utf8')) as BootRecord)
    : undefined;
  return { ...result, record };
}

/** A server of a stack process that lost its parent, on a port that is watched, and the configuration that watches it. */
async function plant(host: Host, ignoreTerm = false) {
  const port = await freePort();
  const orphan = await startProcess(host, {
    script: 'app/boot-server.py',
    argv: ['python3', 'SCRIPT', '--config'],
    ports: [port],
    ignoreTerm,
  });
  const config: ConfigFile = {
    ports: [{ port, service: 'test' }],
    patterns: [`${host.dir}/app/boot-server\\.py --config`],
  };
  return { port, orphan, config };
}

t.test('an orphan is ended, and the record says so', async (t) => {
  const host = thisMachine(t);
  const { orphan, port, config } = await plant(host, true);
  const { code, stdout, record } = await boot(host, config);
  t.equal(code, 0, stdout);
  t.notOk(lives(host, orphan));
  t.match(stdout, new RegExp(`Freed port ${port} \\(test\\)`));
  t.match(record, {
    schema: 1,
    ok: true,
    error: null,
    cleanup: {
      trigger: 'boot',
      actions: exactly({ pid: orphan.pid, outcome: 'killed' }),
      ports: exactly({ port, freed: true }),
    },
  });
  t.match(
    readJournal(join(host.dir, 'state'), { root: '/proc' }),
    exactly({ trigger: 'boot', state: 'done' }),
  );
});

t.test('with nothing to do it is quick to say so', async (t) => {
  const host = thisMachine(t);
  const { code, record } = await boot(host, { ports: [{ port: await freePort(), service: 'test' }] });
  t.equal(code, 0);
  t.match(record, { ok: true, cleanup: { actions: exactly(), remaining: exactly() } });
});

t.test('with boot.clean: off nothing is ended, and the boot does not fail for it', async (t) => {
  const host = thisMachine(t);
  const { orphan, config } = await plant(host);
  const { code, record } = await boot(host, { ...config, boot: { clean: 'off' } });
  t.equal(code, 0);
  t.ok(lives(host, orphan));
  t.match(record, {
    ok: true,
    cleanup: { dryRun: true, actions: exactly({ pid: orphan.pid, outcome: 'planned' }) },
  });
});

t.test('a port held by what is none of ours does not fail the boot', async (t) => {
  const host = thisMachine(t);
  const port = await freePort();
  const stranger = await startProcess(host, {
    script: 'app/other.py',
    argv: ['python3', 'SCRIPT'],
    ports: [port],
  });
  const { code, record } = await boot(host, { ports: [{ port, service: 'test' }] });
  t.equal(code, 0);
  t.ok(lives(host, stranger));
  t.match(record, { ok: true, cleanup: { actions: exactly() } });
});

t.test('a suspect is left, and does not fail the boot, unless boot.clean says suspects', async (t) => {
  const host = thisMachine(t);
  const port = await freePort();
  const suspect = await startProcess(host, {
    script: 'app/boot-server.py',
    argv: ['python3', 'SCRIPT', '--config'],
    ports: [port],
    parent: true,
  });
  const config: ConfigFile = {
    ports: [{ port, service: 'test' }],
    patterns: [`${host.dir}/app/boot-server\\.py --config`],
  };
  const first = await boot(host, config);
  t.match(first, {
    code: 0,
    record: {
      ok: true,
      cleanup: { actions: exactly(), remaining: exactly({ pid: suspect.pid, verdict: 'suspect' }) },
    },
  });
  t.ok(lives(host, suspect));
  const second = await boot(host, { ...config, boot: { clean: 'suspects' } });
  t.equal(second.code, 0, second.stdout);
  t.notOk(lives(host, suspect));
});

t.test(
  'while another clean-up has the lock an orphan is left: exit code 1, and the record says why',
  async (t) => {
    const host = thisMachine(t);
    const { orphan, config } = await plant(host);
    const lock = lockCleanup(join(host.dir, 'state'));
    const { code, stderr, record } = await boot(host, config);
    lock.release();
    t.equal(code, 1);
    t.ok(lives(host, orphan));
    t.match(stderr, /another clean-up is running/);
    t.match(record, { ok: false, error: /another clean-up is running/, cleanup: null });
  },
);

t.test('when its time is up it gives up, whatever is left, with the outcome in the journal', async (t) => {
  const host = thisMachine(t);
  const { orphan, config } = await plant(host, true);
  const { code, stderr, record } = await boot(host, {
    ...config,
    gracePeriod: '10m',
    boot: { timeout: '4s' },
  });
  t.equal(code, 1);
  t.ok(lives(host, orphan));
  t.match(stderr, /not finished within 4 s \(boot\.timeout\)/);
  t.match(record, { ok: false, error: /boot\.timeout/ });
  t.match(
    readJournal(join(host.dir, 'state'), { root: '/proc' }),
    exactly({ state: 'done', outcome: { ok: false } }),
  );
});

t.test('a record that cannot be written is told and changes nothing else', async (t) => {
  const host = thisMachine(t);
  const file = writeConfig(host, {});
  writeFileSync(join(host.dir, 'file'), '');
  const { code, stderr } = await orphand(host, ['boot', '--config', file], {
    env: { RUNTIME_DIRECTORY: join(host.dir, 'file') },
  });
  t.equal(code, 0);
  t.match(stderr, /boot\.json could not be written/);
});

t.test('a broken configuration is refused as everywhere', async (t) => {
  const host = thisMachine(t);
  const file = join(host.dir, 'bad.yaml');
  writeFileSync(file, 'boot: { clean: maybe }');
  t.match(await orphand(host, ['boot', '--config', file]), { code: 2, stdout: '', stderr: /boot\.clean/ });
});

import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { thisMachine } from '../helpers/lab/host.ts';
import { freePort } from '../helpers/lab/ports.ts';
import { lives, startProcess } from '../helpers/lab/processes.ts';
import { needs } from '../helpers/needs.ts';
import { run } from './program.ts';
import { exactly } from '../helpers/exactly.ts';

const { version } = JSON.parse(readFileSync('package.json', 'utf8')) as { version: string };

const bad: [line: string, message: string][] = [
  ['scann', 'unknown command "scann", did you mean "scan"?'],
  ['scan --prots 8091', 'unknown option "--prots", did you mean "--ports"?'],
  ['scan --ports 70000', '--ports: 70000 is not a port (1-65535)'],
  ['scan --ports 8091,x', '--ports: "x" is not a port (1-65535)'],
  ['scan --ports 8010-8000', '--ports: 8010-8000 runs backwards: write 8000-8010'],
  ['scan --ports', '--ports needs a value: PORTS'],
  ['scan --config /no/such.yaml', '/no/such.yaml: no such file (ENOENT)'],
  ['scan --config /', '/: cannot be read (EISDIR): it is a directory'],
  ['scan --json=1', '--json takes no value'],
  ['scan 8091', '"scan" does not take "8091": orphand scan'],
  ['clean --ports 0', '--ports: 0 is not a port (1-65535)'],
  ['clean --grace-period 5', '--grace-period: "5" is not a duration of at most 24h (such as 500ms, 5s, 2m)'],
  [
    'clean --grace-period 600h',
    '--grace-period: "600h" is not a duration of at most 24h (such as 500ms, 5s, 2m)',
  ],
  ['clean --confirm-after 0s', '--confirm-after: "0s" is too short: two looks less than 500ms apart are one'],
  ['clean --all', '"clean" has no option "--all"'],
  ['clean now', '"clean" does not take "now": orphand clean'],
  ['explain', '"explain" needs an argument: orphand explain [port|pid] PORT|PID'],
  ['explain http', '"http" is neither a port nor a process id'],
  ['explain 0', '"0" is neither a port nor a process id'],
  ['explain port 70000', '"70000" is not a port (1-65535)'],
  ['explain pid x', '"x" is not a process id'],
  ['explain pid', '"" is not a process id'],
  ['explain 1 2', '"1" is neither "port" nor "pid"'],
  ['config', '"config" needs an argument: orphand config check|print|schema'],
  ['config chek', '"config" has no "chek", did you mean "check"?'],
  ['help scann', 'unknown command "scann"'],
];

t.test('bad input is one line on standard error that names it, and exit code 2', async (t) => {
  for (const [line, message] of bad) {
    t.same(await run(line.split(' ')), { code: 2, stdout: '', stderr: `orphand: ${message}\n` }, line);
  }
});

t.test('a hostile argument comes back as text', async (t) => {
  const { stderr } = await run(['scan', '--config', '/\x1b[2J\n\u202e']);
  t.equal(stderr, 'orphand: /\\x1b[2J\\n\\u202e: no such file (ENOENT)\n');
});

t.test('a bad file is named with its line, whatever the command', async (t) => {
  const path = join(t.testdir(), 'config.yaml');
  writeFileSync(path, 'ports: [8091]\nsweep:\n  shedule: x\npatern: y\n');
  const line = `${path}:3: sweep.shedule: unknown key, did you mean "schedule"?`;
  for (const command of [['scan'], ['clean'], ['explain', '8091'], ['config', 'print']]) {
    const { code, stdout, stderr } = await run([...command, '--config', path]);
    t.same([code, stdout], [2, ''], command.join(' '));
    t.equal(stderr, `orphand: ${line} (and 1 more: orphand config check)\n`);
  }
  const check = await run(['config', 'check', '--config', path]);
  t.same(check, {
    code: 2,
    stdout: '',
    stderr: `✗ ${line}\n✗ ${path}:4: patern: unknown key, did you mean "patterns"?\n`,
  });
});

t.test('a bad command line does nothing, however near to a good one', async (t) => {
  if (!needs(t, 'root')) return;
  const host = thisMachine(t);
  const port = await freePort();
  const script = `${host.dir.split('/').at(-1)}-server.py`;
  const orphan = await startProcess(host, { script, argv: ['python3', 'SCRIPT', '--config'], ports: [port] });
  const config = join(host.dir, 'config.yaml');
  const state = join(host.dir, 'state');
  const text = `ports: [${port}]\npatterns: ['${script}']\ncontainers: {names: [none]}\nstateDirectory: ${state}\n`;
  writeFileSync(config, text);
  t.equal((await run(['scan', '--config', config])).code, 1, 'a good line finds it');
  for (const args of [
    ['clean', '--config', config, '--ports', '70000'],
    ['clean', '--config', config, '--forse'],
    ['clean', '--config', config, '--grace-period'],
    ['clean', '--config', config, 'now'],
    ['clean', '--config', `${config}x`],
  ]) {
    t.equal((await run(args)).code, 2, args.join(' '));
  }
  writeFileSync(config, `${text}maxTargets: none\n`);
  t.equal((await run(['clean', '--config', config])).code, 2);
  t.ok(lives(host, orphan));
  t.notOk(existsSync(state));
});

t.test('config print is a configuration that says the same', async (t) => {
  const printed = await run(['config', 'print'], { ORPHAND_PORTS: '1,2', ORPHAND_SWEEP_CLEAN: 'suspects' });
  t.equal(printed.code, 0);
  const path = join(t.testdir(), 'config.yaml');
  writeFileSync(path, printed.stdout);
  t.match(await run(['config', 'check', '--config', path]), { code: 0, stdout: `✓ ${path} is valid\n` });
  const again = await run(['config', 'print', '--config', path]);
  t.equal(again.stdout.replace(/^#.*\n/, ''), printed.stdout.replace(/^#.*\n/, ''));
  t.match(again.stdout, /clean: suspects/);
  const json = await run(['config', 'print', '--json', '--config', path]);
  t.match(JSON.parse(json.stdout), {
    ports: exactly({ port: 1 }, { port: 2 }),
    sweep: { clean: 'suspects' },
  });
});

t.test('help and version are there in each spelling', async (t) => {
  for (const line of ['version', '--version', '-V', 'scan --version']) {
    t.same(await run(line.split(' ')), { code: 0, stdout: `orphand ${version}\n`, stderr: '' }, line);
  }
  const page = (await run(['help', 'clean'])).stdout;
  t.match(page, /^Usage: orphand clean \[OPTIONS\]\n/);
  for (const line of ['clean --help', '-h clean', 'clean --dry-run -h']) {
    t.same(await run(line.split(' ')), { code: 0, stdout: page, stderr: '' }, line);
  }
  const overview = await run(['--help']);
  t.equal(overview.code, 0);
  t.same(await run([]), { code: 2, stdout: '', stderr: overview.stdout }, 'no command at all');
});

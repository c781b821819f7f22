import t from 'tap';
import { UsageError } from '../../src/cli/command.ts';
import { parse } from '../../src/cli/parse.ts';

const understood: [line: string, invocation: object][] = [
  ['scan', { command: 'scan', options: {}, args: [], rest: [] }],
  ['--json scan', { command: 'scan', options: { json: true } }],
  ['scan --json --ports 8091', { options: { json: true, ports: '8091' } }],
  ['scan --ports=8091', { options: { ports: '8091' } }],
  ['--ports 8091 scan', { command: 'scan', options: { ports: '8091' } }],
  ['scan --ports 8091 --ports 8000-8010', { options: { ports: '8091,8000-8010' } }],
  ['clean --grace-period 1s --grace-period 2s', { options: { 'grace-period': '2s' } }],
  ['--config a.yaml scan', { command: 'scan', options: { config: 'a.yaml' } }],
  ['--config - scan', { options: { config: '-' } }],
  ['explain port 8091', { command: 'explain', args: ['port', '8091'] }],
  ['explain -- 8091', { command: 'explain', args: ['8091'] }],
  ['config check --json', { command: 'config', args: ['check'], options: { json: true } }],
  ['-- scan', { command: 'scan', args: [] }],
  ['--help', { command: 'help', args: [] }],
  ['-h clean', { command: 'help', args: ['clean'] }],
  ['clean --dry-run -h', { command: 'help', args: ['clean'] }],
  ['help clean', { command: 'help', args: ['clean'] }],
  ['--version', { command: 'version' }],
  ['-V', { command: 'version' }],
];

t.test('options may come before and after the command', (t) => {
  for (const [line, invocation] of understood) t.match(parse(line.split(' ')), invocation, line);
  t.end();
});

const misunderstood: [line: string[], message: string][] = [
  [['scann'], 'unknown command "scann", did you mean "scan"?'],
  [['frobnicate'], 'unknown command "frobnicate": see orphand --help'],
  [['constructor'], 'unknown command "constructor": see orphand --help'],
  [['--no-color'], 'no command given: see orphand --help'],
  [['scan', '--prots', '1'], 'unknown option "--prots", did you mean "--ports"?'],
  [['scan', '--__proto__'], 'unknown option "--__proto__"'],
  [['scan', '--constructor'], 'unknown option "--constructor"'],
  [['scan', '-x'], 'unknown option "-x"'],
  [['explain', '-5'], 'unknown option "-5"'],
  [['scan', '--dry-run'], '"scan" has no option "--dry-run"'],
  [['--dry-run'], '"--dry-run" belongs behind a command'],
  [['scan', '--ports'], '--ports needs a value: PORTS'],
  [['scan', '--ports='], '--ports needs a value: PORTS'],
  [['scan', '--ports', '--json'], '--ports needs a value: PORTS'],
  [['scan', '--json=yes'], '--json takes no value'],
  [['scan', '--no-json'], 'unknown option "--no-json"'],
  [['scan', '8091'], '"scan" does not take "8091": orphand scan'],
  [['explain'], '"explain" needs an argument: orphand explain [port|pid] PORT|PID'],
  [['explain', 'port', '1', '2'], '"explain" does not take "2": orphand explain [port|pid] PORT|PID'],
  [['config', 'chek'], '"config" has no "chek", did you mean "check"?'],
  [['config', 'frob'], '"config" has no "frob": orphand config check|print|schema'],
  [['x'.repeat(1000)], `unknown command "${'x'.repeat(59)}…": see orphand --help`],
];

t.test('what is wrong in a command line is said in one sentence that names it', (t) => {
  for (const [line, message] of misunderstood) {
    t.throws(() => parse(line), new UsageError(message), line.join(' ').slice(0, 60));
  }
  t.end();
});

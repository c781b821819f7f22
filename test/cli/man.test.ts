import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import t from 'tap';
import { commands, globalOptions } from '../../src/cli/commands.ts';
import { commandPage } from '../../src/cli/man-command.ts';
import { configPage } from '../../src/cli/man-config.ts';
import { paragraph, roff } from '../../src/cli/roff.ts';
import { leafKeys, variableOf } from '../../src/config/overrides.ts';
import { needs } from '../helpers/needs.ts';

const { version } = JSON.parse(readFileSync('package.json', 'utf8')) as { version: string };
const pages = [
  ['orphand.1', commandPage(version)],
  ['orphand.yaml.5', configPage(version)],
] as const;

/** A page as a person reads it; undefined where there is no man. */
function shown(file: string): string | undefined {
  const { error, stdout } = spawnSync('man', ['-l', '-Tascii', '-P', 'cat', file], {
    encoding: 'utf8',
    env: { ...process.env, MANWIDTH: '400', MAN_KEEP_FORMATTING: '', GROFF_NO_SGR: '1' },
  });
  return error === undefined ? stdout.replace(/.\x08/g, '') : undefined;
}

t.test('the pages in docs/man are current (else: npm run docs)', (t) => {
  for (const [name, text] of pages) t.equal(readFileSync(`docs/man/${name}`, 'utf8'), text, name);
  t.end();
});

t.test('groff and mandoc have nothing to complain about', (t) => {
  if (!needs(t, 'man')) {
    t.end();
    return;
  }
  for (const [name] of pages) {
    const groff = spawnSync('man', ['--warnings', '-l', '-Tutf8', '-P', 'cat', `docs/man/${name}`], {
      encoding: 'utf8',
    });
    t.same([groff.status, groff.stderr], [0, ''], name);
    const mandoc = spawnSync('mandoc', ['-T', 'lint', '-W', 'warning', `docs/man/${name}`], {
      encoding: 'utf8',
    });
    // Without a date a page is the same whenever it is written.
    const said = mandoc.stdout.split('\n').filter((line) => line !== '' && !line.includes('missing date'));
    t.same(said, [], name);
  }
  t.end();
});

t.test('every command, option, exit code, key and variable is in them', (t) => {
  const [one, five] = pages.map(([name]) => shown(`docs/man/${name}`));
  if (one === undefined || five === undefined) {
    t.notOk(needs(t, 'man'), 'man shows the pages');
    t.end();
    return;
  }
  for (const { name, options, exit } of commands) {
    const from = one.indexOf(`\n   orphand ${name}\n`);
    const section = one.slice(from, one.indexOf('\n   orphand ', from + 5) >>> 0);
    t.ok(from > 0, name);
    for (const option of options) t.match(section, `--${option.name}`, `${name} --${option.name}`);
    for (const [code] of exit) t.match(section, new RegExp(`^ +${code} `, 'm'), `${name} ${code}`);
  }
  for (const { name } of globalOptions) t.match(one, `--${name}`);
  for (const { key } of leafKeys()) {
    t.match(five, `\n       ${key}`, key);
    t.match(five, variableOf(key), variableOf(key));
  }
  t.match(five, "- '/app/server\\.py'", 'a backslash is one');
  t.end();
});

t.test('no text is taken for a request', (t) => {
  t.equal(roff(".SH x\n'y\na\\-b …"), "\\&.SH x\n\\&'y\na\\e\\-b \\[u2026]");
  t.equal(paragraph('say `--x` now'), 'say \\fB\\-\\-x\\fR now');
  t.end();
});

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { privateHost } from '../helpers/lab/host.ts';
import { orphand } from '../helpers/lab/orphand.ts';
import { lives, startOrphan } from '../helpers/lab/processes.ts';
import { needs } from '../helpers/needs.ts';

interface Case {
  name: string;
  /** Text of the configuration file; undefined: there is none. */
  file?: string;
  args?: string[];
  /** What the one line must say. */
  says: RegExp[];
}

const cases: Case[] = [
  {
    name: 'a port of 70000 in the file',
    file: 'patterns: []\nports:\n  - 8091\n  - 70000\n',
    says: [/70000/, /\b4\b/, /ports/],
  },
  {
    name: 'a port of 70000 on the command line',
    file: '',
    args: ['--ports', '70000'],
    says: [/70000/, /ports/],
  },
  {
    name: 'an unknown key',
    file: 'ports: [8091]\ngraceperiod: 5s\n',
    says: [/graceperiod/, /\b2\b/, /gracePeriod/],
  },
  { name: 'an unknown key in a section', file: 'clean:\n  confirm: 5s\n', says: [/confirm\b/, /\b2\b/] },
  {
    name: 'a pattern that is no regular expression',
    file: "patterns: ['server[.py']\n",
    says: [/server\[\.py/, /patterns/],
  },
  { name: 'a duration without a unit', file: 'gracePeriod: 5\n', says: [/gracePeriod/, /\b1\b/] },
  { name: 'a file that is no YAML', file: 'ports: [8091\npatterns: {\n', says: [/config\.yaml/] },
  { name: 'a file that does not exist', says: [/config\.yaml/] },
  { name: 'an unknown option', file: '', args: ['--suspect'], says: [/--suspect\b/, /--suspects\b/] },
  { name: 'an option without its value', file: '', args: ['--ports'], says: [/--ports/] },
  { name: 'an argument too many', file: '', args: ['8091'], says: [/8091/] },
];

t.test('bad input is named in one line, and nothing is done', async (t) => {
  if (!needs(t, 'root', 'unshare')) return;
  const host = await privateHost(t);
  // With the built-in configuration it would go.
  const orphan = await startOrphan(host);
  for (const [index, { name, file, args = [], says }] of cases.entries()) {
    const config = join(host.dir, `${index}-config.yaml`);
    if (file !== undefined) writeFileSync(config, file);
    const { code, stdout, stderr } = await orphand(host, ['clean', '--config', config, ...args]);
    t.equal(code, 2, `${name}: exit code`);
    t.equal(stdout, '', `${name}: nothing but the complaint`);
    t.match(stderr, /^[^\n]+\n$/, `${name}: one line`);
    for (const pattern of says) t.match(stderr, pattern, `${name}: says ${pattern.source}`);
    t.ok(lives(host, orphan), `${name}: nothing is done`);
  }
  const unknown = await orphand(host, ['cleen']);
  t.equal(unknown.code, 2, 'an unknown command');
  t.match(unknown.stderr, /cleen/);
});

t.test('a file that may not be read is named, and nothing is done', async (t) => {
  if (!needs(t, 'root', 'unshare')) return;
  const host = await privateHost(t);
  const config = join(host.dir, 'secret.yaml');
  writeFileSync(config, 'ports: []\n', { mode: 0o600 });
  const { code, stdout, stderr } = await orphand(host, ['scan', '--config', config], { user: 'nobody' });
  t.equal(code, 2);
  t.equal(stdout, '');
  t.match(stderr, /^[^\n]*secret\.yaml[^\n]*\n$/);
  t.match(stderr, /EACCES|permission/i);
});

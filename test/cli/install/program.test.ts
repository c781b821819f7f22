import { mkdirSync, mkdtempSync, writeFileSync, chmodSync, chownSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import {
  hidden,
  packageRoot,
  packageTemplate,
  programIn,
  thisProgram,
  unnameable,
  writableByOthers,
} from '../../../src/cli/install/program.ts';
import { needs } from '../../helpers/needs.ts';

t.test('the program is the node that runs, this package, and what both map executable', (t) => {
  const root = packageRoot();
  t.equal(root, join(import.meta.dirname, '../../..'));
  const { node, bin, execPaths } = thisProgram(root);
  t.equal(node, process.execPath);
  t.equal(bin, join(root, 'dist/bin.js'));
  t.ok(execPaths.includes(process.execPath));
  t.ok(execPaths.includes(join(root, `node_modules/@koromix/koffi-linux-${process.arch}`)));
  for (const folder of ['/', '/usr', '/usr/bin', '/bin', '/usr/lib']) {
    t.notOk(execPaths.includes(folder), `${folder} has more in it than node needs`);
  }
  t.match(packageTemplate(root)('orphand.service'), '[Service]');
  t.end();
});

t.test('run from inside another root, a program has the paths that it has there', (t) => {
  const program = {
    node: '/srv/root/usr/bin/node',
    bin: '/opt/orphand/dist/bin.js',
    execPaths: ['/srv/root/usr/lib'],
  };
  t.strictSame(programIn('/srv/root', program), {
    node: '/usr/bin/node',
    bin: '/opt/orphand/dist/bin.js',
    execPaths: ['/usr/lib'],
  });
  t.strictSame(programIn('/srv/ro', program), program, 'a root whose name only begins alike is another one');
  t.strictSame(programIn('/', program), program);
  t.end();
});

const fine = {
  node: '/usr/bin/node',
  bin: '/usr/lib/orphand/dist/bin.js',
  execPaths: ['/usr/lib/x86_64-linux-gnu'],
};
const paths: [string, Partial<typeof fine>, RegExp | undefined][] = [
  ['an ordinary installation', {}, undefined],
  ['a space and a percent sign', { bin: '/opt/my apps/50%/dist/bin.js' }, undefined],
  ['npx in /tmp', { bin: '/tmp/npx/dist/bin.js' }, /^\/tmp\/npx.*a \/tmp of their own/],
  ['node in /var/tmp', { node: '/var/tmp/node' }, /a \/tmp of their own/],
  ['a folder that only begins like /tmp', { bin: '/tmpfs/dist/bin.js' }, undefined],
  ['a dollar', { bin: '/opt/$HOME/bin.js' }, /can't name such a path/],
  [
    'a newline that would be a directive of its own',
    { bin: '/opt/x\nUser=root' },
    /^"\/opt\/x\\nUser=root": a unit/,
  ],
  ['a quote', { execPaths: ['/opt/"'] }, /can't name such a path/],
];
for (const [name, change, problem] of paths) {
  t.test(`a path that units can't use is refused, others are not: ${name}`, (t) => {
    const found = unnameable({ ...fine, ...change }) ?? hidden({ ...fine, ...change });
    if (problem === undefined) t.equal(found, undefined);
    else t.match(found, problem);
    t.end();
  });
}

t.test('what others than root can change is named, down to the folder', (t) => {
  if (!needs(t, 'root')) return;
  const folder = mkdtempSync(join(tmpdir(), 'orphand-program-'));
  const at = (name: string): string => join(folder, name);
  for (const name of ['alice', 'open', 'good']) {
    mkdirSync(at(name));
    writeFileSync(at(`${name}/bin.js`), '');
  }
  chownSync(at('alice'), 1000, 1000);
  chmodSync(at('open'), 0o777);
  const writable = (name: string): string[] =>
    writableByOthers({ node: '/usr/bin/env', bin: at(`${name}/bin.js`), execPaths: [] });
  t.strictSame(writable('alice'), [at('alice')]);
  t.strictSame(writable('open'), [at('open')]);
  t.strictSame(writable('good'), [], "/tmp itself is sticky: nobody can replace what is root's there");
  t.end();
});

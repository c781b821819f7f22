import t from 'tap';
import { plannedFiles, renderUnit, unitWord } from '../../../src/cli/install/files.ts';

const words: [string, string][] = [
  ['/usr/bin/node', '/usr/bin/node'],
  ['/opt/my node/node', '"/opt/my node/node"'],
  ['/opt/100%/node', '/opt/100%%/node'],
  ['/opt/%n of 5/node', '"/opt/%%n of 5/node"'],
];
for (const [path, word] of words) {
  t.test(`${path} is one word of a unit`, (t) => {
    t.equal(unitWord(path), word);
    t.end();
  });
}

t.test('placeholders are filled in, also where a path looks like a replacement pattern', (t) => {
  const program = { node: '/a/$&/node', bin: '/b/bin.js', execPaths: ['/a/$&/node', '/c d'] };
  const text = '@HARDENING@\nExecStart=@NODE@ @ORPHAND@ boot\n';
  t.equal(
    renderUnit(text, 'ExecPaths=@EXEC_PATHS@\n', program),
    'ExecPaths=/a/$&/node "/c d"\nExecStart=/a/$&/node /b/bin.js boot\n',
  );
  t.end();
});

t.test('only the configuration is kept, and a drop-in has no place in a package', (t) => {
  const files = plannedFiles(['full-root', 'boot'], (name) => name, { node: '', bin: '', execPaths: [] });
  t.strictSame(
    files.filter(({ keep }) => keep).map(({ path }) => path),
    ['/etc/orphand/config.yaml'],
  );
  t.match(
    files.find(({ path }) => path.endsWith('full-root.conf')),
    { path: '/etc/systemd/system/orphand.service.d/full-root.conf', vendor: undefined },
  );
  t.match(
    files.find(({ path }) => path.endsWith('orphand-boot.service')),
    { vendor: '/usr/lib/systemd/system/orphand-boot.service' },
  );
  t.end();
});

import { spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { KeptFile } from '../../src/procfs/kept-file.ts';
import { openDescriptors, openedSince } from '../helpers/descriptors.ts';

const own = { root: '/proc' };

const texts: [string, string, string, boolean][] = [
  ['the same text', 'a\0b', 'a\0b', true],
  ['nothing, twice', '', '', true],
  ['another text of the same length', 'a\0b', 'a\0c', false],
  ['a longer text', 'a\0b', 'a\0b\0', false],
  ['a shorter text', 'a\0b', 'a', false],
  ['something where nothing was', '', 'a', false],
  ['the end of a text that a page has no room for', `${'x'.repeat(9_000)}a`, `${'x'.repeat(9_000)}b`, false],
];
for (const [name, before, after, same] of texts) {
  t.test(name, (t) => {
    const root = t.testdir({ file: before });
    const kept = KeptFile.open({ root }, 'file')!;
    t.ok(kept.says(before));
    t.notOk(kept.says(`${before}x`));
    t.ok(kept.isSame());
    writeFileSync(join(root, 'file'), after);
    t.equal(kept.isSame(), same);
    kept.close();
    t.end();
  });
}

t.test('what is not there can not be kept, nor what may not be read, and leaves no descriptor', (t) => {
  const root = t.testdir({ folder: {} });
  const before = openDescriptors();
  t.equal(KeptFile.open({ root }, 'nothing'), undefined);
  t.equal(KeptFile.open({ root }, 'folder'), undefined);
  t.same(openedSince(before), []);
  t.end();
});

t.test('a process that has ended is not the same, whoever may have its pid', async (t) => {
  const child = spawn('sleep', ['1000']);
  await new Promise((resolve) => child.once('spawn', resolve));
  const kept = KeptFile.open(own, `${child.pid}/cgroup`)!;
  t.ok(kept.isSame());
  child.kill('SIGKILL');
  await new Promise((resolve) => child.once('exit', resolve));
  t.notOk(kept.isSame());
  kept.close();
});

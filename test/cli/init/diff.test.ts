import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { unifiedDiff } from '../../../src/cli/init/diff.ts';

const long = Array.from({ length: 30 }, (_, index) => `line ${index}`);

const cases: [name: string, before: string[], after: string[]][] = [
  ['a line that changes', long, long.with(9, 'changed')],
  ['two places far apart', long, long.with(2, 'a').with(25, 'b')],
  ['two places that share their context', long, long.with(5, 'a').with(11, 'b')],
  ['lines that are added at the end', long, [...long, 'a', 'b']],
  ['lines that are gone from the beginning', long, long.slice(2)],
  ['a file that was empty', [], ['a', 'b']],
  ['a file that will be', ['a'], []],
];

t.test('the difference reads as diff -u has it', (t) => {
  for (const [name, before, after] of cases) {
    const dir = t.testdir();
    const [one, two] = [join(dir, 'a'), join(dir, 'b')];
    const text = (lines: string[]) => lines.map((line) => `${line}\n`).join('');
    writeFileSync(one, text(before));
    writeFileSync(two, text(after));
    const { stdout } = spawnSync('diff', ['-u', one, two], { encoding: 'utf8' });
    // diff leaves out a count of one, and has times after the names.
    const want = stdout.replace(
      /^@@ -(\d+)(,\d+)? \+(\d+)(,\d+)? @@$/gm,
      (_, a: string, b = ',1', c: string, d = ',1') => `@@ -${a}${b} +${c}${d} @@`,
    );
    t.strictSame(
      unifiedDiff(text(before), text(after), ['a', 'b']).slice(2),
      want.trimEnd().split('\n').slice(2),
      name,
    );
  }
  t.strictSame(unifiedDiff('a\n', 'a\n', ['a', 'b']), []);
  t.end();
});

import t from 'tap';
import { agingRule, parseTmpfiles } from '../../../src/cli/doctor/tmpfiles.ts';

const debian = `
# Clear tmp directories separately
D /tmp 1777 root root -
q /var/tmp 1777 root root 30d
x /var/tmp/podman-run-*
`;

const cases: [name: string, rules: string, path: string, rule: string | undefined][] = [
  ['nothing removes what no rule is about', debian, '/run/libpod/alive', undefined],
  ['a directory without an age is left alone', debian, '/tmp/podman-run-1000/libpod/tmp/alive', undefined],
  ['a directory with one is emptied, however deep', debian, '/var/tmp/a/b/alive', 'f:4'],
  ['what a glob excludes stays', debian, '/var/tmp/podman-run-1000/libpod/tmp/alive', undefined],
  ['a glob does not reach over a slash', 'd /run 0755 - - 1d\nx /run/a*', '/run/b/alive', 'f:1'],
  [
    'the nearer directory decides',
    'd /run 0755 - - 1d\nd /run/libpod 0700 - - -',
    '/run/libpod/alive',
    undefined,
  ],
  [
    'the nearer directory decides, the other way too',
    'd /run\nd /run/libpod/ 0700 - - 10d',
    '/run/libpod/alive',
    'f:2',
  ],
  [
    'a file with a line of its own stays',
    'd /run/libpod 0700 - - 1d\nx /run/libpod/alive*',
    '/run/libpod/alive',
    undefined,
  ],
  [
    'X keeps a directory and not what is in it',
    'd /run 0755 - - 1d\nX /run/libpod',
    '/run/libpod/alive',
    'f:1',
  ],
  ['X keeps the file itself', 'd /run 0755 - - 1d\nX /run/libpod/alive', '/run/libpod/alive', undefined],
  ['a modifier does not change the type', 'd!+ /run/libpod 0700 - - ~1d', '/run/libpod/alive', 'f:1'],
  ['e takes a glob', 'e /run/lib* - - - 1d', '/run/libpod/alive', 'f:1'],
  [
    'z only adjusts, and is a line of its own',
    'd /run - - - 1d\nz /run/libpod 0700 - - 1d',
    '/run/libpod/alive',
    undefined,
  ],
  ['the root directory counts', 'd / - - - 1d', '/run/libpod/alive', 'f:1'],
  [
    'what is no rule is none',
    'nonsense\nd\nd relative - - - 1d\nd %t/libpod - - - 1d\n\t\n',
    '/run/libpod/alive',
    undefined,
  ],
];

t.test('whether systemd-tmpfiles removes a file by its age', (t) => {
  for (const [name, text, path, rule] of cases) {
    t.equal(agingRule(path, parseTmpfiles(text, 'f'))?.source, rule, name);
  }
  t.end();
});

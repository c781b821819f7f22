import { readFileSync } from 'node:fs';
import t from 'tap';
import { cgroupPath, parseCgroup, readCgroup } from '../../src/procfs/cgroup.ts';

const HYBRID = `9:name=systemd:/system.slice/docker.service
8:cpu,cpuacct:/docker/0123
0::/
`;

t.test('each line is a hierarchy, its controllers and a path', (t) => {
  t.same(parseCgroup(HYBRID), [
    { hierarchy: 9, controllers: ['name=systemd'], path: '/system.slice/docker.service' },
    { hierarchy: 8, controllers: ['cpu', 'cpuacct'], path: '/docker/0123' },
    { hierarchy: 0, controllers: [], path: '/' },
  ]);
  t.end();
});

const paths: [string, string][] = [
  ['colons', '/kubepods-burstable.slice:cri-containerd:0123'],
  ['spaces', '/a b (deleted)'],
  ['a carriage return and a line separator', '/a\rb\u2028c'],
  ['something that looks like a line', '/0::/x'],
  ['a way out of the namespace', '/../../machine.slice'],
];
for (const [name, path] of paths) {
  t.test(`a path with ${name} is kept whole`, (t) => {
    t.same(parseCgroup(`0::${path}\n`), [{ hierarchy: 0, controllers: [], path }]);
    t.end();
  });
}

t.test('a line that is none hides no other', (t) => {
  const lines = parseCgroup('x\n\n1:cpu\n2:cpu:relative\n-1::/a\n3:memory:/b\n');
  t.same(lines, [{ hierarchy: 3, controllers: ['memory'], path: '/b' }]);
  t.end();
});

const shown: [string, string, string][] = [
  [
    "v2's path, when it says something",
    '9:name=systemd:/init.scope\n0::/user.slice/x.scope\n',
    '/user.slice/x.scope',
  ],
  ["systemd's, when v2's is the root", HYBRID, '/system.slice/docker.service'],
  [
    'the longest, when both are the root',
    '9:name=systemd:/\n4:memory:/docker/0123\n3:cpu:/docker\n0::/\n',
    '/docker/0123',
  ],
  ['the longest, when there is neither', '4:memory:/a\n3:cpu:/a/b\n', '/a/b'],
  ['the root, when there is nothing else', '4:memory:/\n0::/\n', '/'],
  ['nothing, when there is no line', '', ''],
];
for (const [name, text, expected] of shown) {
  t.test(`of a cgroup file is shown: ${name}`, (t) => {
    t.equal(cgroupPath(text), expected);
    t.end();
  });
}

t.test('the file is given as it is, and gone is undefined', (t) => {
  t.equal(readCgroup({ root: '/proc' }, process.pid), readFileSync('/proc/self/cgroup', 'utf8'));
  t.equal(readCgroup({ root: t.testdir({}) }, 7), undefined);
  t.end();
});

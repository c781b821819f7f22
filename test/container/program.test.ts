import t from 'tap';
import { hasOption, optionValue, programOf, type Named } from '../../src/container/program.ts';

const cases: { name: string; process: Named; program: string }[] = [
  {
    name: 'the executable decides, whatever a process calls itself',
    process: { comm: 'conmon', cmdline: ['/usr/bin/conmon', '-c', 'x'], exe: '/usr/bin/python3.11' },
    program: 'python3.11',
  },
  {
    name: 'without a readable executable it is the first argument',
    process: { comm: 'exe', cmdline: ['/usr/bin/conmon', '-c', 'x'], exe: undefined },
    program: 'conmon',
  },
  {
    name: 'without arguments it is comm',
    process: { comm: 'conmon', cmdline: [], exe: undefined },
    program: 'conmon',
  },
  {
    name: 'a program that was replaced by an upgrade is the same program',
    process: { comm: 'conmon', cmdline: ['conmon'], exe: '/usr/bin/conmon (deleted)' },
    program: 'conmon',
  },
  {
    name: 'NixOS wraps programs',
    process: {
      comm: '.conmon-wrapped',
      cmdline: ['conmon'],
      exe: '/nix/store/abc-conmon/bin/.conmon-wrapped',
    },
    program: 'conmon',
  },
  {
    name: 'runc runs from a sealed copy of itself',
    process: { comm: 'runc:[2:INIT]', cmdline: ['runc', 'init'], exe: '/memfd:runc_cloned:/proc/self/exe' },
    program: 'runc',
  },
  {
    name: 'k3s goes by the name that it was called by',
    process: {
      comm: 'containerd',
      cmdline: ['containerd', '-c', 'x'],
      exe: '/var/lib/rancher/k3s/data/1/bin/k3s',
    },
    program: 'containerd',
  },
  {
    name: 'a program that is started through the dynamic linker is its argument',
    process: {
      comm: 'conmon',
      cmdline: ['ld', '/opt/bin/conmon', '-c', 'x'],
      exe: '/lib64/ld-linux-x86-64.so.2',
    },
    program: 'conmon',
  },
  {
    name: 'a title in brackets is no path',
    process: { comm: 'lxc-start', cmdline: ['[lxc monitor] /var/lib/lxc web'], exe: undefined },
    program: '[lxc monitor] /var/lib/lxc web',
  },
];

for (const { name, process, program } of cases) {
  t.test(name, (t) => {
    t.equal(programOf(process), program);
    t.end();
  });
}

t.test('an option’s value is found in each form, and not among another program’s arguments', (t) => {
  t.equal(optionValue(['x', '-c', 'ID'], ['-c', '--cid']), 'ID');
  t.equal(optionValue(['x', '--cid', 'ID'], ['-c', '--cid']), 'ID');
  t.equal(optionValue(['x', '--cid=ID'], ['-c', '--cid']), 'ID');
  t.equal(optionValue(['x', '--exit-command-arg', '-c', 'no', '-c', 'ID'], ['-c']), 'ID');
  t.equal(optionValue(['x', '--runtime-arg', '--cid=no'], ['--cid']), undefined);
  t.equal(optionValue(['x', '-c'], ['-c']), undefined);
  t.equal(optionValue(['x', '-n', '-M', 'web'], ['-M']), 'web', '-n of systemd-nspawn has no value');
  t.end();
});

t.test('an option is found by its beginning, and not among another program’s arguments', (t) => {
  t.ok(hasOption(['x', '--exec-attach'], '--exec'));
  t.notOk(hasOption(['x', '--exit-command', '/bin/x'], '--exec'));
  t.notOk(hasOption(['x', '--exit-command-arg', '--exec'], '--exec'));
  t.end();
});

import { readFileSync } from 'node:fs';
import t from 'tap';
import { containerFromCgroup, lxcName } from '../../src/container/cgroup-path.ts';
import { hexId } from '../helpers/host-tree.ts';

interface Row {
  cgroup: string;
  form: 'file' | 'path';
  expect: { container: boolean; runtime: string | null; id: string | null };
  note?: string;
}

const rows = readFileSync(new URL('../fixtures/cgroup_paths.jsonl', import.meta.url), 'utf8')
  .trim()
  .split('\n')
  .map((line) => JSON.parse(line) as Row);

t.test('every path and file that was seen on real hosts names what it should', (t) => {
  t.equal(rows.length, 148);
  for (const [index, { cgroup, expect, note }] of rows.entries()) {
    const found = containerFromCgroup(cgroup);
    const wanted = expect.container ? { runtime: expect.runtime, id: expect.id } : undefined;
    const got = found === undefined ? undefined : { runtime: found.runtime, id: found.id };
    t.strictSame(got, wanted, `row ${index + 1}: ${note ?? cgroup.trim().slice(0, 100)}`);
  }
  t.end();
});

const a = hexId('a');
const b = hexId('b');

const cases: { name: string; text: string; expected: [string, string] | undefined }[] = [
  {
    name: 'of a podman inside docker it is the outer container, which this host knows',
    text: `0::/docker/${a}/machine.slice/libpod-${b}.scope/container`,
    expected: ['docker', a],
  },
  {
    name: 'of a container inside an nspawn machine it is the machine',
    text: `0::/machine.slice/systemd-nspawn@jammy.service/payload/machine.slice/libpod-${b}.scope`,
    expected: ['nspawn', 'jammy'],
  },
  {
    name: 'the v2 line wins over a v1 line that names another container',
    text: `5:devices:/docker/${a}\n0::/machine.slice/libpod-${b}.scope`,
    expected: ['podman', b],
  },
  {
    name: 'podman with cgroupfs as root, as seen here',
    text: `9:name=systemd:/libpod_parent/libpod-${a}\n0::/libpod_parent/libpod-${a}`,
    expected: ['podman', a],
  },
  {
    name: 'a podman pod with cgroupfs stands before its container, as seen here',
    text: `0::/libpod_parent/${b}/libpod-${a}`,
    expected: ['podman', a],
  },
  {
    name: 'a podman pod below a parent of the user’s choice, too',
    text: `0::/my/parent/${b}/libpod-${a}`,
    expected: ['podman', a],
  },
  { name: 'a podman pod alone is no container', text: `0::/libpod_parent/${b}`, expected: undefined },
  {
    name: 'a podman inside a container of nobody knows whose',
    text: `0::/actions_job/${a}/libpod_parent/libpod-${b}`,
    expected: ['unknown', a],
  },
  {
    name: 'conmon with cgroupfs is in no container',
    text: '9:name=systemd:/libpod_parent/conmon\n0::/',
    expected: undefined,
  },
  {
    name: 'the nspawn process of an old systemd, in its unit itself, is not the machine',
    text: '0::/machine.slice/systemd-nspawn@x.service',
    expected: undefined,
  },
  {
    name: 'a qemu machine is no container',
    text: '0::/machine.slice/machine-qemu\\x2d1\\x2dvm.scope/libvirt/emulator',
    expected: undefined,
  },
  {
    name: 'the supervisor in a machine scope is not the machine',
    text: '0::/machine.slice/machine-work.scope/supervisor',
    expected: undefined,
  },
  {
    name: 'upper case is no container id',
    text: `0::/docker/${hexId('A')}`,
    expected: undefined,
  },
  {
    name: 'a health check unit below a container still is in the container',
    text: `0::/machine.slice/libpod-${a}.scope/container/system.slice/${b}.service`,
    expected: ['podman', a],
  },
  { name: 'an empty file names nothing', text: '', expected: undefined },
  { name: 'a line that is none is left out', text: `nonsense\n0::/docker/${a}`, expected: ['docker', a] },
];

for (const { name, text, expected } of cases) {
  t.test(name, (t) => {
    const found = containerFromCgroup(text);
    t.strictSame(found === undefined ? undefined : [found.runtime, found.id], expected);
    t.end();
  });
}

for (const { name, text, init, expected } of [
  {
    name: 'what the host itself runs in is no container of its processes',
    text: `6:freezer:/libpod_parent/libpod-${a}\n0::/`,
    init: `6:freezer:/libpod_parent/libpod-${a}\n0::/`,
    expected: undefined,
  },
  {
    name: 'nor where pid 1 is a systemd, and everything in cgroups of its own',
    text: `0::/docker/${a}/system.slice/web.service`,
    init: `0::/docker/${a}/init.scope`,
    expected: undefined,
  },
  {
    name: 'a container in that is named, by its own runtime’s id',
    text: `6:freezer:/libpod_parent/libpod-${a}/libpod_parent/libpod-${b}\n0::/`,
    init: `6:freezer:/libpod_parent/libpod-${a}\n0::/`,
    expected: ['podman', b],
  },
  {
    name: 'of two around, both are',
    text: `0::/docker/${a}/docker/${b}/x`,
    init: `0::/docker/${a}/docker/${b}`,
    expected: undefined,
  },
  {
    name: 'one in the first of two around is beside the second, and a container',
    text: `0::/docker/${a}/docker/${'c'.repeat(64)}`,
    init: `0::/docker/${a}/docker/${b}`,
    expected: ['docker', 'c'.repeat(64)],
  },
  {
    name: 'one beside what orphand’s container is in, with the host’s pid 1, is a container',
    text: `0::/docker/${a}`,
    init: '0::/init.scope',
    expected: ['docker', a],
  },
])
  t.test(name, (t) => {
    const found = containerFromCgroup(text, init);
    t.strictSame(found && [found.runtime, found.id], expected);
    t.end();
  });

t.test('the path is the one that names it', (t) => {
  t.equal(containerFromCgroup(`1:cpu:/\n0::/docker/${a}/x`)?.path, `/docker/${a}/x`);
  t.end();
});

t.test('an LXC name loses only the prefix of its project', (t) => {
  t.equal(lxcName('user-1000_web'), 'web');
  t.equal(lxcName('user-web'), 'user-web');
  t.end();
});

import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { renderUnit } from '../../src/cli/install/files.ts';
import { packageTemplate, packageRoot } from '../../src/cli/install/program.ts';
import { emptyRoot, install } from '../helpers/install/command.ts';
import { exposure, prepareForVerify, settings, verify } from '../helpers/install/systemd.ts';
import { needs } from '../helpers/needs.ts';

/** As installed: every unit but those of the timer, and the timer's. */
const installations: { options: Record<string, true>; units: string[] }[] = [
  {
    options: { boot: true, daemon: true, shutdown: true },
    units: [
      'orphand-boot.service',
      'orphand.service',
      'orphand.socket',
      'orphand-http.socket',
      'orphand-shutdown.service',
    ],
  },
  { options: { daemon: true, 'full-root': true }, units: ['orphand.service'] },
  { options: { timer: true }, units: ['orphand-sweep.service', 'orphand-sweep.timer'] },
];

for (const { options, units } of installations) {
  t.test(
    `systemd-analyze verify finds nothing in what install --${Object.keys(options).join(' --')} wrote`,
    async (t) => {
      if (!needs(t, 'root', 'systemd')) return;
      const root = emptyRoot(t);
      prepareForVerify(root, [process.execPath, '/usr/bin/kill']);
      t.equal((await install({ ...options, root })).code, 0);
      t.equal(verify(root, units), '');
    },
  );
}

t.test('verify would find something: a directive that is none, a program that is not there', async (t) => {
  if (!needs(t, 'root', 'systemd')) return;
  const root = emptyRoot(t);
  prepareForVerify(root, ['/usr/bin/kill']);
  await install({ root, daemon: true });
  t.match(verify(root, ['orphand.service']), `${process.execPath} is not executable`);
});

t.test('a path with a space and a percent sign reaches systemd as it is', (t) => {
  if (!needs(t, 'systemd')) return t.end();
  const root = emptyRoot(t);
  const node = '/opt/my node/50%n/node';
  prepareForVerify(root, [node]);
  const template = packageTemplate(packageRoot());
  const text = renderUnit(template('orphand-sweep.service'), template('hardening.conf'), {
    node,
    bin: '/opt/my node/bin.js',
    execPaths: [node],
  });
  mkdirSync(join(root, '/etc/systemd/system'), { recursive: true });
  writeFileSync(join(root, '/etc/systemd/system/orphand-sweep.service'), text);
  t.equal(verify(root, ['orphand-sweep.service']), '');
  return t.end();
});

const limits: { unit: string; options: Record<string, true>; most: number }[] = [
  { unit: 'orphand.service', options: { daemon: true }, most: 1.1 },
  { unit: 'orphand.service', options: { daemon: true, 'full-root': true }, most: 1.6 },
  { unit: 'orphand-boot.service', options: { boot: true }, most: 1.6 },
  { unit: 'orphand-sweep.service', options: { timer: true }, most: 1.1 },
  { unit: 'orphand-shutdown.service', options: { shutdown: true }, most: 1.6 },
];
for (const { unit, options, most } of limits) {
  t.test(
    `${unit} with --${Object.keys(options).join(' --')} is exposed by ${String(most)} at most`,
    async (t) => {
      if (!needs(t, 'root', 'systemd')) return;
      const root = emptyRoot(t);
      await install({ ...options, root });
      const figure = exposure(root, unit);
      t.ok(figure > 0 && figure <= most, `${String(figure)} by this machine's systemd`);
    },
  );
}

const template = packageTemplate(packageRoot());
const valuesOf = (unit: string, key: string): string[] =>
  settings(template(unit))
    .filter(([name]) => name === key)
    .flatMap(([, value]) => value.split(' '));

t.test('the boot clean-up comes before what starts containers and needs none of it', (t) => {
  const before = valuesOf('orphand-boot.service', 'Unit.Before');
  for (const unit of ['podman.service', 'podman-restart.service', 'docker.service'])
    t.ok(before.includes(unit), unit);
  // Ordered before these, it would have to be over before basic.target, after which it starts.
  for (const unit of ['podman.socket', 'docker.socket', 'sockets.target'])
    t.notOk(before.includes(unit), unit);
  for (const unit of ['orphand-boot.service', 'orphand-shutdown.service']) {
    for (const tie of ['Requires', 'Wants', 'BindsTo', 'Requisite', 'PartOf', 'Conflicts']) {
      t.strictSame(valuesOf(unit, `Unit.${tie}`), [], `${unit} ${tie}`);
    }
  }
  t.end();
});

t.test('the clean-up at shutdown is stopped, and so runs, before the runtimes and after the daemon', (t) => {
  const after = valuesOf('orphand-shutdown.service', 'Unit.After');
  for (const unit of ['podman.service', 'podman-restart.service', 'docker.service'])
    t.ok(after.includes(unit), unit);
  t.strictSame(valuesOf('orphand-shutdown.service', 'Unit.Before'), ['orphand.service']);
  t.strictSame(valuesOf('orphand-shutdown.service', 'Service.ExecStart'), [], 'starting it does nothing');
  t.end();
});

t.test(
  'the daemon has exactly three capabilities, and nothing else in the package changes that silently',
  (t) => {
    const three = ['CAP_KILL', 'CAP_SYS_PTRACE', 'CAP_DAC_READ_SEARCH'];
    for (const unit of ['orphand.service', 'orphand-sweep.service']) {
      for (const key of ['CapabilityBoundingSet', 'AmbientCapabilities']) {
        t.strictSame(valuesOf(unit, `Service.${key}`), three, `${unit} ${key}`);
      }
    }
    t.strictSame(valuesOf('hardening.conf', '.User'), ['orphand']);
    t.end();
  },
);

t.test('the sockets are told apart by name, whatever their order', (t) => {
  const name = (unit: string): string[] => valuesOf(unit, 'Socket.FileDescriptorName');
  t.strictSame([name('orphand.socket'), name('orphand-http.socket')], [['control'], ['http']]);
  t.end();
});

import { execFileSync } from 'node:child_process';
import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { bootedHost, type BootedHost } from '../helpers/booted/host.ts';
import { debianRoot, nodeInside } from '../helpers/booted/root.ts';
import { until } from '../helpers/lab/wait.ts';
import { needs } from '../helpers/needs.ts';

/** What apt, dpkg and the accounts' tools keep for themselves, and what runs all the time. */
const notOurs =
  /^\/(proc|sys|dev|run|tmp|var\/(log|cache|tmp)|var\/lib\/(dpkg|apt|systemd|containers))(\/|$)/;
const accounts = /^\/etc\/(passwd|group|shadow|gshadow|subuid|subgid)-?$|^\/etc\/\.pwd\.lock$/;

/** Every path of a host that could be the package's, and the lines that accounts have. */
async function everything(host: BootedHost): Promise<string[]> {
  const paths = (await host.ok(['find', '/', '-xdev'])).split('\n');
  const names = await host.ok(['getent', 'passwd', 'group', 'orphand']).catch(() => '');
  return [
    ...paths.filter((path) => !notOurs.test(path) && !accounts.test(path)),
    ...names.split('\n'),
  ].sort();
}

/** A package that puts a link at /usr/bin/node, as nodejs would bring the program. */
function nodePackage(folder: string, target: string): string {
  const stage = join(folder, 'stage');
  mkdirSync(join(stage, 'DEBIAN'), { recursive: true });
  mkdirSync(join(stage, 'usr/bin'), { recursive: true });
  symlinkSync(target, join(stage, 'usr/bin/node'));
  const fields = [
    'Package: some-nodejs',
    'Version: 1',
    'Architecture: all',
    'Maintainer: x <x@localhost>',
    'Replaces: nodejs',
  ];
  writeFileSync(join(stage, 'DEBIAN/control'), [...fields, 'Description: a node', ''].join('\n'));
  const file = join(folder, 'some-nodejs.deb');
  execFileSync('dpkg-deb', ['--root-owner-group', '--build', stage, file], { stdio: 'ignore' });
  return file;
}

t.test('the Debian package installs, works, and purges clean on a root with systemd', async (t) => {
  if (!needs(t, 'root', 'nspawn')) return;
  const folder = mkdtempSync(join(tmpdir(), 'orphand-deb-test-'));
  t.teardown(() => {
    rmSync(folder, { recursive: true, force: true });
  });
  const repository = join(import.meta.dirname, '../..');
  const built = execFileSync('node', ['scripts/deb.mjs', folder], {
    cwd: repository,
    encoding: 'utf8',
  }).trim();
  t.match(built, /\/orphand_[0-9.]+_[a-z0-9]+\.deb$/);

  const root = debianRoot(t);
  mkdirSync(join(root, 'opt'), { recursive: true });
  renameSync(join(root, nodeInside), join(root, 'opt/node'));
  cpSync(built, join(root, 'opt/orphand.deb'));
  cpSync(nodePackage(folder, '/opt/node'), join(root, 'opt/some-nodejs.deb'));
  const host = await bootedHost(t, root, '/usr/lib/orphand');
  const apt = async (...args: string[]): Promise<string> => {
    const { code, stdout, stderr } = await host.run(['apt-get', '-q', '-y', ...args]);
    if (code !== 0) throw new Error(`apt-get ${args.join(' ')}: exit ${String(code)}\n${stdout}${stderr}`);
    return stdout + stderr;
  };
  const before = await everything(host);

  const first = await apt('install', '/opt/orphand.deb');
  t.match(first, 'found no node 20.19 or newer');
  t.match(first, 'nothing is enabled yet');
  t.match(await host.run(['orphand', 'version']), {
    code: 3,
    stderr: /^orphand: needs node 20\.19 or newer/,
  });

  await apt('install', '/opt/some-nodejs.deb');
  t.equal(
    await host.ok(['readlink', '/usr/lib/orphand/node']),
    '/opt/node',
    'a trigger of dpkg has found it',
  );
  await apt('purge', 'some-nodejs');
  t.equal((await host.run(['test', '-e', '/usr/lib/orphand/node'])).code, 1, 'and sees it go');
  renameSync(join(root, 'opt/node'), join(root, nodeInside));
  await host.ok(['dpkg-reconfigure', 'orphand']);
  t.equal(await host.ok(['readlink', '/usr/lib/orphand/node']), nodeInside);

  t.match(await host.ok(['orphand', 'version']), /^orphand \d/);
  const scan = await host.run(['orphand', 'scan']);
  t.equal(scan.code, 0, scan.stdout + scan.stderr);
  for (const unit of [
    'orphand.service',
    'orphand.socket',
    'orphand-boot.service',
    'orphand-shutdown.service',
  ])
    t.equal((await host.run(['systemctl', 'is-enabled', unit])).stdout.trim(), 'disabled', unit);

  const installed = await host.ok(['orphand', 'install', '--boot', '--daemon', '--shutdown', '--full-root']);
  t.match(installed, "orphand.service: the package's own is used");
  await until('the daemon', async () => (await host.show('orphand.service', 'ActiveState')) === 'active');
  t.match(await host.ok(['orphand', 'config', 'check']), '/etc/orphand/config.yaml is valid');

  await apt('install', '--reinstall', '/opt/orphand.deb');
  await until(
    'the daemon after an upgrade',
    async () => (await host.show('orphand.service', 'ActiveState')) === 'active',
  );

  writeFileSync(host.path('/etc/orphand/config.yaml'), 'sweep:\n  clean: off\n');
  await apt('remove', 'orphand');
  t.equal(await host.show('orphand.service', 'ActiveState'), 'inactive');
  t.equal(await host.show('orphand-shutdown.service', 'LoadState'), 'not-found');
  t.strictSame(readdirSync(host.path('/etc/orphand')), ['config.yaml'], 'a removal keeps the configuration');

  renameSync(join(root, nodeInside), join(root, 'opt/node'));
  await apt('purge', 'orphand');
  t.strictSame(await everything(host), before);
  t.equal((await host.run(['test', '-e', '/run/orphand'])).code, 1);
  t.match(await host.ok(['systemctl', 'list-units', '--all', 'orphand*']), '0 loaded units listed');
});

import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  copyFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, relative, resolve } from 'node:path';
import type { Test } from 'tap';

const repository = resolve(import.meta.dirname, '../../..');

/** Where the roots that every test starts from are kept between runs; outside of the tree. */
const cache = process.env['ORPHAND_LAB'] ?? '/var/tmp/orphand-lab';

/** A node of Debian's is mostly in a library of its own: then the root gets the package, else this one's binary. */
const nodeIsPackage = (
  process.report.getReport() as unknown as { sharedObjects: string[] }
).sharedObjects.some((path) => path.includes('libnode'));

const packages = [
  ...['systemd', 'systemd-sysv', 'dbus', 'udev', 'iproute2', 'procps', 'python3'],
  ...['podman', 'crun', 'runc', 'conmon', 'netavark', 'busybox-static'],
  ...(nodeIsPackage ? ['nodejs'] : []),
].join(',');

/** This machine's release, or another one to try the units on that one's systemd: ORPHAND_LAB_SUITE=trixie. */
const suite =
  process.env['ORPHAND_LAB_SUITE'] ??
  /^VERSION_CODENAME=(.+)$/m.exec(readFileSync('/etc/os-release', 'utf8'))?.[1] ??
  'stable';

/** The node of a root, as a path inside. */
export const nodeInside = nodeIsPackage ? '/usr/bin/node' : '/usr/local/bin/node';

/** Makes the base of every root, or waits until another process has; answers where it is. */
export function debianBase(): string {
  const base = join(cache, `${suite}-${createHash('sha256').update(packages).digest('hex').slice(0, 8)}`);
  execFileSync('bash', [join(import.meta.dirname, 'base.sh'), base, suite, packages], {
    stdio: ['ignore', 'inherit', 'inherit'],
  });
  return base;
}

/** A fresh Debian root with systemd, podman and node, gone with the test; what the test writes is its own. */
export function debianRoot(t: Test): string {
  // Making the base takes a minute or three, once.
  t.setTimeout(600_000);
  const base = debianBase();
  const place = mkdtempSync(join(tmpdir(), 'orphand-debian-'));
  const root = join(place, 'root');
  for (const name of ['root', 'upper', 'work']) mkdirSync(join(place, name));
  const layers = `lowerdir=${base},upperdir=${join(place, 'upper')},workdir=${join(place, 'work')}`;
  execFileSync('mount', ['-t', 'overlay', 'overlay', '-o', layers, root]);
  t.teardown(() => {
    execFileSync('umount', ['--recursive', root]);
    rmSync(place, { recursive: true, force: true });
  });
  if (!nodeIsPackage) copyFileSync(process.execPath, join(root, nodeInside));
  const manager = join(root, 'etc/systemd/system.conf.d');
  mkdirSync(manager, { recursive: true });
  // A container that ignores SIGTERM would hold up the shutdown for 90 s.
  writeFileSync(join(manager, 'test.conf'), '[Manager]\nDefaultTimeoutStopSec=10s\n');
  // Without it, busybox (static, glibc's resolver) crashes on any URL.
  writeFileSync(join(root, 'etc/hosts'), '127.0.0.1 localhost\n');
  return root;
}

/** Puts this package, as built, with its production dependencies at the place where `npm install -g` puts it. */
export function copyPackage(root: string): string {
  const inside = '/usr/local/lib/node_modules/orphand';
  const target = join(root, inside);
  for (const name of ['package.json', 'dist', 'systemd', 'openapi.yaml']) {
    if (existsSync(join(repository, name)))
      cpSync(join(repository, name), join(target, name), { recursive: true });
  }
  const folders = execFileSync('npm', ['ls', '--omit=dev', '--all', '--parseable'], {
    cwd: repository,
    encoding: 'utf8',
  });
  for (const folder of folders.trim().split('\n').slice(1)) {
    const place = join(target, relative(repository, folder));
    mkdirSync(dirname(place), { recursive: true });
    cpSync(folder, place, { recursive: true });
  }
  return inside;
}

import { execFileSync } from 'node:child_process';
import { chmodSync, cpSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { labFolder } from '../lab/host.ts';
import { nodeInside } from './root.ts';

/** Runs `orphand install` of a program in a root from outside, as the build of an image would. */
export function installInto(root: string, program: string, parts: readonly string[]): void {
  execFileSync(
    join(root, nodeInside),
    [join(root, program, 'dist/bin.js'), 'install', ...parts.map((part) => `--${part}`), '--root', root],
    { stdio: ['ignore', 'ignore', 'inherit'], env: { PATH: process.env['PATH'] } },
  );
}

/** Enables units that a root has; Debian 12 does so with podman's, Debian 13 does not. */
export function enable(root: string, units: readonly string[]): void {
  execFileSync('systemctl', [`--root=${root}`, 'enable', ...units], { stdio: 'ignore' });
}

/** Writes a file of a root. */
export function put(root: string, path: string, text: string): void {
  mkdirSync(dirname(join(root, path)), { recursive: true });
  writeFileSync(join(root, path), text);
}

/** A drop-in of a unit. */
export function dropIn(root: string, unit: string, lines: readonly string[]): void {
  put(root, `/etc/systemd/system/${unit}.d/test.conf`, `${lines.join('\n')}\n`);
}

/** A unit that is started at boot. */
export function unit(root: string, name: string, sections: Record<string, readonly string[]>): void {
  const text = Object.entries(sections).map(([section, lines]) => [`[${section}]`, ...lines, ''].join('\n'));
  put(root, `/etc/systemd/system/${name}`, text.join('\n'));
  const wants = join(root, '/etc/systemd/system/multi-user.target.wants');
  mkdirSync(wants, { recursive: true });
  symlinkSync(`../${name}`, join(wants, name));
}

/**
 * A process of the stack that nobody supervises, on a port, there before `before` is started: it runs in a scope, as
 * from a login, and has lost its parent. Its command line is the reference's own example.
 */
export function plantAtBoot(root: string, before: string, lab: { port: number; ignoreTerm?: boolean }): void {
  mkdirSync(join(root, 'app'), { recursive: true });
  cpSync(join(labFolder, 'serve.py'), join(root, 'app/server.py'));
  chmodSync(join(root, 'app/server.py'), 0o644);
  const server = '/usr/bin/python3 -u /app/server.py --config /app/config/config.yaml';
  const settings = JSON.stringify({
    ports: [lab.port],
    ignoreTerm: lab.ignoreTerm ?? false,
    ready: '/run/planted',
  });
  unit(root, 'plant.service', {
    Unit: [`Before=${before}`],
    Service: [
      'Type=oneshot',
      'RemainAfterExit=yes',
      `Environment='LAB=${settings}'`,
      `ExecStart=/usr/bin/systemd-run --scope --quiet --unit=planted setsid --fork ${server}`,
      "ExecStart=/bin/sh -c 'until [ -e /run/planted ]; do sleep 0.1; done'",
    ],
  });
}

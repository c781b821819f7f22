import { execFileSync, spawnSync } from 'node:child_process';
import { copyFileSync, mkdirSync, readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** Puts systemd's own targets, and a stand-in for each program, below a root: what `systemd-analyze verify` looks for. */
export function prepareForVerify(root: string, programs: readonly string[]): void {
  const units = '/usr/lib/systemd/system';
  mkdirSync(join(root, units), { recursive: true });
  for (const name of readdirSync(units).filter((one) => /\.(target|slice)$/.test(one))) {
    copyFileSync(join(units, name), join(root, units, name));
  }
  for (const program of programs) {
    mkdirSync(dirname(join(root, program)), { recursive: true });
    copyFileSync('/bin/true', join(root, program));
  }
}

/** What `systemd-analyze verify` finds wrong with units below a root; empty: nothing. */
export function verify(root: string, units: readonly string[]): string {
  const { status, stdout, stderr } = spawnSync(
    'systemd-analyze',
    ['verify', '--man=no', `--root=${root}`, ...units],
    { encoding: 'utf8' },
  );
  return status === 0 ? `${stdout}${stderr}` : `exit ${String(status)}: ${stdout}${stderr}`;
}

/** The exposure of a unit below a root, 0 to 10, as `systemd-analyze security` computes it. */
export function exposure(root: string, unit: string): number {
  const report = execFileSync(
    'systemd-analyze',
    ['security', '--no-pager', `--root=${root}`, '--offline=true', '--threshold=100', unit],
    { encoding: 'utf8' },
  );
  const [, figure = 'NaN'] = /Overall exposure level for \S+: ([0-9.]+)/.exec(report) ?? [];
  return Number(figure);
}

/** The settings of a unit file in their order, repeated keys kept: `Service.User` → `orphand`. */
export function settings(text: string): [key: string, value: string][] {
  let section = '';
  return text.split('\n').flatMap((line): [string, string][] => {
    const [, name] = /^\[(\w+)\]$/.exec(line) ?? [];
    if (name !== undefined) section = name;
    const [, key = '', value = ''] = /^([A-Za-z]\w*)=(.*)$/.exec(line) ?? [];
    return key === '' ? [] : [[`${section}.${key}`, value]];
  });
}

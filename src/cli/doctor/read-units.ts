import type { Host } from '../../container/runtimes/host.ts';
import type { DoctorFacts } from './facts.ts';
import { lastSetting, startsContainers } from './units.ts';

/** Where units are, those that win first (systemd.unit(5)). */
const directories = [
  '/etc/systemd/system',
  '/run/systemd/system',
  '/usr/local/lib/systemd/system',
  '/usr/lib/systemd/system',
  '/lib/systemd/system',
];

/** What `orphand install` makes, each to be enabled by itself. */
const own = ['orphand-boot.service', 'orphand.service', 'orphand-sweep.timer', 'orphand-shutdown.service'];

/** The units that leave containers behind, and orphand's own; read from their files, so that no bus is needed. */
export function readUnits(host: Host): Pick<DoctorFacts, 'leaving' | 'units'> {
  return {
    leaving: [
      ...leavingIn(host, directories, undefined),
      ...host
        .users()
        .filter(({ uid }) => uid !== 0)
        .flatMap((user) => leavingIn(host, [`${user.home}/.config/systemd/user`], user.name)),
    ],
    units: host.exists('/run/systemd/system')
      ? own.map((name) => ({ name, installed: isInstalled(host, name), enabled: isEnabled(host, name) }))
      : undefined,
  };
}

function leavingIn(host: Host, places: readonly string[], user: string | undefined): DoctorFacts['leaving'] {
  const files = new Map<string, string>();
  for (const place of places) {
    for (const name of namesIn(host, place)) {
      if (name.endsWith('.service') && !files.has(name)) files.set(name, `${place}/${name}`);
    }
  }
  return [...files].flatMap(([unit, file]) => {
    const parts = [file, ...dropIns(host, places, unit)];
    const texts = parts.map((path) => textOf(host, path));
    if (lastSetting(texts, 'KillMode') !== 'none' || !startsContainers(texts)) return [];
    const where = parts.findLast((_, index) => lastSetting([texts[index] ?? ''], 'KillMode') !== undefined);
    return [{ unit, file: where ?? file, user }];
  });
}

/** In the order of their names, whatever directory they are in. */
function dropIns(host: Host, places: readonly string[], unit: string): string[] {
  const files = new Map<string, string>();
  for (const place of places) {
    for (const name of namesIn(host, `${place}/${unit}.d`)) {
      if (name.endsWith('.conf') && !files.has(name)) files.set(name, `${place}/${unit}.d/${name}`);
    }
  }
  return [...files].sort(([one], [other]) => (one < other ? -1 : 1)).map(([, path]) => path);
}

function isInstalled(host: Host, unit: string): boolean {
  return directories.some((directory) => host.exists(`${directory}/${unit}`));
}

function isEnabled(host: Host, unit: string): boolean {
  return directories.some((directory) =>
    namesIn(host, directory)
      .filter((name) => name.endsWith('.wants') || name.endsWith('.requires'))
      .some((name) => namesIn(host, `${directory}/${name}`).includes(unit)),
  );
}

function namesIn(host: Host, directory: string): string[] {
  const names = host.list(directory);
  return Array.isArray(names) ? names : [];
}

function textOf(host: Host, path: string): string {
  const file = host.read(path);
  return file.state === 'read' ? file.text : '';
}

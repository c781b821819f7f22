import { join } from 'node:path';
import type { ContainerStore } from '../../model.ts';
import type { ProcFs } from '../../procfs/fs.ts';
import type { Answer } from './answer.ts';
import { rootUser, type Host, type User } from './host.ts';
import { parseDockerConfig, parseJson, type Inspection } from './inspection.ts';
import { confirmed } from './confirmed.ts';
import type { Wanted } from './podman-record.ts';

/** A data root of a docker engine. */
export interface DockerPlace {
  user: User;
  root: string;
}

/** The data roots that docker engines use unless told another on their command line (dockerd(8)). */
export function defaultDockerPlaces(host: Host, users: User[]): DockerPlace[] {
  const config = host.read('/etc/docker/daemon.json');
  const settings =
    config.state === 'read'
      ? (parseJson(config.text) as { 'data-root'?: unknown; graph?: unknown } | null)
      : null;
  const configured = [settings?.['data-root'], settings?.graph].filter((root) => typeof root === 'string');
  const roots = [...new Set([...configured, '/var/lib/docker', '/var/snap/docker/common/var-lib-docker'])];
  return [
    ...roots.flatMap((root) => withRemapped(host, root)).map((root) => ({ user: rootUser, root })),
    ...users.map((user) => ({ user, root: `${user.home}/.local/share/docker` })),
  ];
}

/** The data root that a process's mounts name; undefined where this host has no such directory. */
export function namedDockerPlace(host: Host, store: ContainerStore): DockerPlace | undefined {
  if (store.root === '' || !host.exists(store.root)) return undefined;
  return { user: host.userByHome(store.root) ?? rootUser, root: store.root };
}

/** With userns-remap everything is in DATA/UID.GID. */
function withRemapped(host: Host, root: string): string[] {
  const names = host.list(root);
  const remapped = Array.isArray(names) ? names.filter((name) => /^\d+\.\d+$/.test(name)) : [];
  return [root, ...remapped.map((name) => join(root, name))];
}

/** Reads docker's own records, which dockerd keeps up to date while it lives: no socket, no spawn, each file once. */
export class DockerRecords {
  readonly #host: Host;
  readonly #proc: ProcFs;
  readonly #inspections = new Map<string, Inspection | { unreadable: string } | 'absent'>();
  readonly #layers = new Map<string, Map<string, string> | { unreadable: string }>();

  constructor(host: Host, proc: ProcFs) {
    this.#host = host;
    this.#proc = proc;
  }

  /** What the record in a data root says of a container; undefined where there is no such data root. */
  ask(place: DockerPlace, wanted: Wanted, family: number[]): Answer | undefined {
    const base = {
      runtime: 'docker' as const,
      user: place.user.name,
      via: 'record' as const,
      source: `${place.root}/containers`,
    };
    if (!this.#host.exists(place.root)) return undefined;
    const id = this.id(place, wanted);
    if (typeof id === 'object') return { ...base, result: 'silent', reason: id.unreadable };
    if (id === undefined) return { ...base, result: 'absent' };
    const found = this.#inspect(place, id);
    if (found === 'absent') return { ...base, result: 'absent' };
    const source = `${place.root}/containers/${id}/config.v2.json`;
    if ('unreadable' in found) return { ...base, source, result: 'silent', reason: found.unreadable };
    // The record outlives a dockerd that was killed: what ran then may have ended since.
    return { ...base, source, result: 'known', ...confirmed(this.#proc, found, wanted.layer, family) };
  }

  /** The id of a container, by its layer where it is not known. */
  id(place: DockerPlace, { id, layer }: Wanted): string | { unreadable: string } | undefined {
    if (id !== undefined) return id;
    const layers = this.#layersOf(place.root);
    if (!(layers instanceof Map)) return layers;
    return layer === undefined ? { unreadable: 'neither id nor layer is known' } : layers.get(layer);
  }

  /** Name and labels by the record; undefined where it has none. */
  describe(place: DockerPlace, wanted: Wanted): Inspection | undefined {
    const id = this.id(place, wanted);
    const found = typeof id === 'string' ? this.#inspect(place, id) : 'absent';
    return found === 'absent' || 'unreadable' in found ? undefined : found;
  }

  #inspect(place: DockerPlace, id: string): Inspection | { unreadable: string } | 'absent' {
    const path = join(place.root, 'containers', id, 'config.v2.json');
    const cached = this.#inspections.get(path);
    if (cached !== undefined) return cached;
    const file = this.#host.read(path);
    const result =
      file.state === 'gone'
        ? 'absent'
        : file.state === 'unreadable'
          ? { unreadable: `${path}: ${file.code}` }
          : (parseDockerConfig(file.text) ?? { unreadable: `${path}: malformed` });
    this.#inspections.set(path, result);
    return result;
  }

  /** Container by layer: DATA/image/DRIVER/layerdb/mounts/ID/mount-id holds the layer's name. */
  #layersOf(root: string): Map<string, string> | { unreadable: string } {
    const cached = this.#layers.get(root) ?? this.#readLayers(root);
    this.#layers.set(root, cached);
    return cached;
  }

  #readLayers(root: string): Map<string, string> | { unreadable: string } {
    const layers = new Map<string, string>();
    const drivers = this.#host.list(join(root, 'image'));
    if (drivers === undefined) return layers;
    if (!Array.isArray(drivers)) return { unreadable: `${root}/image: ${drivers.code}` };
    for (const driver of drivers) {
      const mounts = join(root, 'image', driver, 'layerdb/mounts');
      const ids = this.#host.list(mounts);
      if (ids === undefined) continue;
      if (!Array.isArray(ids)) return { unreadable: `${mounts}: ${ids.code}` };
      for (const id of ids) {
        const file = this.#host.read(join(mounts, id, 'mount-id'));
        if (file.state === 'read') layers.set(file.text.trim(), id);
        else if (file.state === 'unreadable') return { unreadable: `${mounts}/${id}: ${file.code}` };
      }
    }
    return layers;
  }
}

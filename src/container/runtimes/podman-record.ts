import { join } from 'node:path';
import type { ProcFs } from '../../procfs/fs.ts';
import { parsePid } from '../record-file.ts';
import type { Answer, Known, Source } from './answer.ts';
import type { Host } from './host.ts';
import { recordedPid } from './instance.ts';
import type { PodmanPlace } from './podman-places.ts';

/** A container in containers.json (containers/storage). */
interface Entry {
  id: string;
  name: string | undefined;
  layer: string | undefined;
  driver: string;
}

type Listing =
  { state: 'read'; entries: Entry[] } | { state: 'gone' } | { state: 'unreadable'; reason: string };

/** Which container: by id, or by the layer that its root file system is. */
export interface Wanted {
  id: string | undefined;
  layer: string | undefined;
}

/** Reads podman's own records: no privilege beyond reading, no spawn, each file once. */
export class PodmanRecords {
  readonly #host: Host;
  readonly #proc: ProcFs;
  readonly #listings = new Map<string, Listing>();

  constructor(host: Host, proc: ProcFs) {
    this.#host = host;
    this.#proc = proc;
  }

  /** What a store's record says of a container; undefined where there is no such store. */
  ask(place: PodmanPlace, wanted: Wanted, family: number[]): Answer | undefined {
    const base = {
      runtime: 'podman' as const,
      user: place.user.name,
      via: 'record' as const,
      source: `${place.root}/*-containers/containers.json`,
    };
    const listing = this.list(place);
    if (listing.state === 'gone') return undefined;
    if (listing.state === 'unreadable') return { ...base, result: 'silent', reason: listing.reason };
    const entry = find(listing.entries, wanted);
    // With `--transient-store` the list is in the run root: without that, the store has not been read.
    if (entry === undefined && place.runRoots.length === 0) {
      return { ...base, result: 'silent', reason: 'its run root is not known' };
    }
    if (entry === undefined) return { ...base, result: 'absent' };
    const source = `${place.root}/${entry.driver}-containers/containers.json`;
    return { ...base, source, ...this.#known(entry, place, family) };
  }

  /** A container whose directory in the run root is there although no store lists it: its store is somewhere else. */
  askRunRoots(place: PodmanPlace, id: string, family: number[]): Answer | undefined {
    for (const runRoot of place.runRoots) {
      const names = this.#host.list(runRoot);
      const drivers = Array.isArray(names)
        ? names.flatMap((name) => /^([a-z]+)-containers$/.exec(name)?.[1] ?? [])
        : [];
      const driver = drivers.find((each) => this.#host.exists(instanceDirectory(runRoot, each, id)));
      if (driver === undefined) continue;
      const source = instanceDirectory(runRoot, driver, id);
      const entry = { id, name: undefined, layer: undefined, driver };
      return {
        runtime: 'podman',
        user: place.user.name,
        via: 'record',
        source,
        ...this.#known(entry, place, family),
      };
    }
    return undefined;
  }

  /** The name of a container by its record; undefined where none is known. */
  name(place: PodmanPlace, wanted: Wanted): string | undefined {
    const listing = this.list(place);
    return listing.state === 'read' ? find(listing.entries, wanted)?.name : undefined;
  }

  /** All containers of a store. */
  list(place: PodmanPlace): Listing {
    const key = [place.root, place.driver, ...place.runRoots].join('\0');
    const cached = this.#listings.get(key) ?? this.#read(place);
    this.#listings.set(key, cached);
    return cached;
  }

  #read({ root, driver: only, runRoots }: PodmanPlace): Listing {
    const names = this.#host.list(root);
    if (names === undefined) return { state: 'gone' };
    if (!Array.isArray(names)) return { state: 'unreadable', reason: `${root}: ${names.code}` };
    const drivers = names.flatMap((name) => /^([a-z]+)-containers$/.exec(name)?.[1] ?? []);
    const entries: Entry[] = [];
    for (const driver of drivers) {
      if (only !== undefined && driver !== only) continue;
      for (const path of recordPaths(root, runRoots, driver)) {
        const record = this.#host.read(path);
        if (record.state === 'gone') continue;
        if (record.state === 'unreadable') return { state: 'unreadable', reason: `${path}: ${record.code}` };
        const parsed = parseEntries(record.text, driver);
        if (parsed === undefined) return { state: 'unreadable', reason: `${path}: malformed` };
        entries.push(...parsed);
      }
    }
    return { state: 'read', entries };
  }

  #known(
    { id, name, layer, driver }: Entry,
    place: PodmanPlace,
    family: number[],
  ): Omit<Known, keyof Source> {
    const base = { result: 'known' as const, id, name, labels: {}, restartCount: undefined };
    const unclear = (note: string): Omit<Known, keyof Source> => ({
      ...base,
      state: undefined,
      pid: undefined,
      note,
    });
    if (place.runRoots.length === 0) return unclear('its run root is not known');
    let over: string | undefined;
    for (const runRoot of place.runRoots) {
      const path = join(instanceDirectory(runRoot, driver, id), 'pidfile');
      const file = this.#host.read(path);
      if (file.state === 'gone') continue;
      if (file.state === 'unreadable') return unclear(`${path}: ${file.code}`);
      const pid = parsePid(file.text);
      // A pidfile that is being written says nothing yet.
      if (pid === undefined) return unclear(`${path} holds no pid`);
      const now = recordedPid(this.#proc, pid, { id, layer }, family);
      if (now === 'alive') return { ...base, state: 'running', pid, note: path };
      if (now === 'unknown') return unclear(`pid ${pid} in ${path} could not be looked at`);
      over = `pid ${pid} in ${path} ${now === 'ended' ? 'has ended' : 'is another process by now'}`;
    }
    const left = place.exitDirectories
      .map((directory) => join(directory, id))
      .find((path) => this.#host.exists(path));
    if (over === undefined && left === undefined)
      return { ...base, state: 'created', pid: undefined, note: 'no pidfile' };
    return { ...base, state: 'exited', pid: undefined, note: over ?? left ?? '' };
  }
}

/** containers.json; beside it what `podman run --rm` makes, which with `--transient-store` is in the run root. */
function recordPaths(root: string, runRoots: string[], driver: string): string[] {
  const directory = `${driver}-containers`;
  return [
    join(root, directory, 'containers.json'),
    ...[root, ...runRoots].map((each) => join(each, directory, 'volatile-containers.json')),
  ];
}

function instanceDirectory(runRoot: string, driver: string, id: string): string {
  return join(runRoot, `${driver}-containers`, id, 'userdata');
}

function find(entries: Entry[], { id, layer }: Wanted): Entry | undefined {
  if (id !== undefined) return entries.find((entry) => entry.id === id);
  return layer === undefined ? undefined : entries.find((entry) => entry.layer === layer);
}

function parseEntries(text: string, driver: string): Entry[] | undefined {
  try {
    const list: unknown = JSON.parse(text);
    return Array.isArray(list) ? list.map((each) => parseEntry(each, driver)) : undefined;
  } catch {
    return undefined;
  }
}

/** Throws on an entry without an id: a list that is read in part would make what is left out look absent. */
function parseEntry(each: unknown, driver: string): Entry {
  const { id, names, layer } = each as { id?: unknown; names?: unknown; layer?: unknown };
  if (typeof id !== 'string') throw new TypeError('a container without an id');
  const name: unknown = Array.isArray(names) ? names[0] : undefined;
  return {
    id,
    name: typeof name === 'string' ? name : undefined,
    layer: typeof layer === 'string' ? layer : undefined,
    driver,
  };
}

import type { ProcFs } from '../../procfs/fs.ts';
import { namedRoot, needsAsking, type Answer, type ContainerQuery, type ViewOptions } from './answer.ts';
import type { Asker } from './ask.ts';
import { rootUser, type Host } from './host.ts';
import { ownersOf } from './owners.ts';
import { PodmanRecords } from './podman-record.ts';
import { defaultPlaces, namedPlace, type PodmanPlace } from './podman-places.ts';

const base = { runtime: 'podman' as const, via: 'record' as const };

/** Every podman that could own a container: the store that its mounts name, or else root's and those of the possible owners. */
export class PodmanSource {
  readonly #host: Host;
  readonly #proc: ProcFs;
  readonly #asker: Asker;
  readonly #records: PodmanRecords;
  readonly #named = new Map<string, PodmanPlace | undefined>();

  constructor(host: Host, proc: ProcFs, asker: Asker) {
    this.#host = host;
    this.#proc = proc;
    this.#asker = asker;
    this.#records = new PodmanRecords(host, proc);
  }

  /** What each of them says, its record first and then, where that is not enough, podman itself. */
  async answers(query: ContainerQuery, options: ViewOptions): Promise<Answer[]> {
    const { id, store } = query.provenance;
    if (id === undefined && store?.layer === undefined) {
      return [
        {
          ...base,
          user: 'root',
          source: store?.root ?? '',
          result: 'silent',
          reason: 'neither id nor layer is known',
        },
      ];
    }
    const places = this.#places(query);
    const answers: Answer[] = [];
    for (const place of places) {
      const answer = this.#fromRecord(place, query);
      if (answer === undefined) continue;
      answers.push(answer);
      if (options.recordOnly !== true && needsAsking(answer, options.labels === true)) {
        answers.push(...(await this.#ask(place, answer, query)));
      }
    }
    return [...answers, ...this.#unreachable(query, places)];
  }

  /** The container's name by the records; undefined where none lists it. */
  name(query: ContainerQuery): string | undefined {
    const { id, store } = query.provenance;
    for (const place of this.#places(query)) {
      const name = this.#records.name(place, { id, layer: store?.layer });
      if (name !== undefined) return name;
    }
    return undefined;
  }

  #fromRecord(place: PodmanPlace, query: ContainerQuery): Answer | undefined {
    const { id, store } = query.provenance;
    const answer = this.#records.ask(place, { id, layer: store?.layer }, query.pids);
    if (answer?.result === 'known' || namedRoot(query, 'podman') !== undefined || id === undefined)
      return answer;
    return this.#records.askRunRoots(place, id, query.pids) ?? answer;
  }

  #ask(place: PodmanPlace, answer: Answer, query: ContainerQuery): Promise<Answer[]> {
    const id = answer.result === 'known' ? answer.id : query.provenance.id;
    // Without its alive file podman takes a call for the first since boot and forgets what runs: nobody's look may do
    // that. Where that file is for a store of somebody's own is known to its podman only.
    const awake = place.aliveFiles?.some((file) => this.#host.exists(file)) === true;
    if (id === undefined || !awake) return Promise.resolve([]);
    return this.#asker.ask(
      { runtime: 'podman', user: place.user, id, layer: query.provenance.store?.layer },
      query.pids,
    );
  }

  #places(query: ContainerQuery): PodmanPlace[] {
    const { store } = query.provenance;
    if (store === undefined || namedRoot(query, 'podman') === undefined) {
      const { users } = ownersOf(this.#host, this.#proc, query);
      return [rootUser, ...users].flatMap((user) => defaultPlaces(this.#host, user));
    }
    const key = JSON.stringify(store);
    if (!this.#named.has(key)) this.#named.set(key, namedPlace(this.#host, store));
    const place = this.#named.get(key);
    return place === undefined ? [] : [place];
  }

  /** Stores that could own it and can't be found: whatever they would say, they were not asked. */
  #unreachable(query: ContainerQuery, places: PodmanPlace[]): Answer[] {
    const silent = (user: string, source: string, reason: string): Answer => ({
      ...base,
      user,
      source,
      result: 'silent',
      reason,
    });
    const root = namedRoot(query, 'podman');
    if (root !== undefined) {
      // Removed since, or a path of another mount namespace.
      return places.length > 0 ? [] : [silent('root', root, 'the store is not on this host')];
    }
    const answers = ownersOf(this.#host, this.#proc, query).unknown.map((uid) =>
      silent(String(uid), '/etc/passwd', `uid ${uid} has no account, so that its store could not be found`),
    );
    const runRoot = query.provenance.store?.runRoot;
    if (runRoot !== undefined && !places.some((place) => place.runRoots.includes(runRoot))) {
      answers.push(silent('root', runRoot, 'its store is none of those known here'));
    }
    return answers;
  }
}

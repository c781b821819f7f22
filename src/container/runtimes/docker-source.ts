import type { ProcFs } from '../../procfs/fs.ts';
import { namedRoot, needsAsking, type Answer, type ContainerQuery, type ViewOptions } from './answer.ts';
import type { Asker } from './ask.ts';
import { defaultDockerPlaces, DockerRecords, namedDockerPlace, type DockerPlace } from './docker-record.ts';
import { rootUser, type Host, type User } from './host.ts';
import type { Inspection } from './inspection.ts';
import { ownersOf } from './owners.ts';

/** Every docker that could own a container: the one whose data root its mounts name, or else the usual ones. */
export class DockerSource {
  readonly #host: Host;
  readonly #proc: ProcFs;
  readonly #asker: Asker;
  readonly #records: DockerRecords;

  constructor(host: Host, proc: ProcFs, asker: Asker) {
    this.#host = host;
    this.#proc = proc;
    this.#asker = asker;
    this.#records = new DockerRecords(host, proc);
  }

  /** What each of them says, its record first and then, where that is not enough, the engine. */
  async answers(query: ContainerQuery, options: ViewOptions): Promise<Answer[]> {
    const { id } = query.provenance;
    const layer = query.provenance.store?.layer;
    const places = this.#places(query);
    const answers = this.#unreachable(query, places);
    const engines = new Map<number, { user: User; id: string }>();
    for (const place of places) {
      const answer = this.#records.ask(place, { id, layer }, query.pids);
      if (answer === undefined) continue;
      answers.push(answer);
      const asked = answer.result === 'known' ? answer.id : id;
      if (asked !== undefined && needsAsking(answer, false))
        engines.set(place.user.uid, { user: place.user, id: asked });
    }
    if (options.recordOnly === true) return answers;
    // An engine may be reached without its files: a socket in a container, a remote context.
    if (answers.length === 0 && id !== undefined) engines.set(0, { user: rootUser, id });
    for (const engine of engines.values()) {
      const said = await this.#asker.ask({ runtime: 'docker', layer, ...engine }, query.pids);
      answers.push(...said.filter(({ result }) => result !== 'absent' || this.#ownsUsualRoot(query)));
    }
    return answers;
  }

  /** Name and labels by the records; undefined where none has the container. */
  describe(query: ContainerQuery): Inspection | undefined {
    const { id, store } = query.provenance;
    for (const place of this.#places(query)) {
      const found = this.#records.describe(place, { id, layer: store?.layer });
      if (found !== undefined) return found;
    }
    return undefined;
  }

  #places(query: ContainerQuery): DockerPlace[] {
    const { store } = query.provenance;
    if (store === undefined || namedRoot(query, 'docker') === undefined) return this.#usualPlaces(query);
    return [namedDockerPlace(this.#host, store)].filter((place) => place !== undefined);
  }

  #usualPlaces(query: ContainerQuery): DockerPlace[] {
    return defaultDockerPlaces(this.#host, ownersOf(this.#host, this.#proc, query).users);
  }

  /** An engine at the usual socket with another data root does not know this one's containers: its 404 is no answer for them. */
  #ownsUsualRoot(query: ContainerQuery): boolean {
    const root = namedRoot(query, 'docker');
    return root === undefined || this.#usualPlaces(query).some((place) => place.root === root);
  }

  #unreachable(query: ContainerQuery, places: DockerPlace[]): Answer[] {
    const root = namedRoot(query, 'docker');
    if (root === undefined || places.length > 0) return [];
    // Removed since, or a path of another mount namespace.
    const reason = 'the data root is not on this host';
    return [{ runtime: 'docker', via: 'record', user: 'root', source: root, result: 'silent', reason }];
  }
}

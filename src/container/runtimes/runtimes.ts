import type { ContainerView, Provenance, RuntimeName, RuntimeStatus } from '../../model.ts';
import { MalformedError, UnreadableError, type ProcFs } from '../../procfs/fs.ts';
import { readStatus } from '../../procfs/status.ts';
import { mayBeOf, type Answer, type ContainerQuery, type ViewOptions } from './answer.ts';
import { Asker } from './ask.ts';
import { DockerSource } from './docker-source.ts';
import { Host } from './host.ts';
import { askMachined } from './machined.ts';
import { mergeAnswers } from './merge.ts';
import { PodmanSource } from './podman-source.ts';
import { isPresent } from './presence.ts';
import { releaseContainer, type Release, type ReleaseRequest } from './release.ts';
import { Statuses } from './statuses.ts';

export interface RuntimesOptions {
  proc: ProcFs;
  /** How long one source may take to answer. */
  timeoutMs: number;
  /** Whether command lines may be run. */
  cli: boolean;
  /** Where the host's `/` is, for built trees. */
  hostRoot?: string;
  env?: NodeJS.ProcessEnv;
}

/** Cgroups that do not say which runtime they belong to: nobody can be asked for certain. */
const vague = new Set<RuntimeName>(['unknown', 'kubernetes-unknown', 'ecs', 'garden']);
/** Runtimes whose containers go by the name that the cgroup has. */
const named = new Set<RuntimeName>(['lxc', 'libvirt-lxc', 'nspawn', 'garden']);

/** Everything that the runtimes of this host say, read and asked once: make one for each look. */
export class Runtimes {
  readonly #host: Host;
  readonly #proc: ProcFs;
  readonly #podman: PodmanSource;
  readonly #docker: DockerSource;
  readonly #statuses: Statuses;
  readonly #presence = new Map<RuntimeName, boolean>();
  readonly #commands: { timeoutMs: number; env: NodeJS.ProcessEnv };

  constructor({ proc, timeoutMs, cli, hostRoot = '/', env = process.env }: RuntimesOptions) {
    this.#proc = proc;
    this.#commands = { timeoutMs, env };
    this.#host = new Host(hostRoot, env);
    const asker = new Asker({ host: this.#host, proc, timeoutMs, cli, env });
    this.#podman = new PodmanSource(this.#host, proc, asker);
    this.#docker = new DockerSource(this.#host, proc, asker);
    this.#statuses = new Statuses(this.#host, proc);
  }

  /** What all runtimes that could own a container say of it, taken together. What can't be read or asked is in the answer, never thrown. */
  async view(query: ContainerQuery, options: ViewOptions = {}): Promise<ContainerView> {
    const answers = await this.#answers(query, options);
    this.#statuses.note(answers);
    const { runtime, store } = query.provenance;
    const engine = runtime === 'podman' || runtime === 'docker' ? runtime : undefined;
    const foreign =
      engine !== undefined && store !== undefined && store.root !== '' && !mayBeOf(engine, store);
    return mergeAnswers(answers, {
      present: answers.length > 0 || this.#isPresent(runtime),
      conclusive: !vague.has(runtime) && !foreign && !this.#isNested(query.pids[0] ?? 0),
    });
  }

  /** Name and labels of a container as far as records have them: no spawn, no socket. podman's have no labels. */
  names(provenance: Provenance): { name: string | undefined; labels: Record<string, string> } {
    const { runtime, id } = provenance;
    if (named.has(runtime)) return { name: id, labels: {} };
    const query = { provenance, uid: 0, pids: [] };
    const name = runtime === 'docker' ? undefined : this.#podman.name(query);
    if (name !== undefined || runtime === 'podman') return { name, labels: {} };
    const found = this.#docker.describe(query);
    return { name: found?.name, labels: found?.labels ?? {} };
  }

  /**
   * Which runtimes are there, which of them answered, and why not.
   * @param running the names of all processes; read anew without it
   */
  statuses(running?: () => readonly string[]): RuntimeStatus[] {
    return this.#statuses.all(running);
  }

  /** Has the runtime stop and remove a container that it still lists. */
  release(request: ReleaseRequest): Promise<Release> {
    return releaseContainer(this.#host, this.#commands, request);
  }

  async #answers(query: ContainerQuery, options: ViewOptions): Promise<Answer[]> {
    const { runtime, id } = query.provenance;
    const { pids } = query;
    if (runtime === 'nspawn') return id === undefined ? [] : askMachined(this.#host, this.#proc, id, pids);
    // docker's and podman's containers may be in a cgroup that does not say whose it is (`--cgroup-parent`).
    const podman = runtime === 'podman' || vague.has(runtime) ? this.#podman.answers(query, options) : [];
    const docker = runtime === 'docker' || vague.has(runtime) ? this.#docker.answers(query, options) : [];
    return [...(await podman), ...(await docker)];
  }

  #isPresent(runtime: RuntimeName): boolean {
    const present = this.#presence.get(runtime) ?? isPresent(this.#host, this.#proc, runtime);
    this.#presence.set(runtime, present);
    return present;
  }

  /** Three pid namespaces: a container in a container, whose mounts name the outer one's paths and not this host's. */
  #isNested(pid: number): boolean {
    try {
      return (readStatus(this.#proc, pid)?.nsPid.length ?? 0) > 2;
    } catch (error) {
      if (error instanceof UnreadableError || error instanceof MalformedError) return true;
      throw error;
    }
  }
}

import type { RuntimeStatus } from '../../model.ts';
import type { ProcFs } from '../../procfs/fs.ts';
import type { Answer } from './answer.ts';
import { defaultDockerPlaces } from './docker-record.ts';
import { rootUser, type Host } from './host.ts';
import { unanswered } from './merge.ts';
import { defaultPlaces } from './podman-places.ts';
import { isPresent } from './presence.ts';

/** Keeps, for the report, which engines of which users are there and how they answered. */
export class Statuses {
  readonly #host: Host;
  readonly #proc: ProcFs;
  readonly #noted = new Map<string, RuntimeStatus>();

  constructor(host: Host, proc: ProcFs) {
    this.#host = host;
    this.#proc = proc;
  }

  /** Takes over what one container's sources answered; an engine that once failed to answer stays unavailable. */
  note(answers: Answer[]): void {
    const silent = unanswered(answers);
    for (const answer of answers) {
      const { runtime, user, source } = answer;
      const key = `${runtime} ${user}`;
      const failed = silent.find((each) => each.runtime === runtime && each.user === user);
      if (failed !== undefined)
        this.#noted.set(key, { name: runtime, user, available: false, reason: failed.reason });
      else if (!this.#noted.has(key))
        this.#noted.set(key, { name: runtime, user, available: true, reason: source });
    }
  }

  /**
   * One entry for each engine and user that was asked, and for root's podman and docker where they are installed.
   * @param running the names of all processes; read anew without it
   */
  all(running?: () => readonly string[]): RuntimeStatus[] {
    const asked = [...this.#noted.values()];
    const others = [this.#podman(running), this.#docker(running)].filter((status) => status !== undefined);
    return [...asked, ...others.filter(({ name }) => !this.#noted.has(`${name} root`))];
  }

  #podman(running?: () => readonly string[]): RuntimeStatus | undefined {
    if (!isPresent(this.#host, this.#proc, 'podman', running)) return undefined;
    return this.#readable(
      'podman',
      defaultPlaces(this.#host, rootUser).map(({ root }) => root),
    );
  }

  #docker(running?: () => readonly string[]): RuntimeStatus | undefined {
    if (!isPresent(this.#host, this.#proc, 'docker', running)) return undefined;
    return this.#readable(
      'docker',
      defaultDockerPlaces(this.#host, []).map(({ root }) => `${root}/containers`),
    );
  }

  /** Without a question the record alone is looked at, so that a healthy host's sweep asks nobody. */
  #readable(name: 'podman' | 'docker', directories: string[]): RuntimeStatus {
    for (const directory of directories) {
      const names = this.#host.list(directory);
      if (Array.isArray(names)) return { name, user: 'root', available: true, reason: directory };
      if (names !== undefined)
        return { name, user: 'root', available: false, reason: `${directory}: ${names.code}` };
    }
    return { name, user: 'root', available: true, reason: 'installed, has no containers' };
  }
}

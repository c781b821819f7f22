import type { ProcFs } from '../../procfs/fs.ts';
import { runCommand, type CommandResult } from './command.ts';
import type { Answer } from './answer.ts';
import { rootUser, type Host, type User } from './host.ts';
import { inspectByCommand } from './inspect-command.ts';
import { parseInspection, parseJson, type Inspection } from './inspection.ts';
import { confirmed } from './confirmed.ts';
import { inspectOverSocket } from './socket.ts';

export interface AskOptions {
  host: Host;
  proc: ProcFs;
  timeoutMs: number;
  /** Whether command lines may be run: only by a person's own call. */
  cli: boolean;
  env: NodeJS.ProcessEnv;
}

interface Engine {
  runtime: 'podman' | 'docker';
  user: User;
  id: string;
  /** Of the container's root file system, where that is known. */
  layer: string | undefined;
}

type Said =
  { result: 'known'; inspection: Inspection } | { result: 'absent' } | { result: 'silent'; reason: string };

/** Asks engines themselves, over their socket or else by their command line; each container once in the life of the object. */
export class Asker {
  readonly #options: AskOptions;
  readonly #said = new Map<string, Promise<(Said & { via: 'socket' | 'cli'; source: string })[]>>();

  constructor(options: AskOptions) {
    this.#options = options;
  }

  /** Every answer that one engine gave; empty where it has no socket and its command line may not be run. */
  async ask(engine: Engine, family: number[]): Promise<Answer[]> {
    const key = `${engine.runtime} ${engine.user.name} ${engine.id}`;
    let said = this.#said.get(key);
    if (said === undefined) {
      said = this.#askOnce(engine);
      this.#said.set(key, said);
    }
    return (await said).map((each) => this.#answer(engine, each, family));
  }

  async #askOnce(engine: Engine): Promise<(Said & { via: 'socket' | 'cli'; source: string })[]> {
    const answers: (Said & { via: 'socket' | 'cli'; source: string })[] = [];
    const { host, timeoutMs, cli } = this.#options;
    for (const socket of this.#sockets(engine)) {
      if (!host.exists(socket)) continue;
      const said = await inspectOverSocket(host.path(socket), engine.id, timeoutMs);
      answers.push({ ...said, via: 'socket', source: socket });
      if (said.result !== 'silent') return answers;
    }
    const program = cli && this.#mayRunAs(engine.user) ? host.program(engine.runtime) : undefined;
    if (program === undefined) return answers;
    const said =
      engine.runtime === 'podman' ? await this.#podman(program, engine) : await this.#docker(program, engine);
    return [...answers, { ...said, via: 'cli', source: `${engine.runtime} container inspect` }];
  }

  #sockets({ runtime, user }: Engine): string[] {
    if (runtime === 'podman')
      return [user.uid === 0 ? '/run/podman/podman.sock' : `/run/user/${user.uid}/podman/podman.sock`];
    if (user.uid !== 0) return [`/run/user/${user.uid}/docker.sock`];
    const chosen = /^unix:\/\/(\/.+)$/.exec(this.#options.env['DOCKER_HOST'] ?? '')?.[1];
    return [...(chosen === undefined ? [] : [chosen]), '/var/run/docker.sock'];
  }

  #mayRunAs(user: User): boolean {
    const own = process.geteuid?.();
    return own === 0 || own === user.uid;
  }

  /** podman-container-exists(1) has an exit code for "no such container"; that of inspect is the same for every failure. */
  async #podman(program: string, { id, user }: Engine): Promise<Said> {
    const exists = await this.#run(program, ['container', 'exists', id], user);
    if (exists.outcome === 'exit' && exists.code === 1) return { result: 'absent' };
    if (exists.outcome !== 'exit' || exists.code !== 0) return failure(exists);
    return this.#inspect(program, id, user);
  }

  /** docker inspect fails in one way for "no such container" and "no daemon"; an empty list from a daemon is an answer. */
  async #docker(program: string, { id, user }: Engine): Promise<Said> {
    const list = await this.#run(
      program,
      ['ps', '--all', '--no-trunc', '--quiet', '--filter', `id=${id}`],
      user,
    );
    if (list.outcome !== 'exit' || list.code !== 0) return failure(list);
    if (list.stdout.trim() === '') return { result: 'absent' };
    return this.#inspect(program, id, user);
  }

  async #inspect(program: string, id: string, user: User): Promise<Said> {
    const run = (args: string[]) => this.#run(program, args, user);
    return inspected(await inspectByCommand(run, '--format', '{{json .}}', id));
  }

  #run(program: string, args: string[], user: User): Promise<CommandResult> {
    const docker = this.#options.env['DOCKER_HOST'];
    const env = docker === undefined || user.uid !== rootUser.uid ? {} : { DOCKER_HOST: docker };
    return runCommand(program, args, user, this.#options.timeoutMs, env);
  }

  #answer(
    { runtime, user, layer }: Engine,
    said: Said & { via: 'socket' | 'cli'; source: string },
    family: number[],
  ): Answer {
    const base = { runtime, user: user.name, via: said.via, source: said.source };
    if (said.result === 'absent') return { ...base, result: 'absent' };
    if (said.result === 'silent') return { ...base, result: 'silent', reason: said.reason };
    // podman says running of a container whose conmon was killed, whatever became of its processes.
    const found = confirmed(this.#options.proc, said.inspection, layer, family);
    return { ...base, result: 'known', ...found };
  }
}

function inspected(result: CommandResult): Said {
  if (result.outcome !== 'exit' || result.code !== 0) return failure(result);
  // podman 4.3 prints a list for `{{json .}}`, docker and later podman the object.
  const printed = parseJson(result.stdout);
  const inspection = parseInspection(Array.isArray(printed) ? printed[0] : printed);
  return inspection === undefined
    ? { result: 'silent', reason: 'an answer that is none' }
    : { result: 'known', inspection };
}

function failure(result: CommandResult): { result: 'silent'; reason: string } {
  switch (result.outcome) {
    case 'exit':
      return { result: 'silent', reason: `exit code ${result.code}: ${result.stderr.trim().slice(0, 300)}` };
    case 'timeout':
      return { result: 'silent', reason: 'no answer in time' };
    case 'failed':
      return { result: 'silent', reason: result.reason };
  }
}

import type { ProcFs } from '../../procfs/fs.ts';
import type { CommandResult } from './command.ts';
import { findEngines, type Engine, type Unasked } from './engines.ts';
import { Host } from './host.ts';
import { inspectByCommand } from './inspect-command.ts';
import { parseJson } from './inspection.ts';
import { parseListed, type ListedContainer } from './listed.ts';

/** What one engine lists. */
export interface Listing {
  engine: Engine;
  containers: ListedContainer[];
}

export interface Listings {
  listed: Listing[];
  /** Engines that did not answer, which is not an empty list. */
  silent: Unasked[];
}

export interface ListOptions {
  proc: ProcFs;
  /** How long each engine may take. */
  timeoutMs: number;
  hostRoot?: string;
  env?: NodeJS.ProcessEnv;
}

/** Every container, running or not, of every engine that this process may ask; for a person's own call, as it runs commands. */
export async function listContainers(options: ListOptions): Promise<Listings> {
  const { proc, timeoutMs, hostRoot = '/', env = process.env } = options;
  const { engines, unasked } = findEngines(new Host(hostRoot, env), proc, env);
  const answers = await Promise.all(engines.map((engine) => listEngine(engine, timeoutMs)));
  return {
    listed: answers.filter((answer) => 'containers' in answer),
    silent: [...unasked, ...answers.filter((answer) => 'reason' in answer)],
  };
}

/** What an engine lists now. */
export async function listEngine(engine: Engine, timeoutMs: number): Promise<Listing | Unasked> {
  const { runtime, user } = engine;
  const silent = (reason: string): Unasked => ({ runtime, user, reason });
  const all = await engine.run(['ps', '--all', '--quiet', '--no-trunc'], timeoutMs);
  if (all.outcome !== 'exit' || all.code !== 0) return silent(failureText(all));
  const ids = all.stdout.split('\n').filter((id) => /^[0-9a-f]{64}$/.test(id));
  if (ids.length === 0) return { engine, containers: [] };
  const details = await inspectByCommand((args) => engine.run(args, timeoutMs), ...ids);
  if (details.outcome !== 'exit') return silent(failureText(details));
  // One that went meanwhile makes the whole command fail, after it has printed the others.
  const containers = parseListed(parseJson(details.stdout));
  return containers === undefined ? silent(failureText(details)) : { engine, containers };
}

/** Why a command of an engine failed, in one line. */
export function failureText(result: CommandResult): string {
  switch (result.outcome) {
    case 'exit':
      return lastLine(result.stderr) || `exit code ${result.code}`;
    case 'timeout':
      return 'no answer in time';
    case 'failed':
      return result.reason;
  }
}

/** runc's warnings come first and podman's own sentence last. */
function lastLine(text: string): string {
  return (text.trim().split('\n').at(-1) ?? '').slice(0, 300);
}

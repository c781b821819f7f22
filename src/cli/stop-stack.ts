import type { Config } from '../config/config.ts';
import { Host } from '../container/runtimes/host.ts';
import type { ListedContainer } from '../container/runtimes/listed.ts';
import type { Listing } from '../container/runtimes/listing.ts';
import { inPodmansHand } from '../container/runtimes/in-hand.ts';
import { needsStopping, stopContainers } from '../container/runtimes/stop.ts';
import { escape } from './escape.ts';
import { line } from './format.ts';
import { engineText, isOfStack, listHost } from './stack.ts';
import type { Terminal } from './terminal.ts';
import { count } from './words.ts';

/** A container of the stack in `stop --json`. */
export interface StoppedContainer {
  runtime: string;
  user: string;
  id: string;
  name: string | null;
  outcome: 'stopped' | 'failed' | 'planned';
  detail: string | null;
}

/** An engine that could not be asked what it runs, in `stop --json`. */
export interface SilentEngine {
  runtime: string;
  user: string;
  reason: string;
}

export interface StoppedStack {
  containers: StoppedContainer[];
  silent: SilentEngine[];
}

const proc = { root: '/proc' };
// Longer than anybody lets a database take to shut down.
const STOP_MS = 10 * 60_000;

/** Stops the stack's containers through the engines that own them, or says which it would stop. */
export async function stopStack(
  config: Config,
  { dryRun, signal, again = false }: { dryRun: boolean; signal: AbortSignal; again?: boolean },
  terminal: Terminal,
  say: (line: string) => void,
): Promise<StoppedStack> {
  const { listed, silent } = await listHost(config);
  const inHand = inPodmansHand(proc);
  const running = listed
    .map(({ engine, containers }) => ({
      engine,
      containers: containers.filter(
        (each) => isOfStack(each, config) && needsStopping(each, { proc, inHand }),
      ),
    }))
    .filter(({ containers }) => containers.length > 0);
  const answers = silent.map(({ runtime, user, reason }) => ({ runtime, user: user.name, reason }));
  if (dryRun || running.length === 0) {
    const containers = running.flatMap((listing) =>
      listing.containers.map((container) => entry(listing, container, 'planned', null)),
    );
    for (const container of containers) say(line('info', `Would stop ${nameOf(container)}`, terminal));
    if (containers.length === 0 && !again) say(line('info', 'No container of the stack runs', terminal));
    return { containers, silent: answers };
  }
  const stopped = await whileShowing(terminal, running, () =>
    Promise.all(running.map((listing) => stopListed(config, listing, signal, terminal, say))),
  );
  return { containers: stopped.flat(), silent: answers };
}

/** Both rounds as one: of a container that was stopped in both, the second says how that ended. */
export function stoppedAgain(first: StoppedStack, second: StoppedStack): StoppedStack {
  const ids = new Set(second.containers.map(({ id }) => id));
  const { silent } = second;
  return { containers: [...first.containers.filter(({ id }) => !ids.has(id)), ...second.containers], silent };
}

async function stopListed(
  config: Config,
  listing: Listing,
  signal: AbortSignal,
  terminal: Terminal,
  say: (line: string) => void,
): Promise<StoppedContainer[]> {
  const { engine, containers } = listing;
  const results = await stopContainers(engine, containers, {
    host: new Host('/', process.env),
    proc,
    timeoutMs: config.runtimeTimeoutMs * 10,
    stopMs: STOP_MS,
    signal,
  });
  return results.map(({ container, outcome, detail }) => {
    const result = entry(listing, container, outcome, detail ?? null);
    if (outcome === 'stopped')
      say(line('ok', `Stopped ${nameOf(result)} (${engineText(result.runtime, result.user)})`, terminal));
    else {
      const why = escape(detail ?? '');
      say(
        line(
          'fail',
          `Could not stop ${nameOf(result)} (${engineText(result.runtime, result.user)}): ${why}`,
          terminal,
        ),
      );
    }
    return result;
  });
}

/** A line on the terminal that says for how long it takes already. */
async function whileShowing<T>(
  terminal: Terminal,
  running: readonly Listing[],
  work: () => Promise<T>,
): Promise<T> {
  const began = performance.now();
  const number = running.reduce((sum, { containers }) => sum + containers.length, 0);
  const tick = (): void => {
    const seconds = Math.round((performance.now() - began) / 1000);
    terminal.progress(`Stopping ${count(number, 'container')} (${seconds} s)…`);
  };
  tick();
  const timer = setInterval(tick, 1000);
  try {
    return await work();
  } finally {
    clearInterval(timer);
    terminal.progress('');
  }
}

function entry(
  { engine }: Listing,
  { id, name }: ListedContainer,
  outcome: StoppedContainer['outcome'],
  detail: string | null,
): StoppedContainer {
  const { runtime, user } = engine;
  return { runtime, user: user.name, id, name: name ?? null, outcome, detail };
}

function nameOf({ name, id }: StoppedContainer): string {
  return escape(name ?? id.slice(0, 12));
}

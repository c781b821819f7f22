import { setTimeout as sleep } from 'node:timers/promises';
import type { WatchedPort } from '../model.ts';
import { readListeners } from '../procfs/net.ts';
import type { Terminal } from './terminal.ts';
import { count } from './words.ts';

// A look at the listeners alone costs a millisecond; a full one is made when they have gone.
const PAUSE_MS = 250;

/** Waits until nobody listens on the ports any more, at most `waitMs`, and says so on the terminal; an abort ends the wait. */
export async function awaitPorts(
  ports: readonly WatchedPort[],
  waitMs: number,
  signal: AbortSignal,
  terminal: Pick<Terminal, 'progress'>,
): Promise<void> {
  const deadline = performance.now() + waitMs;
  try {
    for (;;) {
      const held = heldOf(ports);
      const leftMs = deadline - performance.now();
      if (held === 0 || leftMs <= 0 || signal.aborted) return;
      terminal.progress(`Waiting for ${count(held, 'port')} to be let go (${Math.ceil(leftMs / 1000)} s)…`);
      await sleep(Math.min(PAUSE_MS, leftMs), undefined, { signal }).catch(() => undefined);
    }
  } finally {
    terminal.progress('');
  }
}

function heldOf(ports: readonly WatchedPort[]): number {
  const listeners = readListeners(
    { root: '/proc' },
    {
      protocols: ports.map(({ protocol }) => protocol),
      ports: new Set(ports.map(({ port }) => port)),
    },
  );
  return ports.filter(({ port, protocol }) =>
    listeners.some((listener) => listener.port === port && listener.protocol === protocol),
  ).length;
}

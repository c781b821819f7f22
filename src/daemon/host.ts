import { hostname, loadavg, release, uptime } from 'node:os';
import type { HostStatus } from '../http/engine.ts';

/** Tells about the machine, at most once a second anew. */
export interface HostInfo {
  /** null before the first answer. */
  current(): HostStatus | null;
  refresh(): Promise<void>;
}

const KEPT_MS = 1_000;

/**
 * The machine by systeminformation: its `mem()` reads /proc/meminfo. What it takes from node:os for the rest is taken
 * from there, because its `osInfo()` and `time()` start a shell for more than is asked here, and the unit allows none.
 */
export function createHostInfo(): HostInfo {
  let known: HostStatus | null = null;
  let asking: Promise<void> | undefined;
  let askedAt = Number.NEGATIVE_INFINITY;
  const ask = async () => {
    const { mem } = await import('systeminformation');
    const { total, available } = await mem();
    known = {
      name: hostname(),
      kernel: release(),
      uptimeSeconds: Math.floor(uptime()),
      load: loadavg().map((each) => Math.round(each * 100) / 100),
      memory: { totalBytes: total, availableBytes: available },
    };
  };
  const refresh = () => {
    askedAt = performance.now();
    asking ??= ask().finally(() => {
      asking = undefined;
    });
    return asking;
  };
  return {
    current() {
      // The answer that is there serves; the next one to ask gets the newer.
      if (performance.now() - askedAt > KEPT_MS) void refresh().catch(() => undefined);
      return known;
    },
    refresh,
  };
}

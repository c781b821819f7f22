import { performance } from 'node:perf_hooks';
import { sdNotify } from '../linux/notify.ts';

/** What systemd is told of the daemon, sd_notify(3); nothing where it did not ask. */
export interface Supervision {
  /** Sockets are open and the first sweep has finished: from here on the watchdog is fed. */
  ready(status: string): void;
  status(text: string): void;
  reloading(): void;
  stopping(): void;
}

export interface SupervisionOptions {
  env: Readonly<Record<string, string | undefined>>;
  pid: number;
  /** Whether the sweeps are in time. */
  inTime: () => boolean;
  /** Told when the watchdog is not fed, and why. */
  onStarved: (why: string) => void;
  notify?: (state: string) => boolean;
  /** For tests: how often the event loop is listened to, and how late it may be, in ms. */
  beatMs?: number;
  longestLagMs?: number;
}

// One timer a second: finer would cost more than all the rest of an idle daemon.
const BEAT_MS = 1_000;
const LONGEST_LAG_MS = 5_000;

/** Speaks to systemd for this process, and feeds its watchdog three times as often as it asks. */
export function createSupervision(options: SupervisionOptions): Supervision {
  const { notify = sdNotify, beatMs = BEAT_MS, longestLagMs: longestLag = LONGEST_LAG_MS } = options;
  const intervalMs = watchdogMs(options.env, options.pid);
  const timers: NodeJS.Timeout[] = [];
  let told = '';
  let beatAt = 0;
  let longestLagMs = 0;

  // By hand: monitorEventLoopDelay() loses the first delay after each reset().
  const beat = () => {
    const now = performance.now();
    longestLagMs = Math.max(longestLagMs, now - beatAt - beatMs);
    beatAt = now;
  };
  const feed = () => {
    beat();
    if (!options.inTime()) options.onStarved('no sweep has finished in time');
    else if (longestLagMs > longestLag) options.onStarved('the event loop was blocked');
    else notify('WATCHDOG=1');
    longestLagMs = 0;
  };
  return {
    ready(status) {
      told = status;
      notify(`READY=1\nSTATUS=${status}`);
      if (intervalMs === undefined || timers.length > 0) return;
      beatAt = performance.now();
      timers.push(setInterval(beat, beatMs), setInterval(feed, intervalMs / 3));
      for (const timer of timers) timer.unref();
    },
    status(text) {
      if (text === told) return;
      told = text;
      notify(`STATUS=${text}`);
    },
    reloading() {
      // CLOCK_MONOTONIC in microseconds tells systemd which of several reloads this is.
      notify(`RELOADING=1\nMONOTONIC_USEC=${process.hrtime.bigint() / 1_000n}`);
    },
    stopping() {
      for (const timer of timers) clearInterval(timer);
      notify('STOPPING=1');
    },
  };
}

/** WATCHDOG_USEC in ms, where it is meant for this process (sd_watchdog_enabled(3)). */
export function watchdogMs(env: SupervisionOptions['env'], pid: number): number | undefined {
  const usec = Number(env['WATCHDOG_USEC']);
  if (!(usec > 0) || !Number.isFinite(usec)) return undefined;
  const meant = env['WATCHDOG_PID'];
  return meant === undefined || meant === String(pid) ? usec / 1_000 : undefined;
}

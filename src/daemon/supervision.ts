import { type IntervalHistogram, monitorEventLoopDelay } from 'node:perf_hooks';
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
}

const NS_PER_MS = 1e6;
// One timer a second: finer would cost more than all the rest of an idle daemon.
const RESOLUTION_MS = 1_000;
const LONGEST_LAG_MS = 5_000;

/** Speaks to systemd for this process, and feeds its watchdog three times as often as it asks. */
export function createSupervision(options: SupervisionOptions): Supervision {
  const { notify = sdNotify } = options;
  const intervalMs = watchdogMs(options.env, options.pid);
  let timer: NodeJS.Timeout | undefined;
  let lag: IntervalHistogram | undefined;
  let told = '';

  const feed = () => {
    const longestLagMs = (lag?.max ?? 0) / NS_PER_MS;
    lag?.reset();
    if (!options.inTime()) options.onStarved('no sweep has finished in time');
    else if (longestLagMs > LONGEST_LAG_MS) options.onStarved('the event loop was blocked');
    else notify('WATCHDOG=1');
  };
  return {
    ready(status) {
      told = status;
      notify(`READY=1\nSTATUS=${status}`);
      if (intervalMs === undefined || timer !== undefined) return;
      lag = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
      lag.enable();
      timer = setInterval(feed, intervalMs / 3);
      timer.unref();
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
      clearInterval(timer);
      lag?.disable();
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

import { type Logger, type ScheduledTask, createTask } from 'node-cron';

/** When sweeps are due. */
export interface Schedule {
  /** undefined where there is no next time. */
  nextAt(): Date | undefined;
  /** The longest gap between the time that was last due and the next few, in ms: what "three intervals" is counted in. */
  intervalMs(): number;
  stop(): void;
}

const AHEAD = 3;
const DAY_MS = 86_400_000;
const quiet: Logger = {
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
  debug: () => undefined,
};

/**
 * Calls `onDue` by a cron expression (seconds allowed), and `onMissed` for a time that passed while the event loop was
 * busy. Does not wait for what `onDue` begins. The expression is valid: the configuration's schema checked it.
 */
export function startSchedule(
  expression: string,
  onDue: () => void,
  onMissed: (due: Date) => void,
): Schedule {
  // Asked for with every status, and 0.3 ms a time to work out: kept from one due time to the next.
  let ahead: Date[] = [];
  let intervalMs = DAY_MS;
  const lookAhead = () => {
    ahead = task.getNextRuns(AHEAD);
    const times = [Date.now(), ...ahead.map((date) => date.getTime())];
    const gaps = times.slice(1).map((time, index) => time - (times[index] ?? time));
    if (gaps.length > 0) intervalMs = Math.max(...gaps);
  };
  const task: ScheduledTask = createTask(
    expression,
    () => {
      lookAhead();
      onDue();
    },
    { logger: quiet, suppressMissedWarning: true },
  );
  task.on('execution:missed', ({ date }) => {
    lookAhead();
    onMissed(date);
  });
  lookAhead();
  void task.start();
  return {
    nextAt() {
      const now = Date.now();
      // The clock may have been set.
      if ((ahead[0]?.getTime() ?? now + 1) <= now) lookAhead();
      return ahead[0];
    },
    intervalMs: () => intervalMs,
    stop: () => {
      void task.destroy();
    },
  };
}

import { readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';

/**
 * Polls until a probe answers something other than undefined or false, and returns it. Nothing in these tests sleeps
 * for a fixed time. Throws when the deadline passes, naming what never came.
 */
export async function until<T>(
  what: string,
  probe: () => T | Promise<T>,
  timeoutMs = 20_000,
): Promise<Exclude<T, undefined | false>> {
  const deadline = Date.now() + timeoutMs;
  for (;;) {
    const answer = await probe();
    if (answer !== undefined && answer !== false) return answer as Exclude<T, undefined | false>;
    if (Date.now() > deadline) throw new Error(`waited ${timeoutMs} ms in vain: ${what}`);
    await delay(50);
  }
}

/**
 * Waits until a process is old enough for a record to be told younger: boot time has whole seconds, so that orphand counts
 * a difference below one as none.
 */
export async function aged({ startTime }: { startTime: number }): Promise<void> {
  const ticks = (): number => Number(readFileSync('/proc/uptime', 'utf8').split(' ', 1)[0]) * 100;
  await until('the process to be two and a half seconds old', () => ticks() - startTime > 250);
}

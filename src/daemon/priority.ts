import { fstatSync } from 'node:fs';

/** sd-daemon(3): the priority that journald takes from the start of a line, by pino's level. */
export function prefixOf(level: number): string {
  if (level >= 60) return '<2>';
  if (level >= 50) return '<3>';
  if (level >= 40) return '<4>';
  return level >= 30 ? '<6>' : '<7>';
}

/** Whether a descriptor is the stream to the journal that JOURNAL_STREAM names (systemd.exec(5)): a pipe put between is not. */
export function goesToJournal(env: Readonly<Record<string, string | undefined>>, fd: number): boolean {
  const named = env['JOURNAL_STREAM'];
  if (named === undefined) return false;
  try {
    const { dev, ino } = fstatSync(fd, { bigint: true });
    return named === `${dev}:${ino}`;
  } catch {
    return false;
  }
}

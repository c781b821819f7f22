import type { Status } from '../http/engine.ts';
import type { Report } from '../model.ts';
import { escape } from './escape.ts';
import { line, scanText, type Paint } from './format.ts';

/** The daemon at one glance, then what its last sweep found. `now` is in ms since the epoch. */
export function statusText(status: Status, report: Report | undefined, now: number, paint: Paint): string {
  return [
    headline(status, now, paint),
    line('info', sweepsText(status, now), paint),
    ...(status.runningCleanup === null
      ? []
      : [line('info', `Clean-up ${escape(status.runningCleanup)} is running`, paint)]),
    ...status.limits.map(({ message, cure }) =>
      line('warn', `${escape(message)}${cure === null ? '' : ` ${escape(cure)}`}`, paint),
    ),
    ...(report === undefined ? [] : ['', scanText(report, false, paint)]),
  ].join('\n');
}

function headline({ version, pid, startedAt, problem }: Status, now: number, paint: Paint): string {
  const since = durationText(now - Date.parse(startedAt));
  const who = `orphand ${escape(version)} runs as process ${pid} for ${since}`;
  return problem === null
    ? line('ok', `${who}, all is well`, paint)
    : line('fail', `${who}, but ${escape(problem)}`, paint);
}

function sweepsText({ lastSweep, nextSweepAt, clean }: Status, now: number): string {
  const last =
    lastSweep === null
      ? 'No sweep has finished yet'
      : `Last sweep ${durationText(now - Date.parse(lastSweep.at))} ago (${lastSweep.trigger}, ${Math.round(lastSweep.durationMs)} ms${lastSweep.result === 'ok' ? '' : `, ${lastSweep.result}`})`;
  const next =
    nextSweepAt === null ? 'none planned' : `next in ${durationText(Date.parse(nextSweepAt) - now)}`;
  const ends =
    clean === 'off' ? 'ends nothing' : clean === 'orphans' ? 'ends orphans' : 'ends orphans and suspects';
  return `${last}, ${next}; ${ends} (sweep.clean: ${clean})`;
}

/** `0 s`, `59 s`, `12 min`, `3 h`, `4 d` */
export function durationText(ms: number): string {
  const seconds = Math.max(0, Math.round(ms / 1000));
  if (seconds < 120) return `${seconds} s`;
  if (seconds < 7_200) return `${Math.floor(seconds / 60)} min`;
  return seconds < 172_800 ? `${Math.floor(seconds / 3_600)} h` : `${Math.floor(seconds / 86_400)} d`;
}

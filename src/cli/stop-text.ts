import { line } from './format.ts';
import type { Paint } from './format.ts';
import { heldText } from './freeing.ts';
import { engineText } from './stack.ts';
import type { StopReport } from './stop.ts';
import { count } from './words.ts';
import { escape } from './escape.ts';

/** The end of `stop` for people: how much was stopped and ended, and whether every watched port is free. */
export function stopSummary(report: StopReport, paint: Paint): string[] {
  const { stack, cleanup, held, dryRun, scan } = report;
  const ended = (cleanup?.actions ?? []).filter(
    ({ outcome }) => outcome === 'killed' || outcome === 'terminated' || outcome === 'planned',
  ).length;
  const stopped = (stack?.containers ?? []).filter(({ outcome }) => outcome !== 'failed').length;
  const would = dryRun ? ' that would be' : '';
  return [
    '',
    paint.strong('=== Stop Summary ==='),
    ...(stack === null ? [] : [`Containers${would} stopped: ${stopped}`]),
    `Processes${would} killed: ${ended}`,
    ...(held.length > 0 ? silentLines(stack, paint) : []),
    ...held.map((port) => line(dryRun ? 'info' : 'fail', heldText(port), paint)),
    ...(dryRun ? [line('info', 'Dry run: nothing was stopped or ended', paint)] : []),
    held.length === 0
      ? line('ok', 'All watched ports are free', paint)
      : line(dryRun ? 'info' : 'fail', `${held.length} of ${count(scan.ports.length, 'port')} held`, paint),
  ];
}

/** An engine that was not asked may be the one that runs what holds a port. */
function silentLines(stack: StopReport['stack'], paint: Paint): string[] {
  return (stack?.silent ?? []).map(({ runtime, user, reason }) => {
    return line('warn', `${engineText(runtime, user)} was not asked what it runs: ${escape(reason)}`, paint);
  });
}

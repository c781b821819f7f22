import type { Action } from '../model.ts';
import type { JournalEntry, JournalTarget } from '../reap/journal-format.ts';
import { escape } from './escape.ts';
import { line } from './format.ts';
import type { Paint } from './format.ts';
import { count } from './words.ts';

/** The journal for people: what began when, what came of it, and one line for each process. */
export function historyText(entries: readonly JournalEntry[], paint: Paint): string {
  return entries.map((entry) => entryLines(entry, paint).join('\n')).join('\n');
}

function entryLines(entry: JournalEntry, paint: Paint): string[] {
  const head = (tone: Parameters<typeof line>[0], text: string): string =>
    line(tone, `${escape(entry.at)}  ${paint.strong(escape(entry.trigger))}: ${text}`, paint);
  if (entry.outcome !== undefined) {
    const { ok, error, actions, ports } = entry.outcome;
    const ended = actions.filter(({ outcome }) => outcome === 'terminated' || outcome === 'killed').length;
    const freed = [...new Set(ports.filter((port) => port.freed).map(({ port }) => port))];
    const result = [
      `${count(ended, 'process', 'processes')} ended`,
      ...(freed.length === 0 ? [] : [`freed ${freed.join(', ')}`]),
      ...(error === null ? (ok ? [] : ['something was left']) : [`failed: ${escape(error)}`]),
    ].join(', ');
    return [head(ok ? 'ok' : 'fail', result), ...actions.map(actionLine)];
  }
  const planned = entry.targets.map(targetLine);
  if (entry.state === 'running') return [head('info', 'running now'), ...planned];
  return [
    head(
      'warn',
      `interrupted: orphand (PID ${entry.by.pid}) ended before it was done; what became of these is not on record`,
    ),
    ...planned,
    ...entry.forks.map(({ pid, comm }) => `    ${pid} (${escape(comm)}), found on the way`),
  ];
}

function actionLine({ pid, comm, verdict, reason, ports, steps, outcome, detail }: Action): string {
  const signals = steps.map(({ signal }) => escape(signal)).join(', ');
  const how = [outcome, ...(signals === '' ? [] : [`by ${signals}`])].join(' ');
  return `    ${pid} (${escape(comm)}), ${verdict}, ${reason}${portsText(ports)}: ${how}${detail === null ? '' : `: ${escape(detail)}`}`;
}

function targetLine({ identity, comm, verdict, reason, ports, user }: JournalTarget): string {
  return `    ${identity.pid} (${escape(comm)}), ${verdict}, ${reason}${portsText(ports)}, of ${escape(user)}`;
}

function portsText(ports: readonly number[]): string {
  return ports.length === 0 ? '' : `, on ${[...new Set(ports)].join(', ')}`;
}

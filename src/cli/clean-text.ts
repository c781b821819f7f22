import type { Action, CleanReport, ReportedPort, ReportedProcess } from '../model.ts';
import { attention } from './attention.ts';
import { escape } from './escape.ts';
import { limits, line, verdictLine } from './format.ts';
import type { Paint } from './format.ts';
import { portState, processText } from './words.ts';

/** What `clean` did: one line per process and port, then the summary in the reference's form. */
export function cleanText(clean: CleanReport, paint: Paint): string {
  const ended = clean.actions.filter(
    ({ outcome }) => outcome === 'killed' || outcome === 'terminated',
  ).length;
  const planned = clean.actions.filter(({ outcome }) => outcome === 'planned').length;
  const unseen = heldUnseen(clean);
  return [
    ...cleanedLines(clean, paint),
    '',
    paint.strong('=== Cleanup Summary ==='),
    clean.dryRun ? `Processes that would be killed: ${planned}` : `Processes killed: ${ended}`,
    ...clean.remaining
      .filter(
        ({ pid }) => !clean.actions.some((action) => action.pid === pid && action.outcome === 'planned'),
      )
      .map((process) => line('fail', `Left: ${leftText(process)}`, paint)),
    ...unseen.map(({ port, service }) =>
      line('fail', `Left: port ${port} (${service}), held by a process that could not be seen`, paint),
    ),
    ...heldByOthers(clean, unseen, paint),
    ...(clean.dryRun ? [line('info', 'Dry run: nothing was ended', paint)] : []),
    verdictLine(clean.ports, clean.remaining.length + unseen.length, paint),
  ].join('\n');
}

/** What was done, one line per process and per port that it freed, and what could not be seen. */
export function cleanedLines({ actions, ports, scan }: CleanReport, paint: Paint): string[] {
  return [
    ...actions.map((action) => actionLine(action, paint)),
    ...ports
      .filter(({ freed }) => freed)
      .map(({ port, service }) => line('ok', `Freed port ${port} (${service})`, paint)),
    ...limits(scan, false, paint),
  ];
}

/** 0 where nothing is left to clean, else 1; a port whose holder could not be seen is something left. */
export function cleanExitCode(clean: CleanReport): 0 | 1 {
  return clean.ok && heldUnseen(clean).length === 0 ? 0 : 1;
}

/** Ports that are still held, of which a holder could not be seen: before, or after their targets had gone. */
function heldUnseen(clean: CleanReport): ReportedPort[] {
  const held = heldPorts(clean);
  const before = new Set(attention(clean.scan).holderless.map(({ port }) => port));
  const after = !clean.ok && clean.remaining.length === 0 ? targetPorts(clean) : new Set<number>();
  return clean.scan.ports.filter(({ port }) => held.has(port) && (before.has(port) || after.has(port)));
}

/** What is said of ports that are held by what is none of our business: a live container, the host's own. */
function heldByOthers(clean: CleanReport, unseen: readonly ReportedPort[], paint: Paint): string[] {
  const held = heldPorts(clean);
  const left = new Set([...clean.remaining.flatMap(({ ports }) => ports), ...unseen.map(({ port }) => port)]);
  const targets = targetPorts(clean);
  return clean.scan.ports
    .filter(({ port, state }) => state === 'held' && held.has(port) && !left.has(port))
    .map((port) => {
      // The report has no second scan. Whoever is not alive and holds a target's port would be left.
      const text = targets.has(port.port) ? 'held by a live container' : portState(port, clean.scan).text;
      return line('info', `Port ${port.port} (${port.service}) is ${text}`, paint);
    });
}

function targetPorts({ actions }: CleanReport): Set<number> {
  return new Set(actions.flatMap(({ ports }) => ports));
}

function heldPorts({ ports }: CleanReport): Set<number> {
  return new Set(ports.filter(({ state }) => state === 'held').map(({ port }) => port));
}

function leftText(process: ReportedProcess): string {
  const ports = process.ports.length === 0 ? '' : ` on ${process.ports.join(', ')}`;
  return `${processText(process)}, PID ${process.pid}${ports}: ${escape(process.cause)} (${process.reason})`;
}

function actionLine(action: Action, paint: Paint): string {
  const kind = action.verdict === 'orphan' ? 'orphaned' : 'suspect';
  const who = `${kind} process ${action.pid} (${escape(action.comm)})`;
  const detail = action.detail === null ? '' : `: ${escape(action.detail)}`;
  const steps = action.steps.map(({ signal }) => escape(signal)).join(', ');
  switch (action.outcome) {
    case 'terminated':
    case 'killed':
      return line('ok', `Killed ${who}: ${steps}`, paint);
    case 'gone':
      return line('ok', `Process ${action.pid} (${escape(action.comm)}) had gone by itself${detail}`, paint);
    case 'planned':
      return line('info', `Would kill ${who}`, paint);
    case 'survived':
      return line('fail', `Could not kill ${who}${detail}`, paint);
    case 'refused':
      return line('fail', `Did not touch ${who}${detail}`, paint);
  }
}

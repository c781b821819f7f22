import type { Report, ReportedProcess, WatchedPort } from '../model.ts';
import { attention } from './attention.ts';
import { commandText, escape } from './escape.ts';
import type { Terminal, Tone } from './terminal.ts';
import { containerText, count, findingText, portState, portText, processText } from './words.ts';
import type { Finding } from './words.ts';

/** What signs and emphasis need of a terminal. */
export type Paint = Pick<Terminal, 'sign' | 'strong'>;

/** `scan` for people: every watched port, what needs attention, and a summary. `all` adds what needs none. */
export function scanText(report: Report, all: boolean, paint: Paint): string {
  const { processes, holderless } = attention(report);
  const held = report.ports.filter(({ state }) => state === 'held').length;
  return [
    ...portTable(report, paint),
    ...processes.flatMap((process) => findingLines(process, report.ports, paint)),
    ...warnings(report, paint),
    ...(all ? others(report) : []),
    ...limits(report, all, paint),
    '',
    paint.strong('=== Scan Summary ==='),
    `Ports watched: ${report.ports.length} (${held} held)`,
    counts(processes),
    ...advice(processes, paint),
    verdictLine(report.ports, processes.length + holderless.length, paint),
  ].join('\n');
}

/** One finding in the reference's form: what was found where, its PID and command, and why. */
export function findingLines(process: Finding, watched: readonly WatchedPort[], paint: Paint): string[] {
  return [
    line('warn', `Found ${findingText(process, watched)}`, paint),
    `    PID: ${process.pid}`,
    `    Command: ${commandText(process.cmdline) || `[${escape(process.comm)}]`}`,
    `    Cause: ${escape(process.cause)} (${process.reason})`,
  ];
}

/** A line that begins with a sign. */
export function line(tone: Tone, text: string, paint: Paint): string {
  return `${paint.sign(tone)} ${text}`;
}

/** What could not be seen or asked, and what to do about it. */
export function limits(report: Report, all: boolean, paint: Paint): string[] {
  const lines: string[] = [];
  const unread = new Set(report.unreadable.map(({ pid }) => pid)).size;
  if (unread > 0) {
    const ports = [...new Set(attention(report).holderless.map(({ port }) => port))];
    const [first] = report.unreadable;
    const example =
      first === undefined ? '' : `${escape(first.file)} (${first.code})${unread > 1 ? ' …' : ''}`;
    const aim = ports.length === 0 ? 'everything' : `who holds ${ports.join(', ')}`;
    const cure = report.privileged ? example : `run with sudo to see ${aim}`;
    lines.push(line('warn', `${count(unread, 'process', 'processes')} could not be read: ${cure}`, paint));
  }
  const silent = report.processes.some(({ reason }) => reason === 'runtime-silent');
  for (const { name, user, available, reason } of report.runtimes) {
    if (available || !(silent || all)) continue;
    lines.push(line('warn', `${escape(name)} of ${escape(user)} does not answer: ${escape(reason)}`, paint));
  }
  return lines;
}

/** The last line of every summary. */
export function verdictLine(
  ports: readonly { state: 'free' | 'held' }[],
  issues: number,
  paint: Paint,
): string {
  if (issues > 0) return line('fail', `${count(issues, 'issue')} to look at`, paint);
  if (ports.every(({ state }) => state === 'free')) return line('ok', 'All watched ports are free', paint);
  return line('ok', 'No orphan holds a watched port', paint);
}

function portTable(report: Report, paint: Paint): string[] {
  const { ports } = report;
  const numbers = Math.max(0, ...ports.map((port) => portText(port).length));
  const services = Math.max(0, ...ports.map(({ service }) => service.length));
  return ports.map((port) => {
    const { text, tone } = portState(port, report);
    return line(tone, `${portText(port).padEnd(numbers)}  ${port.service.padEnd(services)}  ${text}`, paint);
  });
}

function counts(processes: readonly ReportedProcess[]): string {
  const of = (verdict: string): number => processes.filter((process) => process.verdict === verdict).length;
  return `Orphans: ${of('orphan')}, suspects: ${of('suspect')}, unknown: ${of('unknown')}`;
}

/** What a person should know though nothing will be done: warnings, and unsupervised containers out of scope. */
function warnings(report: Report, paint: Paint): string[] {
  return report.processes.flatMap((process) => {
    const who = `${processText(process)}, PID ${process.pid}`;
    if (process.inScope && process.warning !== null) {
      return [line('warn', `${who}: ${escape(process.warning)}`, paint)];
    }
    if (!process.inScope && (process.verdict === 'orphan' || process.verdict === 'suspect')) {
      const where = process.container === null ? '' : ` of container ${containerText(process.container)}`;
      return [line('info', `Not the stack's, left alone: ${who}${where} (${process.reason})`, paint)];
    }
    return [];
  });
}

function others(report: Report): string[] {
  const rows = report.processes.filter(
    ({ verdict }) => verdict === 'container' || verdict === 'helper' || verdict === 'host',
  );
  if (rows.length === 0) return [];
  return [
    'Nothing to do for:',
    ...rows.map(
      ({ pid, comm, cause, reason }) => `    PID ${pid} ${escape(comm)}: ${escape(cause)} (${reason})`,
    ),
  ];
}

function advice(processes: readonly ReportedProcess[], paint: Paint): string[] {
  const lines: string[] = [];
  if (processes.some(({ verdict }) => verdict === 'orphan')) {
    lines.push(line('info', 'To end the orphans: orphand clean', paint));
  }
  const suspect = processes.find(({ verdict }) => verdict === 'suspect');
  if (suspect !== undefined) {
    lines.push(
      line(
        'info',
        `To look at a suspect: orphand explain pid ${suspect.pid}; to end them: orphand clean --suspects`,
        paint,
      ),
    );
  }
  return lines;
}

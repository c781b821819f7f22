import type { Report } from '../model.ts';
import type { Link } from './chain.ts';
import { commandText, escape } from './escape.ts';
import type { Explanation } from './explain.ts';
import { line } from './format.ts';
import type { Paint } from './format.ts';
import { containerText, portState } from './words.ts';

type Explained = Explanation['processes'][number];

/** A held port for people: its sockets, its connections, and each of its holders. */
export function explainPort(
  { port, connections, processes }: Explanation,
  report: Report,
  paint: Paint,
): string {
  if (port === null) return '';
  const { text, tone } = portState(port, report);
  const states = Object.entries(connections)
    .filter(([state]) => state !== 'LISTEN')
    .map(([state, number]) => `${number} ${state}`);
  return [
    line(tone, paint.strong(`Port ${port.port}/${port.protocol} (${port.service}) is ${text}`), paint),
    ...port.listeners.map(({ address, inode, uid, holders }) => {
      const who = holders.length === 0 ? 'no holder could be seen' : `held by ${holders.join(', ')}`;
      return `    Socket: ${address}, inode ${inode}, opened by uid ${uid}, ${who}`;
    }),
    `    Connections: ${states.length === 0 ? 'none' : states.join(', ')}`,
    ...processes.flatMap((process) => ['', explainProcess(process, report, paint)]),
  ].join('\n');
}

/** A process for people: verdict, cause, chain, evidence, cure. */
export function explainProcess({ process, chain, cure }: Explained, report: Report, paint: Paint): string {
  const { container, supervisor } = process;
  const sharing = report.processes.filter(
    (other) => other.pid !== process.pid && other.ports.some((port) => process.ports.includes(port)),
  );
  return [
    line(
      toneOf(process.verdict),
      paint.strong(`PID ${process.pid} (${escape(process.comm)}): ${process.verdict}, ${process.reason}`),
      paint,
    ),
    `    Cause: ${escape(process.cause)}`,
    ...(process.warning === null ? [] : [`    Warning: ${escape(process.warning)}`]),
    `    Command: ${commandText(process.cmdline, 1000) || `[${escape(process.comm)}]`}`,
    ...(process.exe === null ? [] : [`    Program: ${escape(process.exe)}`]),
    `    User: ${escape(process.user)} (uid ${process.uid})`,
    `    Started: ${process.startedAt}`,
    `    Cgroup: ${escape(process.cgroup)}`,
    ...(process.unit === null ? [] : [`    Unit: ${escape(process.unit)}`]),
    ...(container === null
      ? []
      : [
          `    Container: ${containerText(container)} (${escape(container.runtime)}${container.id === null ? '' : ` ${escape(container.id.slice(0, 12))}`})`,
        ]),
    ...(supervisor === null ? [] : [`    Supervisor: ${escape(supervisor.comm)} (PID ${supervisor.pid})`]),
    ...(process.ports.length === 0 ? [] : [`    Ports: ${process.ports.join(', ')}`]),
    ...(sharing.length === 0
      ? []
      : [
          `    Shares them with: ${sharing.map(({ pid, comm, verdict }) => `${pid} (${escape(comm)}, ${verdict})`).join(', ')}`,
        ]),
    ...chainLines(chain),
    `    Evidence:`,
    ...process.evidence.map(
      ({ fact, value, source }) => `      ${escape(fact)}: ${escape(value)}  [${escape(source)}]`,
    ),
    `    What to do: ${cure}`,
  ].join('\n');
}

/** A process that is none of orphand's business, for people. */
export function explainStranger(chain: readonly Link[], paint: Paint): string {
  const self = chain.at(-1);
  return [
    line('info', paint.strong(`PID ${self?.pid ?? 0} (${escape(self?.comm ?? '')}): not in scope`), paint),
    '    Cause: it holds no watched port, matches no pattern and belongs to no container of the stack',
    `    Command: ${commandText(self?.cmdline ?? [], 1000) || `[${escape(self?.comm ?? '')}]`}`,
    ...chainLines(chain),
    '    What to do: nothing',
  ].join('\n');
}

function toneOf(verdict: Explained['process']['verdict']): 'info' | 'ok' | 'warn' {
  if (verdict === 'container' || verdict === 'helper') return 'ok';
  return verdict === 'host' ? 'info' : 'warn';
}

function chainLines(chain: readonly Link[]): string[] {
  if (chain.length === 0) return [];
  return [
    '    Chain:',
    ...chain.map(({ pid, comm, startedAt, cmdline }, depth) => {
      const branch = depth === 0 ? '' : `${'  '.repeat(depth - 1)}└ `;
      return `      ${branch}${pid} ${escape(comm)}, since ${startedAt}: ${commandText(cmdline, 80)}`;
    }),
  ];
}

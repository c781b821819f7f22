import type { Report } from '../model.ts';
import type { Blast } from './blast.ts';
import type { Link } from './chain.ts';
import { commandText, escape } from './escape.ts';
import type { Explained, RuntimeAnswer } from './explain-facts.ts';
import type { Explanation } from './explain.ts';
import { line } from './format.ts';
import type { Paint } from './format.ts';
import { engineText } from './stack.ts';
import type { Waiting } from './waiting.ts';
import { containerText, count, portState } from './words.ts';

/** A held port for people: its sockets, its connections, and each of its holders. */
export function explainPort(
  { port, connections, waiting, publishers, processes }: Explanation,
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
    // UDP has none: every socket that is bound to the port is listed.
    ...(port.protocol === 'udp'
      ? []
      : [`    Connections: ${states.length === 0 ? 'none' : states.join(', ')}`]),
    ...(publishers === null ? [] : [`    Published by: ${publishersText(publishers)}`]),
    ...waiting.map((each) => waitingLine(each, processes)),
    ...processes.flatMap((process) => ['', explainProcess(process, report, paint)]),
  ].join('\n');
}

/** A process for people: verdict, cause, chain, evidence, cure. */
export function explainProcess(explained: Explained, report: Report, paint: Paint): string {
  const { process, chain, runtime, blast, cure } = explained;
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
    ...runtimeLines(runtime),
    `    Evidence:`,
    ...process.evidence.map(
      ({ fact, value, source }) => `      ${escape(fact)}: ${escape(value)}  [${escape(source)}]`,
    ),
    ...(blast === null
      ? []
      : [
          `    Ending it (${escape(blast.by)}) would end ${count(blast.processes.length, 'process', 'processes')}: ${pidsAndNames(blast)}`,
          `    Ports that would free: ${blast.ports.length === 0 ? 'none' : blast.ports.join(', ')}`,
        ]),
    `    What to do: ${cure}`,
  ].join('\n');
}

function pidsAndNames({ processes }: Blast): string {
  const named = processes.slice(0, 12).map(({ pid, comm }) => `${pid} (${escape(comm)})`);
  return `${named.join(', ')}${processes.length > 12 ? ' …' : ''}`;
}

/** Of a free port: a container is in a crash loop, and the port is not why. */
export function waitingElsewhere(waiting: Waiting, paint: Paint): string {
  const name = escape(waiting.name);
  return line(
    'warn',
    `${name} (${engineText(waiting.runtime, waiting.user)}) was restarted ${count(waiting.restartCount, 'time')}, and not because of this port: ${waiting.runtime} logs ${name}`,
    paint,
  );
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

function publishersText(publishers: NonNullable<Explanation['publishers']>): string {
  if (publishers.length === 0) return 'no container that runs: its forwarder may be left over';
  return publishers
    .map(({ runtime, user, name }) => `${escape(name)} (${engineText(runtime, user)})`)
    .join(', ');
}

/** The crash loop in words: who waits, and what ends it. */
function waitingLine(waiting: Waiting, processes: readonly Explained[]): string {
  const { runtime, user, name, restartCount, startedAt, why } = waiting;
  const last = startedAt === null ? '' : `, last at ${escape(startedAt)}`;
  const orphan = processes.some(({ process }) => process.verdict === 'orphan' && process.inScope);
  const then = orphan ? '; once the orphan has gone, its next restart comes up' : '';
  return `    Waits for it: ${escape(name)} (${engineText(runtime, user)}), restarted ${count(restartCount, 'time')}${last}: ${escape(why)}${then}`;
}

function runtimeLines(runtime: RuntimeAnswer | null): string[] {
  if (runtime === null) return [];
  const { state, pid, restartCount, answers } = runtime;
  const more = [
    ...(pid === null ? [] : [`process ${pid}`]),
    ...(restartCount === null ? [] : [`restarted ${count(restartCount, 'time')}`]),
  ];
  return [
    `    Runtime says: ${[state, ...more].join(', ')}`,
    ...answers.map(
      ({ fact, value, source }) => `      ${escape(fact)}: ${escape(value)}  [${escape(source)}]`,
    ),
  ];
}

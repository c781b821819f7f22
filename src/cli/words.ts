import type { Report, ReportedPort, ReportedProcess, Verdict, WatchedPort } from '../model.ts';
import { escape } from './escape.ts';
import type { Tone } from './terminal.ts';

/** What a finding says of a process, before the clean-up (a report's) or during it (a target's). */
export type Finding = Pick<
  ReportedProcess,
  'pid' | 'comm' | 'cmdline' | 'verdict' | 'reason' | 'cause' | 'ports'
>;

const adjectives: Readonly<Record<Verdict, string>> = {
  orphan: 'orphaned',
  suspect: 'suspect',
  unknown: 'unknown',
  container: 'container',
  helper: 'runtime',
  host: 'host',
};

const tones: Readonly<Record<Verdict, Tone>> = {
  orphan: 'warn',
  suspect: 'warn',
  unknown: 'warn',
  container: 'ok',
  helper: 'ok',
  host: 'info',
};

const gravest: readonly Verdict[] = ['orphan', 'suspect', 'unknown', 'host', 'helper', 'container'];

/** `1 process`, `3 processes` */
export function count(number: number, one: string, many = `${one}s`): string {
  return `${number} ${number === 1 ? one : many}`;
}

/** `PID 7`, `PIDs 7, 8 and 12 more` */
export function pidsText(pids: readonly number[]): string {
  const named = pids.slice(0, 8).join(', ');
  const more = pids.length > 8 ? ` and ${pids.length - 8} more` : '';
  return `${pids.length === 1 ? 'PID' : 'PIDs'} ${named}${more}`;
}

/** What people call the container of a process: its name, or the start of its id. */
export function containerText(container: NonNullable<ReportedProcess['container']>): string {
  return escape(container.name ?? container.id?.slice(0, 12) ?? container.runtime);
}

/** A process in a few safe words: `orphan python3`, `live container local-ai-aidb`, `nginx.service (nginx)`. */
export function processText(process: ReportedProcess): string {
  const comm = escape(process.comm);
  switch (process.verdict) {
    case 'container':
      return process.container === null
        ? `container process ${comm}`
        : `live container ${containerText(process.container)} (${comm})`;
    case 'host':
      return process.unit === null ? `host process ${comm}` : `${escape(process.unit)} (${comm})`;
    case 'helper':
      return `runtime process ${comm}`;
    case 'unknown':
      return `unknown process ${comm}`;
    case 'orphan':
    case 'suspect':
      return `${process.verdict} ${comm}`;
  }
}

/** `orphaned aidb-http process on port 8091`, with the names that the watched ports have. */
export function findingText(process: Finding, watched: readonly WatchedPort[]): string {
  const held = watched.filter(({ port }) => process.ports.includes(port));
  const numbers = [...new Set(process.ports)];
  const services = [...new Set(held.map(({ service }) => service))].join(', ');
  const name = services === '' ? escape(process.comm) : services;
  // A process may hold ports that could not be read: that it holds none is not said.
  const where =
    numbers.length === 0 ? '' : ` on port${numbers.length === 1 ? '' : 's'} ${numbers.join(', ')}`;
  return `${adjectives[process.verdict]} ${name} process${where}`;
}

/** `8091`, and `5353/udp` for what is not the usual. */
export function portText({ port, protocol }: Pick<WatchedPort, 'port' | 'protocol'>): string {
  return protocol === 'tcp' ? String(port) : `${port}/${protocol}`;
}

/** A port's state in words, and how it is to be taken: `held by orphan python3 (PIDs 7, 8)`. */
export function portState(port: ReportedPort, report: Report): { text: string; tone: Tone } {
  if (port.state === 'free') return { text: 'free', tone: 'ok' };
  const pids = new Set(port.listeners.flatMap(({ holders }) => holders));
  const holders = report.processes.filter(({ pid }) => pids.has(pid));
  const groups = new Map<string, number[]>();
  for (const verdict of gravest) {
    for (const holder of holders) {
      if (holder.verdict !== verdict) continue;
      const text = processText(holder);
      groups.set(text, [...(groups.get(text) ?? []), holder.pid]);
    }
  }
  const known = new Set(holders.map(({ pid }) => pid));
  const unreported = [...pids].filter((pid) => !known.has(pid));
  if (unreported.length > 0) groups.set('a process that has no verdict', unreported);
  const parts = [...groups].map(([text, group]) => `${text}, ${pidsText(group)}`);
  const hidden = port.listeners.some((listener) => listener.holders.length === 0);
  if (hidden) parts.push('a process that could not be seen');
  const worst = gravest.find((verdict) => holders.some((holder) => holder.verdict === verdict));
  const tone = hidden || unreported.length > 0 || worst === undefined ? 'warn' : tones[worst];
  return { text: `held by ${parts.join('; and by ')}`, tone };
}

import type { Report, ReportedPort, ReportedProcess } from '../model.ts';
import { attention } from './attention.ts';
import { cureOf, systemctl } from './cure.ts';
import { escape } from './escape.ts';
import { containerText, portState, portText } from './words.ts';

/** A watched port that is held, by whom, and what would free it; for people. */
export interface HeldPort {
  port: number;
  protocol: ReportedPort['protocol'];
  service: string;
  /** `held by nginx.service (nginx), PID 812` */
  text: string;
  /** What would free it; of several holders, joined by `; and `. */
  cure: string;
}

/** The watched ports that are held; `lost`: ids of containers that their engine does not count as running. */
export function heldPorts(report: Report, lost: ReadonlySet<string> = new Set()): HeldPort[] {
  return report.ports
    .filter(({ state }) => state === 'held')
    .map((port) => ({
      port: port.port,
      protocol: port.protocol,
      service: port.service,
      text: portState(port, report).text,
      cure: cureFor(port, report, lost),
    }));
}

/** `Port 8080 (llama-cpp) is held by nginx.service (nginx), PID 812. To free it: systemctl stop nginx.service` */
export function heldText(held: HeldPort): string {
  return `Port ${portText(held)} (${held.service}) is ${held.text}. To free it: ${held.cure}`;
}

/** What would free a port that a process holds: of what is alive too, which `cureOf` leaves as it is. */
export function freeing(process: ReportedProcess, lost: ReadonlySet<string>): string {
  const { container, verdict, unit, reason } = process;
  switch (verdict) {
    case 'container':
      if (container === null) return cureOf(process);
      if (reason === 'runtime-lost-track' || lost.has(container.id ?? '')) return findAgain(process);
      return `${stopCommand(process)} ${containerText(container)}`;
    case 'helper':
      return 'stop the container that publishes it (podman ps, docker ps)';
    case 'host':
      if (reason === 'protected') return cureOf(process);
      if (unit !== null) return `${systemctl(process)} stop ${escape(unit)}`;
      return `end it the way it was started: it is ${escape(process.user)}'s`;
    case 'orphan':
    case 'suspect':
    case 'unknown':
      return cureOf(process);
  }
}

function cureFor(port: ReportedPort, report: Report, lost: ReadonlySet<string>): string {
  const pids = new Set(port.listeners.flatMap(({ holders }) => holders));
  const holders = report.processes.filter(({ pid }) => pids.has(pid));
  const unseen = attention(report).holderless.includes(port);
  const cures = [
    ...holders.map((process) => freeing(process, lost)),
    ...(unseen ? [report.privileged ? `orphand explain port ${port.port}` : 'run with sudo to see who'] : []),
  ];
  return cures.length === 0 ? 'look again: orphand scan' : [...new Set(cures)].join('; and ');
}

/** A second life makes the first an orphan by the runtime's own record; stopped it can be again then. */
function findAgain({ container, ports }: ReportedProcess): string {
  const runtime = container?.runtime === 'docker' ? 'docker' : 'podman';
  const name = container === null ? 'NAME' : containerText(container);
  const where = ports.length === 0 ? '' : ` --ports ${ports.join(',')}`;
  return `${runtime} lost track of it, so: ${runtime} restart ${name}, then orphand clean${where}, then ${runtime} stop ${name}`;
}

function stopCommand({ container, uid, user }: ReportedProcess): string {
  const runtime = container?.runtime;
  if (runtime === 'nspawn') return 'machinectl stop';
  if (runtime !== 'podman' && runtime !== 'docker')
    return `stop it through ${escape(runtime ?? 'its runtime')}:`;
  // A rootless container's processes are its user's, or of the user's subordinate ids.
  return uid === 0 || runtime === 'docker'
    ? `${runtime} stop`
    : `as its owner (${escape(user)}): ${runtime} stop`;
}

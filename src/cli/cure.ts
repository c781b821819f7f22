import type { ReportedProcess } from '../model.ts';
import { containerText } from './words.ts';
import { escape } from './escape.ts';

/** What a person can do about a process, in words and commands. */
export function cureOf(process: ReportedProcess): string {
  const { pid, ports, reason, verdict } = process;
  const where = ports.length === 0 ? '' : ` --ports ${ports.join(',')}`;
  switch (verdict) {
    case 'orphan':
      return process.inScope
        ? `orphand clean${where}`
        : "nothing by orphand: it is not the stack's (add its container's name to containers.names if it is)";
    case 'suspect':
      return process.inScope
        ? `check the evidence; if it is not needed: orphand clean --suspects${where}`
        : "nothing by orphand: it is not the stack's";
    case 'unknown':
      return `run again with sudo: orphand explain pid ${pid}`;
    case 'helper':
      return 'nothing to do: it belongs to the container runtime';
    case 'container':
      return containerCure(process);
    case 'host':
      if (reason === 'protected') return 'nothing to do: orphand never touches it';
      if (process.unit !== null)
        return `nothing to do, or to free the port: ${systemctl(process)} stop ${escape(process.unit)}`;
      return `nothing to do, or end it the way it was started, if its port is needed: it is ${escape(process.user)}'s`;
  }
}

function containerCure({ container, reason }: ReportedProcess): string {
  if (reason !== 'runtime-lost-track') return 'nothing to do: it is alive and has a supervisor';
  const runtime = container?.runtime === 'docker' ? 'docker' : 'podman';
  const name = container === null ? 'NAME' : containerText(container);
  return `it is alive: orphand leaves it. When it may stop, restart it through its runtime: ${runtime} restart ${name}`;
}

/** The systemctl that reaches a unit: units of a user's manager are below user@UID.service in the cgroup tree. */
export function systemctl({ cgroup, user }: ReportedProcess): string {
  return cgroup.includes('/user@') ? `systemctl --user -M ${escape(user)}@` : 'systemctl';
}

import type { Config } from '../config/config.ts';
import type { ListedContainer } from '../container/runtimes/listed.ts';
import type { Report, ReportedPort, ReportedProcess } from '../model.ts';
import { matchesGlob } from '../scan/stack-match.ts';
import { isOfStack } from './stack.ts';

/** Whose a port is, as far as somebody who wants to start the stack has to know. */
export type Claim = 'free' | 'stack' | 'orphan' | 'suspect' | 'other' | 'unknown';

// Of several holders the one that takes most to get rid of decides.
const gravest: readonly Claim[] = ['unknown', 'other', 'suspect', 'orphan', 'stack', 'free'];

/** Whether whose a port is can't be told without what the engines list: labels, and which container a forwarder serves. */
export function needsListing(report: Report, { containers }: Config): boolean {
  const byLabel = containers.labels.length > 0 || containers.projects.length > 0;
  return holdersOf(report).some(
    (process) =>
      process.verdict === 'helper' ||
      (process.verdict === 'container' &&
        !namedAsStack(process, containers.names) &&
        (byLabel || process.container?.name === null)),
  );
}

/** Whose a port is: nobody's, a live container's of the stack, an orphan's, somebody else's, or not to be told. */
export function claimOf(
  port: ReportedPort,
  report: Report,
  config: Config,
  listed: readonly ListedContainer[],
): Claim {
  if (port.state === 'free') return 'free';
  const claims = port.listeners.flatMap(({ holders }): Claim[] =>
    holders.length === 0
      ? ['unknown']
      : holders.map((pid) => {
          const process = report.processes.find((each) => each.pid === pid);
          return process === undefined ? 'unknown' : claimOfProcess(process, port, config, listed);
        }),
  );
  return gravest.find((claim) => claims.includes(claim)) ?? 'unknown';
}

function claimOfProcess(
  process: ReportedProcess,
  { port, protocol }: ReportedPort,
  config: Config,
  listed: readonly ListedContainer[],
): Claim {
  switch (process.verdict) {
    case 'orphan':
    case 'suspect':
    case 'unknown':
      return process.verdict;
    case 'host':
      return 'other';
    case 'container': {
      if (namedAsStack(process, config.containers.names)) return 'stack';
      const found = listed.find(({ id }) => id === process.container?.id);
      return found !== undefined && isOfStack(found, config) ? 'stack' : 'other';
    }
    case 'helper':
      // docker-proxy, rootlessport, or the conmon that keeps the port for the forwarding rules.
      return listed.some(
        (container) =>
          container.state === 'running' &&
          container.published.some((each) => each.port === port && each.protocol === protocol) &&
          isOfStack(container, config),
      )
        ? 'stack'
        : 'other';
  }
}

function namedAsStack({ container }: ReportedProcess, names: readonly string[]): boolean {
  const name = container?.name;
  return name !== null && name !== undefined && names.some((glob) => matchesGlob(name, glob));
}

function holdersOf({ ports, processes }: Report): ReportedProcess[] {
  const pids = new Set(ports.flatMap(({ listeners }) => listeners.flatMap(({ holders }) => holders)));
  return processes.filter(({ pid }) => pids.has(pid));
}

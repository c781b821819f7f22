import type { Protocol } from '../../model.ts';
import { parseInspection, type Inspection } from './inspection.ts';

/** A container as its engine lists it: what stopping, waiting for ports and learning a stack need to know. */
export interface ListedContainer extends Inspection {
  /** Shares the host's network, so that its ports are the host's. */
  hostNetwork: boolean;
  /** Host ports that the engine forwards to it. */
  published: { port: number; protocol: Protocol }[];
  /** `always`, `on-failure`, `unless-stopped`; undefined: none. */
  restartPolicy: string | undefined;
  /** RFC 3339; undefined: never. */
  startedAt: string | undefined;
  exitCode: number | undefined;
  conmonPid: number | undefined;
  /** Program and arguments. */
  command: string[];
  env: string[];
  /** Program and arguments of its health check, `CMD` or `CMD-SHELL` first. */
  healthCheck: string[];
}

/** What `container inspect` of several containers printed; undefined where that is no list. A pod's infra container is left out. */
export function parseListed(value: unknown): ListedContainer[] | undefined {
  if (!Array.isArray(value)) return undefined;
  return value.flatMap((each: unknown) => {
    const inspection = parseInspection(each);
    const all = record(each);
    return inspection === undefined || all['IsInfra'] === true ? [] : [listed(inspection, all)];
  });
}

function listed(inspection: Inspection, all: Record<string, unknown>): ListedContainer {
  const [config, host, state] = [record(all['Config']), record(all['HostConfig']), record(all['State'])];
  const policy = record(host['RestartPolicy'])['Name'];
  const { StartedAt: startedAt, ExitCode: exitCode, ConmonPid: conmon } = state;
  return {
    ...inspection,
    hostNetwork: host['NetworkMode'] === 'host',
    published: publishedBy(host['PortBindings'], record(all['NetworkSettings'])['Ports']),
    restartPolicy: typeof policy === 'string' && policy !== '' && policy !== 'no' ? policy : undefined,
    conmonPid: typeof conmon === 'number' && conmon > 0 ? conmon : undefined,
    // Go's zero time: never.
    startedAt: typeof startedAt === 'string' && !startedAt.startsWith('0001-') ? startedAt : undefined,
    exitCode: typeof exitCode === 'number' ? exitCode : undefined,
    command: [...strings([all['Path']]), ...strings(all['Args'])],
    env: strings(config['Env']),
    healthCheck: strings(record(config['Healthcheck'])['Test']),
  };
}

/** `{"80/tcp": [{"HostPort": "8080"}]}`, as bound in the settings and as in effect (a port that the engine chose). */
function publishedBy(...maps: unknown[]): ListedContainer['published'] {
  const found = new Map<string, { port: number; protocol: Protocol }>();
  for (const [inside, bindings] of maps.flatMap((map) => Object.entries(record(map)))) {
    const protocol = inside.endsWith('/udp') ? 'udp' : 'tcp';
    for (const binding of Array.isArray(bindings) ? (bindings as unknown[]) : []) {
      const port = Number(record(binding)['HostPort']);
      if (Number.isInteger(port) && port > 0) found.set(`${port}/${protocol}`, { port, protocol });
    }
  }
  return [...found.values()];
}

function strings(value: unknown): string[] {
  return Array.isArray(value) ? value.filter((each): each is string => typeof each === 'string') : [];
}

function record(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
}

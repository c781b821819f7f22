import { interpolateAll } from './compose-variables.ts';
import type { Variables } from './compose-variables.ts';
import { emptyLearned, merge, serviceName } from './learned.ts';
import type { Learned } from './learned.ts';
import { sharedLabels } from './shared-labels.ts';
import { patternOf } from './pattern-of.ts';
import { portsInCommand, portsInEnvironment, portsInHealthCheck } from './ports-in.ts';
import type { NamedPort } from './ports-in.ts';

/** A compose file can't be used; the message ends a sentence that begins with its name. */
export class ComposeError extends Error {
  override readonly name = 'ComposeError';
}

/** What a compose file says of the services that share the host's network. Throws ComposeError where it is none. Pure. */
export function fromCompose(file: unknown, variables: Variables, directory: string): Learned {
  const { name, services } = record(interpolateAll(file, variables));
  if (typeof services !== 'object' || services === null || Array.isArray(services)) {
    throw new ComposeError('no compose file: it has no `services:`');
  }
  const all = Object.entries(services).map(([key, service]) => [key, record(service)] as const);
  const host = all.filter(([, service]) => service['network_mode'] === 'host');
  if (host.length === 0) throw new ComposeError('no service in it has `network_mode: host`');
  const project = projectName(
    typeof name === 'string' && name !== '' ? name : variables['COMPOSE_PROJECT_NAME'],
    directory,
  );
  const labels = sharedLabels(host.map(([, service]) => pairs(service['labels'])));
  const remarks = all
    .filter(([, service]) => service['extends'] !== undefined)
    .map(([key]) => `${key}: what it extends was not read`);
  return merge(...host.map(([key, service]) => fromService(key, service)), {
    ...emptyLearned(),
    labels,
    projects: [{ value: project, from: 'the compose project' }],
    remarks,
  });
}

function fromService(key: string, service: Record<string, unknown>): Learned {
  const environment = pairs(service['environment']);
  const command = [...words(service['entrypoint']), ...words(service['command'])];
  const healthCheck = words(record(service['healthcheck'])['test']);
  const listed = [...list(service['ports']), ...list(service['expose'])].flatMap(portOf);
  const found: NamedPort[] = [
    ...portsInEnvironment(environment),
    ...portsInCommand(command),
    ...portsInHealthCheck(healthCheck),
    ...listed,
  ];
  const pattern = patternOf(command);
  const name = service['container_name'];
  return merge({
    ...emptyLearned(),
    ports: found.map(({ port, from }) => ({
      value: { port, protocol: 'tcp', service: serviceName(key) },
      from: `${key}: ${from}`,
    })),
    patterns: pattern === undefined ? [] : [{ value: pattern, from: key }],
    names: typeof name === 'string' && name !== '' ? [{ value: name, from: key }] : [],
    remarks: found.length === 0 ? [`${key}: no port is named in it, add those that it listens on`] : [],
  });
}

/** As compose makes it of a directory's name. */
function projectName(given: string | undefined, directory: string): string {
  const text = given ?? directory.split('/').at(-1) ?? '';
  const name = text
    .toLowerCase()
    .replace(/[^a-z0-9_-]/g, '')
    .replace(/^[_-]+/, '');
  return name === '' ? 'default' : name;
}

/** `8080`, `8080:80`, `127.0.0.1:8080:80/tcp`, `{published: 8080, target: 80}`: on the host's network the container's own. */
function portOf(entry: unknown): NamedPort[] {
  const target = typeof entry === 'object' && entry !== null ? record(entry)['target'] : entry;
  const [, port] = /(?:^|:)(\d{1,5})(?:\/tcp)?$/.exec(String(target)) ?? [];
  const number = Number(port ?? 0);
  return number >= 1 && number <= 65_535 ? [{ port: number, from: 'ports' }] : [];
}

/** `{A: 1}` and `[A=1]` alike. */
function pairs(value: unknown): Record<string, string> {
  const entries = Array.isArray(value)
    ? value.map((each: unknown) => {
        const text = String(each);
        const at = text.indexOf('=');
        return at < 0 ? ([text, ''] as const) : ([text.slice(0, at), text.slice(at + 1)] as const);
      })
    : Object.entries(record(value)).map(([key, each]) => [key, scalar(each)] as const);
  return Object.fromEntries(entries);
}

/** A command as a list, or as a text that a shell would split: quotes are taken off, nothing else is done. */
function words(value: unknown): string[] {
  if (Array.isArray(value)) return value.map(scalar);
  if (typeof value !== 'string') return [];
  return [...value.matchAll(/"([^"]*)"|'([^']*)'|(\S+)/g)].map(
    ([, double, single, plain]) => double ?? single ?? plain ?? '',
  );
}

function scalar(value: unknown): string {
  return typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean'
    ? String(value)
    : '';
}

function list(value: unknown): unknown[] {
  return Array.isArray(value) ? value : [];
}

function record(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
    ? (value as Record<string, unknown>)
    : {};
}

import type { Known } from './answer.ts';

type State = Known['state'];

/** What `inspect` says of a container (docker's API, podman's compatible one, and both CLIs print the same fields). */
export type Inspection = Pick<Known, 'id' | 'state' | 'pid' | 'name' | 'labels' | 'restartCount'>;

/** Reads an inspect object; undefined where it is none, which is no answer. */
export function parseInspection(value: unknown): Inspection | undefined {
  const { Id, ID, State, Name, Config, RestartCount } = record(value);
  const id = Id ?? ID;
  const state = record(State);
  if (typeof id !== 'string' || typeof state['Status'] !== 'string') return undefined;
  return {
    id,
    state: stateOf(state['Status']),
    pid: positive(state['Pid']),
    name: nameOf(Name),
    labels: labelsOf(record(Config)['Labels']),
    restartCount: typeof RestartCount === 'number' ? RestartCount : undefined,
  };
}

/** Reads docker's own record of a container, DATA/containers/ID/config.v2.json. */
export function parseDockerConfig(text: string): Inspection | undefined {
  const config = parseJson(text);
  const { ID, State, Name, Config, RestartCount } = record(config);
  if (typeof ID !== 'string' || typeof State !== 'object' || State === null) return undefined;
  const state = record(State);
  return {
    id: ID,
    state: recordedState(state),
    pid: positive(state['Pid']),
    name: nameOf(Name),
    labels: labelsOf(record(Config)['Labels']),
    restartCount: typeof RestartCount === 'number' ? RestartCount : undefined,
  };
}

/** JSON, or undefined where the text is none. */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}

function recordedState(state: Record<string, unknown>): State {
  if (state['RemovalInProgress'] === true) return 'stopping';
  if (state['Restarting'] === true) return 'restarting';
  if (state['Running'] === true) return state['Paused'] === true ? 'paused' : 'running';
  return typeof state['StartedAt'] === 'string' && state['StartedAt'].startsWith('0001-')
    ? 'created'
    : 'exited';
}

function stateOf(status: string): State {
  switch (status) {
    case 'running':
    case 'paused':
    case 'restarting':
    case 'stopping':
    case 'created':
    case 'exited':
      return status;
    case 'removing':
      return 'stopping';
    case 'configured':
    case 'initialized':
      return 'created';
    case 'stopped':
    case 'dead':
      return 'exited';
    default:
      // A word of a newer version: nothing that a verdict may rest on.
      return undefined;
  }
}

function record(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
}

function positive(value: unknown): number | undefined {
  return typeof value === 'number' && Number.isInteger(value) && value > 0 ? value : undefined;
}

function nameOf(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value.replace(/^\//, '') : undefined;
}

function labelsOf(value: unknown): Record<string, string> {
  return Object.fromEntries(
    Object.entries(record(value)).filter((pair): pair is [string, string] => typeof pair[1] === 'string'),
  );
}

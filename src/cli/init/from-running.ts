import type { ListedContainer } from '../../container/runtimes/listed.ts';
import type { Protocol } from '../../model.ts';
import { emptyLearned, merge, serviceName } from './learned.ts';
import type { Learned, Sourced } from './learned.ts';
import { patternOf } from './pattern-of.ts';
import { sharedLabels } from './shared-labels.ts';

/** A container that shares the host's network, and what its processes do. */
export interface RunningContainer {
  container: Pick<ListedContainer, 'id' | 'name' | 'labels'>;
  /** Listening sockets of its processes. */
  ports: { port: number; protocol: Protocol }[];
  commands: string[][];
}

const serviceLabels = ['com.docker.compose.service', 'io.podman.compose.service'];
const projectLabels = ['io.podman.compose.project', 'com.docker.compose.project'];

/** What running containers say of their stack. Pure. */
export function fromRunning(running: readonly RunningContainer[]): Learned {
  return merge(...running.map(fromContainer), {
    ...emptyLearned(),
    labels: sharedLabels(running.map(({ container }) => container.labels)),
  });
}

function fromContainer({ container, ports, commands }: RunningContainer): Learned {
  const { id, name = id.slice(0, 12), labels } = container;
  const service = serviceLabels.map((key) => labels[key]).find((each) => each !== undefined) ?? name;
  const patterns = commands.flatMap((command): Sourced<string>[] => {
    const pattern = patternOf(command);
    return pattern === undefined ? [] : [{ value: pattern, from: name }];
  });
  const project = projectLabels.map((key) => labels[key]).find((each) => each !== undefined && each !== '');
  return {
    ports: ports.map((each) => ({ value: { ...each, service: serviceName(service) }, from: name })),
    patterns,
    names: container.name === undefined ? [] : [{ value: container.name, from: '' }],
    labels: [],
    projects: project === undefined ? [] : [{ value: project, from: 'a compose project' }],
    remarks: ports.length === 0 ? [`${name}: it listens on no port now`] : [],
  };
}

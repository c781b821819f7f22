import { startContainer, type Container, type Podman } from './podman.ts';
import { httpd } from './server.ts';
import { served } from './serving.ts';

/** Three of the reference stack's services, with the names and ports that it gives them. */
export const stackServices = [
  { name: 'local-ai-aidb', port: 8091 },
  { name: 'local-ai-open-webui', port: 3001 },
  { name: 'local-ai-qdrant', port: 6333 },
] as const;

/** Starts the three as containers on the host's network, and waits until they serve. */
export async function startStack(
  podman: Podman,
  flags: readonly string[] = ['--restart=always'],
  services: readonly { name: string; port: number }[] = stackServices,
): Promise<Container[]> {
  const containers = [];
  for (const { name, port } of services)
    containers.push(await startContainer(podman, name, flags, httpd(port)));
  await served(podman.host, ...services.map(({ port }) => port));
  return containers;
}

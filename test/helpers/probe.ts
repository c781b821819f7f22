import { build } from 'esbuild';
import { join } from 'node:path';
import type { ReleaseRequest, Release } from '../../src/container/runtimes/release.ts';
import type { ContainerView, Provenance, RuntimeStatus, Supervisor } from '../../src/model.ts';
import type { Host } from './lab/host.ts';
import { repository } from './lab/host.ts';

/** What src/container says of one process, asked on its own host. */
export interface Probe {
  cgroup: { runtime: string; id: string } | undefined;
  mounts: Provenance | undefined;
  helper: string | undefined;
  /** The process itself and all above it that keep a container. */
  supervisors: Supervisor[];
  view: ContainerView | undefined;
  names: { name: string | undefined; labels: Record<string, string> } | undefined;
  statuses: RuntimeStatus[];
}

export interface ProbeOptions {
  cli?: boolean;
  recordOnly?: boolean;
  labels?: boolean;
  /** As if cgroup or mounts said nothing. */
  without?: 'cgroup' | 'mounts';
  user?: string;
}

/** Bundles the probe for a host, which has no loader for TypeScript. */
export async function openProbe(host: Host): Promise<{
  look(pid: number, options?: ProbeOptions): Promise<Probe>;
  release(request: ReleaseRequest): Promise<Release>;
}> {
  const outfile = join(host.dir, 'probe.mjs');
  await build({
    entryPoints: [join(repository, 'test/helpers/probe-main.ts')],
    outfile,
    bundle: true,
    platform: 'node',
    format: 'esm',
    logLevel: 'error',
  });
  const run = async (request: object, user?: string): Promise<unknown> => {
    const argv = [host.orphand[0], outfile, JSON.stringify(request)];
    return JSON.parse(await host.ok(argv, user === undefined ? {} : { user }));
  };
  return {
    look: async (pid, { user, ...options } = {}) => (await run({ pid, ...options }, user)) as Probe,
    release: async (request) => (await run({ release: request })) as Release,
  };
}

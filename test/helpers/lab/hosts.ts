import type { Test } from 'tap';
import { privateHost, views, type Host, type View } from './host.ts';
import { systemdHost } from './systemd.ts';

/** A host with this machine's cgroup tree, with a pure v2 tree, or with systemd as pid 1 and as cgroup manager. */
export type HostKind = View | 'systemd';

/** Every kind of host that podman's cases run on. */
export const hostKinds = (): HostKind[] => [...views(), 'systemd'];

/** A host of its own for a test. */
export const openHost = (t: Test, kind: HostKind): Promise<Host> =>
  kind === 'systemd' ? systemdHost(t) : privateHost(t, kind);

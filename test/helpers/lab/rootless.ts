import { mkdirSync, writeFileSync } from 'node:fs';
import { containersConf, openPodman, type Podman } from './podman.ts';
import type { Host } from './host.ts';

/** A user of a host, who can run containers of their own. */
export interface User {
  name: string;
  uid: number;
  home: string;
  /** XDG_RUNTIME_DIR; a login would make it, here the test does. */
  runtimeDir: string;
}

/** Adds a user to a private host: with a home, subordinate ids and a run-time folder. */
export async function addUser(host: Host, name = 'alice'): Promise<User> {
  await host.ok(['useradd', '--create-home', '--shell', '/bin/bash', '--add-subids-for-system', name]);
  const uid = Number(await host.ok(['id', '-u', name]));
  const user = { name, uid, home: `/home/${name}`, runtimeDir: `/run/user/${uid}` };
  await host.ok(['install', '-d', '-o', name, '-g', name, '-m', '700', user.runtimeDir]);
  return user;
}

/**
 * Rootless podman of a user, with systemd's cgroups where the user's manager runs. On a hybrid cgroup tree crun refuses
 * to run, so runc is used there.
 */
export async function rootlessPodman(
  host: Host,
  user: User,
  manager: 'cgroupfs' | 'systemd' = 'cgroupfs',
): Promise<Podman> {
  const runtime = host.name === 'native' ? 'runc' : 'crun';
  const folder = `${user.home}/.config/containers`;
  mkdirSync(host.path(folder), { recursive: true });
  writeFileSync(host.path(`${folder}/containers.conf`), containersConf(runtime, manager));
  await host.ok(['chown', '-R', `${user.name}:`, `${user.home}/.config`]);
  return openPodman(host, {
    user: user.name,
    tmpDir: `${user.runtimeDir}/libpod/tmp`,
    runcRoot: `${user.runtimeDir}/${runtime}`,
  });
}

/** What a logout leaves of the user's run-time folder: nothing. Containers run on under their conmon. */
export async function logOut(host: Host, user: User): Promise<void> {
  await host.ok(['find', user.runtimeDir, '-mindepth', '1', '-delete']);
}

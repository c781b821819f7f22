import type { ContainerState, ContainerStore, Provenance, Supervisor } from '../../model.ts';

/** Which container of which process the runtimes are asked about. */
export interface ContainerQuery {
  provenance: Provenance;
  /** Effective uid of the process. */
  uid: number;
  /** The process and its ancestors. */
  pids: number[];
  supervisor?: Supervisor;
}

/** Who answered: one engine of one user, by one of its ways. */
export interface Source {
  runtime: 'podman' | 'docker' | 'nspawn';
  user: string;
  via: 'record' | 'socket' | 'cli';
  /** The file, socket or command that says so. */
  source: string;
}

/** What a source knows of a container. */
export interface Known extends Source {
  result: 'known';
  id: string;
  /** undefined: listed, but where its instance is recorded could not be found or read. */
  state: Exclude<ContainerState, 'absent' | 'silent' | 'not-installed'> | undefined;
  pid: number | undefined;
  name: string | undefined;
  labels: Record<string, string>;
  restartCount: number | undefined;
  /** How that is known, where the source does not say it all: `pid 12 in /run/…/pidfile has ended`. */
  note?: string;
}

/** A source that answered and does not know the container. */
export interface Absent extends Source {
  result: 'absent';
}

/** A source that did not answer, which is not an empty answer. */
export interface Silent extends Source {
  result: 'silent';
  reason: string;
}

export type Answer = Known | Absent | Silent;

/** How far a question goes. */
export interface ViewOptions {
  /** Read records only, ask no engine: for a container that is supervised, whose state nobody needs. */
  recordOnly?: boolean;
  /** Ask podman although its record is enough: labels are not in it. */
  labels?: boolean;
}

/** Whether an engine is to be asked after its record: that it runs, or nothing, is worth a second word; what it does not list, or has ended, is not. */
export function needsAsking(record: Answer, labels: boolean): boolean {
  switch (record.result) {
    case 'silent':
      return true;
    case 'absent':
      return false;
    case 'known':
      return labels || (record.state !== 'exited' && record.state !== 'created');
  }
}

/** The graph or data root that a process's mounts name, if it can be this engine's; undefined where they name none. */
export function namedRoot({ provenance }: ContainerQuery, engine: 'podman' | 'docker'): string | undefined {
  const { store } = provenance;
  return store === undefined || store.root === '' || !mayBeOf(engine, store) ? undefined : store.root;
}

/** Whether a store can be an engine's, by its driver. A cgroup of podman's with docker's store is a docker inside a container. */
export function mayBeOf(engine: 'podman' | 'docker', { driver }: ContainerStore): boolean {
  if (driver === 'vfs' || driver === 'btrfs' || driver === 'zfs') return true;
  return (driver === 'overlay') === (engine === 'podman');
}

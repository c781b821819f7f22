import type { ContainerView, ProcessFacts, Provenance, Supervisor } from '../../src/model.ts';

/** Facts of an ordinary host process, with what a case changes. */
export function facts(changes: Partial<ProcessFacts> = {}): ProcessFacts {
  return {
    pid: 4168,
    startTime: 1000,
    startedAt: '2026-11-25T10:00:10.000Z',
    ppid: 1,
    state: 'S',
    uid: 0,
    user: 'root',
    comm: 'python3',
    cmdline: ['python3', '-u', '/app/server.py', '--config', '/app/config.yaml'],
    exe: '/usr/bin/python3',
    cgroup: '/',
    unit: undefined,
    ancestors: [{ pid: 1, ppid: 0, comm: 'systemd', startTime: 1 }],
    liveParent: undefined,
    container: undefined,
    supervisor: undefined,
    view: undefined,
    currentInstance: 'none',
    helper: undefined,
    superseded: undefined,
    patterns: [],
    stackRoot: undefined,
    protectedAs: undefined,
    ports: [8091],
    inScope: true,
    unreadable: [],
    ...changes,
  };
}

export const containerId = '3dc03378a9d2d3b0d109942f9b979afc59fd34d25b61f9cf8e8db1e9e45f3cf4';

export function provenance(changes: Partial<Provenance> = {}): Provenance {
  return { runtime: 'podman', id: containerId, via: 'cgroup', store: undefined, evidence: [], ...changes };
}

export function supervisor(changes: Partial<Supervisor> = {}): Supervisor {
  return {
    pid: 4158,
    comm: 'conmon',
    startTime: 900,
    containerId,
    exec: false,
    superseded: undefined,
    ...changes,
  };
}

export function view(state: ContainerView['state'], changes: Partial<ContainerView> = {}): ContainerView {
  return {
    state,
    pid: undefined,
    name: 'local-ai-aidb',
    labels: {},
    restartCount: undefined,
    evidence: [],
    ...changes,
  };
}

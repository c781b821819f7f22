import { processExample, reportExample } from '../../src/http/schemas/examples.ts';
import type { Report, ReportedPort, ReportedProcess, Verdict, WatchedPort } from '../../src/model.ts';

/** The reference stack's ports. */
export const stackPorts: WatchedPort[] = [
  { port: 8091, protocol: 'tcp', service: 'aidb-http' },
  { port: 8791, protocol: 'tcp', service: 'aidb-websocket' },
  { port: 8092, protocol: 'tcp', service: 'hybrid-coordinator' },
  { port: 8094, protocol: 'tcp', service: 'nixos-docs' },
  { port: 3001, protocol: 'tcp', service: 'open-webui' },
  { port: 8098, protocol: 'tcp', service: 'ralph-wiggum' },
  { port: 6333, protocol: 'tcp', service: 'qdrant' },
  { port: 8080, protocol: 'tcp', service: 'llama-cpp' },
  { port: 5432, protocol: 'tcp', service: 'postgres' },
  { port: 6379, protocol: 'tcp', service: 'redis' },
  { port: 47334, protocol: 'tcp', service: 'mindsdb' },
];

/** A process with every field set, a copy: tests change what is in it. */
export function sampleProcess(overrides: Partial<ReportedProcess> = {}): ReportedProcess {
  return { ...structuredClone(processExample), ...overrides };
}

/** A live container's process. */
export function liveProcess(pid: number, name: string, ports: number[], comm = name): ReportedProcess {
  return sampleProcess({
    pid,
    ppid: pid - 1,
    comm,
    cmdline: [comm],
    exe: `/usr/bin/${comm}`,
    container: { ...processExample.container!, name: `local-ai-${name}` },
    supervisor: { pid: pid - 1, comm: 'conmon' },
    ports,
    patterns: [],
    verdict: 'container',
    reason: 'supervised',
    cause: `local-ai-${name} runs: conmon ${pid - 1} keeps it`,
    evidence: [{ fact: 'supervisor', value: `conmon, pid ${pid - 1}`, source: `/proc/${pid}/stat` }],
  });
}

/** The report of a host where these processes hold these ports. */
export function sampleReport(processes: ReportedProcess[], overrides: Partial<Report> = {}): Report {
  const ports = stackPorts.map((port): ReportedPort => {
    const holders = processes.filter((process) => process.ports.includes(port.port)).map(({ pid }) => pid);
    return holders.length === 0
      ? { ...port, state: 'free', listeners: [] }
      : {
          ...port,
          state: 'held',
          listeners: [{ address: '0.0.0.0', inode: 700_000 + port.port, uid: 0, holders }],
        };
  });
  const count = (verdict: Verdict) => processes.filter((process) => process.verdict === verdict).length;
  return {
    ...structuredClone(reportExample),
    ports,
    processes,
    summary: {
      orphan: count('orphan'),
      suspect: count('suspect'),
      unknown: count('unknown'),
      container: count('container'),
      helper: count('helper'),
      host: count('host'),
    },
    ...overrides,
  };
}

/** A host with something of everything: the reference's two orphans, a suspect, live containers, a stranger, an unknown. */
export function mixedReport(): Report {
  return sampleReport(
    [
      sampleProcess(),
      sampleProcess({
        pid: 95306,
        comm: 'python3',
        cmdline: [
          '/usr/local/bin/python3',
          '-m',
          'uvicorn',
          'open_webui.main:app',
          '--host',
          '0.0.0.0',
          '--port',
          '3001',
        ],
        container: null,
        cgroup: '/user.slice/user-1000.slice/session-3.scope',
        ports: [3001],
        patterns: ['uvicorn.*open_webui\\.main:app.*3001'],
        uid: 1000,
        user: 'alice',
        reason: 'stack-process-reparented',
        cause:
          "open-webui's process 95306 lost its parent: it matches the stack, belongs to no unit, and pid 1 adopted it",
      }),
      sampleProcess({
        pid: 40111,
        comm: 'qdrant',
        cmdline: ['./qdrant'],
        container: { ...processExample.container!, name: 'local-ai-qdrant' },
        ports: [6333],
        patterns: [],
        verdict: 'suspect',
        reason: 'supervisor-dead',
        cause: 'conmon of local-ai-qdrant is dead, yet podman says that it runs',
      }),
      sampleProcess({
        pid: 51200,
        comm: 'python3',
        cmdline: ['python3', 'self_healing_daemon.py'],
        container: null,
        ports: [],
        patterns: ['self_healing_daemon\\.py'],
        reason: 'stack-process-reparented',
        cause:
          'self_healing_daemon.py (process 51200) lost its parent: it matches the stack and belongs to no unit',
      }),
      sampleProcess({
        pid: 7001,
        comm: 'llama-server',
        cmdline: ['llama-server', '--port', '8080'],
        container: null,
        ports: [8080],
        patterns: [],
        unit: 'llama.service',
        verdict: 'host',
        reason: 'systemd-unit',
        cause: 'llama.service, an active systemd unit, runs it',
      }),
      sampleProcess({
        pid: 8123,
        comm: 'postgres',
        cmdline: ['postgres'],
        exe: null,
        container: null,
        ports: [5432],
        patterns: [],
        verdict: 'unknown',
        reason: 'unreadable',
        cause: 'its parents could not be read (EACCES); run orphand as root',
      }),
      liveProcess(22011, 'aidb-websocket', [8791], 'python3'),
      liveProcess(22101, 'hybrid', [8092], 'python3'),
      liveProcess(22301, 'redis', [6379], 'redis-server'),
      liveProcess(22401, 'mindsdb', [47334], 'python3'),
    ],
    {
      runtimes: [
        { name: 'podman', user: 'root', available: true, reason: '/var/lib/containers/storage' },
        { name: 'docker', user: 'root', available: false, reason: 'no answer within 3 s' },
      ],
      unreadable: [{ pid: 8123, file: 'exe', code: 'EACCES' }],
    },
  );
}

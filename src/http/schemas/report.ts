import Type from 'typebox';
import type { Reason } from '../../model.ts';
import { Count, Named, OneOf, Ref, TextOrNull, Time } from './named.ts';

/** Every verdict, gravest first. */
export const verdicts = ['orphan', 'suspect', 'unknown', 'container', 'helper', 'host'] as const;

const reasons = [
  'supervised',
  'runtime-lost-track',
  'container-gone',
  'container-exited',
  'superseded-instance',
  'previous-instance',
  'supervisor-dead',
  'runtime-silent',
  'container-process-with-parent',
  'stack-process-reparented',
  'stack-process-with-parent',
  'systemd-unit',
  'unit-inactive',
  'not-the-stack',
  'unreadable',
  'runtime-helper',
  'protected',
] as const satisfies Reason[];

/** What a process is, in one word. */
export const VerdictName = OneOf(
  [...verdicts],
  'What the process is. Only orphans, and suspects on request, are ever ended.',
);

/** Why, as a code. */
export const ReasonName = OneOf([...reasons], 'Why the verdict was given; the codes are stable.');

/** How a port is. */
export const PortState = OneOf(['free', 'held'], 'Whether anything listens.');

/** TCP port numbers. */
export const Ports = (description: string) =>
  Type.Array(Type.Integer({ minimum: 1, maximum: 65_535 }), { description });

export const EvidenceSchema = Named('Evidence', 'One fact that a person can check.', {
  fact: Type.String({ description: 'What.' }),
  value: Type.String({ description: 'Its value.' }),
  source: Type.String({ description: 'The file or command that says so.' }),
});

export const ListenerSchema = Named('Listener', 'A listening (TCP) or bound (UDP) socket.', {
  address: Type.String({ description: 'Such as `0.0.0.0`, `127.0.0.1`, `::`.' }),
  inode: Count('Inode of the socket, as in `socket:[INODE]` of /proc/PID/fd.'),
  uid: Count('Effective uid of who created the socket.'),
  holders: Type.Array(Type.Integer(), { description: 'Pids of the processes that have it open.' }),
});

export const PortSchema = Named('Port', 'A watched port.', {
  port: Type.Integer({ minimum: 1, maximum: 65_535, description: 'The number.' }),
  protocol: OneOf(['tcp', 'udp'], 'On which protocol.'),
  service: Type.String({ description: 'What people call the service.' }),
  state: PortState,
  listeners: Type.Array(Ref(ListenerSchema)),
});

export const ProcessSchema = Named('Process', 'A process in the report, judged.', {
  pid: Count('Process id.'),
  startTime: Count('Clock ticks after boot (/proc/PID/stat, field 22): pid and startTime name one process.'),
  startedAt: Time('When it started.'),
  ppid: Count("Its parent's pid."),
  uid: Count('Real uid.'),
  user: Type.String({ description: 'Name of the uid.' }),
  comm: Type.String({ description: 'Short name (/proc/PID/comm).' }),
  cmdline: Type.Array(Type.String(), { description: 'Arguments, as the process shows them.' }),
  exe: TextOrNull('The program file.'),
  cgroup: Type.String({ description: 'The cgroup path that says most.' }),
  unit: TextOrNull('The systemd unit whose cgroup it is in.'),
  container: Type.Unsafe<{ runtime: string; id: string | null; name: string | null } | null>({
    anyOf: [
      {
        type: 'object',
        required: ['runtime', 'id', 'name'],
        properties: {
          runtime: { type: 'string', description: 'Such as `podman`, `docker`.' },
          id: TextOrNull('Container id.'),
          name: TextOrNull('Container name, where one is known.'),
        },
      },
      { type: 'null' },
    ],
    description: 'The container that it was started in.',
  }),
  supervisor: Type.Unsafe<{ pid: number; comm: string } | null>({
    anyOf: [
      {
        type: 'object',
        required: ['pid', 'comm'],
        properties: { pid: { type: 'integer' }, comm: { type: 'string' } },
      },
      { type: 'null' },
    ],
    description: 'The live process that keeps its container: conmon, a shim.',
  }),
  ports: Ports('Watched ports whose listening socket it holds.'),
  patterns: Type.Array(Type.String(), { description: 'Stack patterns that its command line matches.' }),
  inScope: Type.Boolean({ description: 'false: reported, but not the stack, so never ended.' }),
  verdict: VerdictName,
  reason: ReasonName,
  cause: Type.String({ description: 'The cause in one sentence.' }),
  warning: TextOrNull('Something a person should know although nothing will be done.'),
  evidence: Type.Array(Ref(EvidenceSchema)),
});

export const RuntimeSchema = Named('Runtime', 'A container runtime that was asked.', {
  name: Type.String({ description: 'Such as `podman`.' }),
  user: Type.String({ description: 'Whose: `root`, or the user of a rootless podman.' }),
  available: Type.Boolean({ description: 'Whether it answered.' }),
  reason: Type.String({ description: 'Why not, or where the answer came from.' }),
});

export const UnreadableSchema = Named('Unreadable', 'Something needed that could not be read.', {
  pid: Count('Whose.'),
  file: Type.String({ description: 'Which file.' }),
  code: Type.String({ description: 'Why, as errno name.' }),
});

export const SummarySchema = Named('Summary', 'How many processes have which verdict.', {
  orphan: Count('Proven orphans.'),
  suspect: Count('Strong evidence, not proof.'),
  unknown: Count('Something needed could not be read or asked.'),
  container: Count('Processes of live containers.'),
  helper: Count("The runtimes' own processes."),
  host: Count('Other processes of the host.'),
});

export const ReportSchema = Named(
  'Report',
  'The host as one scan saw it; the same object as `orphand scan --json`.',
  {
    schema: Type.Literal(1, { description: 'Version of this format.' }),
    bootId: Type.String({ description: '/proc/sys/kernel/random/boot_id' }),
    takenAt: Time('When the scan began.'),
    durationMs: Type.Number({ minimum: 0, description: 'How long it took, in milliseconds.' }),
    privileged: Type.Boolean({ description: 'Whether every process of the host could be read.' }),
    unreadable: Type.Array(Ref(UnreadableSchema)),
    runtimes: Type.Array(Ref(RuntimeSchema)),
    ports: Type.Array(Ref(PortSchema)),
    processes: Type.Array(Ref(ProcessSchema)),
    summary: Ref(SummarySchema),
  },
);

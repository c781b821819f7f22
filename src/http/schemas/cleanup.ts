import Type from 'typebox';
import { Count, Exactly, Shape, Named, OneOf, Ref, TextOrNull, Time, TimeOrNull } from './named.ts';
import { PortState, Ports, ProcessSchema, ReasonName, ReportSchema } from './report.ts';

const outcomes = ['terminated', 'killed', 'gone', 'survived', 'refused', 'planned'] as const;

const TriggerName = OneOf(['clean', 'sweep', 'boot', 'stop', 'preflight', 'api'], 'What started it.');

const TargetVerdict = OneOf(['orphan', 'suspect'], 'Only these are ever ended.');

export const ActionSchema = Named('Action', 'What was done to one process.', {
  pid: Count('Process id.'),
  startTime: Count('Clock ticks after boot: with the pid it names one process.'),
  comm: Type.String({ description: 'Short name.' }),
  verdict: TargetVerdict,
  reason: ReasonName,
  ports: Ports('Watched ports that it held.'),
  steps: Type.Array(
    Shape({
      at: Time('When.'),
      signal: Type.String({
        description: '`SIGTERM`, `SIGKILL`, `cgroup.kill`, `freezer`, `podman stop`, `podman rm`.',
      }),
    }),
    { description: 'In order; empty when nothing was sent.' },
  ),
  outcome: OneOf([...outcomes], 'How it ended; `planned` in a dry run.'),
  detail: TextOrNull('Why, for `refused` and `survived`.'),
  ms: Type.Number({ minimum: 0, description: 'How long it took, in milliseconds.' }),
});

export const CleanedPortSchema = Named('CleanedPort', 'A watched port after a clean-up.', {
  port: Type.Integer({ minimum: 1, maximum: 65_535 }),
  service: Type.String(),
  state: PortState,
  freed: Type.Boolean({ description: 'Held by a target before, and free of ours now.' }),
  ms: Type.Number({ minimum: 0, description: 'From the first signal until it was free, in milliseconds.' }),
});

export const CleanReportSchema = Named(
  'CleanReport',
  'A clean-up; the same object as `orphand clean --json`.',
  {
    id: Type.String({ description: 'Its id, also in the journal.' }),
    trigger: TriggerName,
    dryRun: Type.Boolean({ description: 'true: a plan, nothing was sent.' }),
    scan: Ref(ReportSchema),
    actions: Type.Array(Ref(ActionSchema)),
    ports: Type.Array(Ref(CleanedPortSchema)),
    remaining: Type.Array(Ref(ProcessSchema), {
      description: 'What still is an orphan, suspect or unknown, or holds a port that a target held.',
    }),
    ok: Type.Boolean({ description: 'Nothing left to do.' }),
  },
);

export const CleanupEntrySchema = Named('Cleanup', 'A clean-up in the list.', {
  id: Type.String(),
  trigger: TriggerName,
  dryRun: Type.Boolean({ description: 'true: a plan, nothing was sent.' }),
  state: OneOf(
    ['running', 'finished', 'failed', 'interrupted'],
    '`interrupted`: the journal has its intent and no outcome.',
  ),
  startedAt: Time('When it began.'),
  finishedAt: TimeOrNull('When it ended; null while it runs and where nobody knows.'),
  ok: Type.Unsafe<boolean | null>({
    type: ['boolean', 'null'],
    description: 'Nothing left to do; null until it is known.',
  }),
  outcomes: Shape(
    {
      terminated: Count('Ended after SIGTERM.'),
      killed: Count('Ended by SIGKILL or cgroup.kill.'),
      gone: Count('Ended by themselves.'),
      survived: Count('Still there.'),
      refused: Count('Not signalled: changed since they were chosen.'),
      planned: Count('Would be ended (dry run).'),
    },
    { description: 'How many processes ended how.' },
  ),
  freed: Ports('Ports that a target held and that are free now.'),
  error: TextOrNull('Why it failed.'),
});

/** Body of `POST /api/v1/cleanups`. `dryRun` has no default: nobody ends a process by leaving a word out. */
export const CleanupRequestSchema = Exactly(
  {
    dryRun: Type.Boolean({ description: 'true: only the plan. Must be given.' }),
    suspects: Type.Optional(
      Type.Boolean({ description: 'Suspects too, not only proven orphans. Absent: false.' }),
    ),
    ports: Type.Optional(
      Type.Array(Type.Integer({ minimum: 1, maximum: 65_535 }), {
        minItems: 1,
        maxItems: 1024,
        uniqueItems: true,
        description: 'Only what holds these watched ports. Absent: everything in scope.',
      }),
    ),
  },
  {
    description: 'What to clean up. Targets come from a fresh scan, never from the request.',
    examples: [{ dryRun: true }, { dryRun: false, suspects: false, ports: [8091, 3001] }],
  },
);

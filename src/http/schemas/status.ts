import Type from 'typebox';
import { Count, Shape, Named, OneOf, Ref, RefOrNull, TextOrNull, Time, TimeOrNull } from './named.ts';
import { RuntimeSchema, SummarySchema } from './report.ts';

export const SweepSchema = Named('Sweep', 'One sweep, without its report.', {
  at: Time('When it began.'),
  trigger: OneOf(['start', 'schedule', 'request', 'supervisor-death', 'confirm', 'reload'], 'Why it ran.'),
  result: OneOf(['ok', 'failed', 'skipped'], '`skipped`: due while the one before still ran.'),
  durationMs: Type.Number({ minimum: 0, description: 'How long it took, in milliseconds.' }),
  summary: RefOrNull(SummarySchema),
  error: TextOrNull('Why it failed or was skipped.'),
});

export const LimitSchema = Named(
  'Limit',
  'Something that keeps orphand from seeing or doing all it should.',
  {
    code: Type.String({ description: 'Stable, such as `unprivileged`, `runtime-silent`.' }),
    message: Type.String({ description: 'What it means here.' }),
    cure: TextOrNull('What to do about it.'),
  },
);

export const HostSchema = Named('Host', 'The machine.', {
  name: Type.String(),
  kernel: Type.String(),
  uptimeSeconds: Type.Number({ minimum: 0 }),
  load: Type.Array(Type.Number(), { description: 'Over 1, 5 and 15 minutes.' }),
  memory: Shape({
    totalBytes: Count('All of it.'),
    availableBytes: Count('What programs can still have.'),
  }),
});

export const StatusSchema = Named('Status', 'The daemon at one glance.', {
  version: Type.String({ description: 'Of orphand.' }),
  pid: Count('Of the daemon.'),
  startedAt: Time('When the daemon started.'),
  healthy: Type.Boolean({ description: 'A sweep finished within the last three intervals.' }),
  ready: Type.Boolean({ description: 'The first sweep has finished.' }),
  problem: TextOrNull('Why it is not healthy or not ready.'),
  clean: OneOf(['off', 'orphans', 'suspects'], 'What a sweep may end.'),
  lastSweep: RefOrNull(SweepSchema),
  nextSweepAt: TimeOrNull('When the next sweep is due.'),
  intervalMs: Count('Between two sweeps, in milliseconds.'),
  summary: RefOrNull(SummarySchema),
  ports: Shape({ watched: Count('How many are watched.'), held: Count('How many of them are held.') }),
  unreadable: Count('How many processes could not be read.'),
  privileged: Type.Boolean({ description: 'Whether every process of the host could be read.' }),
  runtimes: Type.Array(Ref(RuntimeSchema)),
  runningCleanup: TextOrNull('Id of the clean-up that runs now.'),
  limits: Type.Array(Ref(LimitSchema)),
  host: RefOrNull(HostSchema),
});

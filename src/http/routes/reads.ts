import Type from 'typebox';
import { fresh } from '../fresh.ts';
import { ProblemError } from '../problem.ts';
import { type Ready, ready, sendReady } from '../ready.ts';
import { Exactly, Shape, OneOf, Ref, Time } from '../schemas/named.ts';
import { PortSchema, ProcessSchema, ReportSchema, verdicts } from '../schemas/report.ts';
import { StatusSchema } from '../schemas/status.ts';
import { answers } from './answers.ts';
import { type App, type RouteDeps, reportOf } from './deps.ts';

// Text, not numbers: with coercion off a path has only text, and a pattern is stricter than Number().
const PortText = Type.String({
  pattern: '^[1-9][0-9]{0,4}$',
  description: 'A watched port.',
  examples: ['8091'],
});
const PidText = Type.String({
  pattern: '^[1-9][0-9]{0,9}$',
  description: 'A pid of the report.',
  examples: ['1328823'],
});

const TakenAt = Time('When the report was made.');
const PortList = Shape(
  { takenAt: TakenAt, ports: Type.Array(Ref(PortSchema)) },
  { description: 'The watched ports.' },
);
const PortDetail = Shape(
  {
    takenAt: TakenAt,
    ports: Type.Array(Ref(PortSchema), { description: 'One for each protocol that is watched.' }),
    processes: Type.Array(Ref(ProcessSchema), { description: 'Those that hold it.' }),
  },
  { description: 'The port and who holds it.' },
);
const ProcessList = Shape(
  { takenAt: TakenAt, processes: Type.Array(Ref(ProcessSchema)) },
  { description: 'The processes of the report.' },
);

/** Everything that only reads the last report and the daemon's state. */
export function readRoutes(app: App, { engine, limits }: RouteDeps): void {
  const status = fresh(engine, limits.freshMs, (): { answer?: Ready } => ({}));
  app.addHook('onClose', (_app, done) => {
    status.close();
    done();
  });

  app.get(
    '/api/v1/status',
    {
      schema: {
        operationId: 'getStatus',
        tags: ['report'],
        summary: 'The daemon at one glance',
        description: 'Healthy or not, the last and the next sweep, counts by verdict, and what limits it.',
        response: answers({ 200: Ref(StatusSchema) }),
      },
    },
    (_request, reply) => {
      const kept = status.get();
      kept.answer ??= ready(
        'application/json; charset=utf-8',
        String(reply.serializeInput({ ...engine.status() }, '200')),
      );
      sendReady(reply, kept.answer);
    },
  );

  app.get(
    '/api/v1/scan',
    {
      schema: {
        operationId: 'getScan',
        tags: ['report'],
        summary: 'The last report',
        description: 'The same object as `orphand scan --json`; the `age` header says how old it is.',
        response: answers({ 200: Ref(ReportSchema) }, 'no-report'),
      },
    },
    (_request, reply) => {
      const { report, ageMs } = reportOf(engine);
      reply.header('age', Math.floor(ageMs / 1000));
      return report;
    },
  );

  app.get(
    '/api/v1/ports',
    {
      schema: {
        operationId: 'listPorts',
        tags: ['report'],
        summary: 'Every watched port',
        description: 'Free or held, and by which pids.',
        response: answers({ 200: PortList }, 'no-report'),
      },
    },
    () => {
      const { report } = reportOf(engine);
      return { takenAt: report.takenAt, ports: report.ports };
    },
  );

  app.get(
    '/api/v1/ports/:port',
    {
      schema: {
        operationId: 'getPort',
        tags: ['report'],
        summary: 'One watched port and who holds it',
        description: 'With the whole judgement of each holder.',
        params: Exactly({ port: PortText }),
        response: answers({ 200: PortDetail }, 'invalid-request', 'port-not-watched', 'no-report'),
      },
    },
    (request) => {
      const number = Number(request.params.port);
      const { report } = reportOf(engine);
      const ports = report.ports.filter((entry) => entry.port === number);
      if (ports.length === 0) throw new ProblemError('port-not-watched', `Port ${number} is not watched.`);
      const pids = new Set(ports.flatMap((entry) => entry.listeners.flatMap((listener) => listener.holders)));
      return {
        takenAt: report.takenAt,
        ports,
        processes: report.processes.filter(({ pid }) => pids.has(pid)),
      };
    },
  );

  app.get(
    '/api/v1/processes',
    {
      schema: {
        operationId: 'listProcesses',
        tags: ['report'],
        summary: 'Every process in scope',
        description:
          'Those that hold a watched port, match a stack pattern or belong to a container of the stack.',
        querystring: Exactly({ verdict: Type.Optional(OneOf([...verdicts], 'Only these.')) }),
        response: answers({ 200: ProcessList }, 'invalid-request', 'no-report'),
      },
    },
    (request) => {
      const { report } = reportOf(engine);
      const { verdict } = request.query;
      const processes =
        verdict === undefined
          ? report.processes
          : report.processes.filter((entry) => entry.verdict === verdict);
      return { takenAt: report.takenAt, processes };
    },
  );

  app.get(
    '/api/v1/processes/:pid',
    {
      schema: {
        operationId: 'getProcess',
        tags: ['report'],
        summary: 'One process and why it was judged so',
        description: 'Only processes of the last report: this is no way to read others.',
        params: Exactly({ pid: PidText }),
        response: answers({ 200: Ref(ProcessSchema) }, 'invalid-request', 'process-not-found', 'no-report'),
      },
    },
    (request) => {
      const pid = Number(request.params.pid);
      const found = reportOf(engine).report.processes.find((entry) => entry.pid === pid);
      if (found === undefined)
        throw new ProblemError('process-not-found', `Process ${pid} is not in the report.`);
      return found;
    },
  );
}

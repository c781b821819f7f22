import { durationPattern, parseDuration } from './duration.ts';
import { shown } from './problem.ts';
import type { KeyPath, Problem } from './problem.ts';
import { schema } from './schema.ts';
import type { ConfigFile, SchemaNode } from './schema.ts';

/** Two looks that are closer than this are one look. */
const shortestConfirmMs = 500;

function durationProblems(file: ConfigFile): Problem[] {
  const problems: Problem[] = [];
  const visit = (value: unknown, node: SchemaNode, path: KeyPath): void => {
    if (typeof value === 'string' && node.pattern === durationPattern) {
      const ms = parseDuration(value);
      if (ms === undefined) problems.push({ path, text: `${shown(value)} ${node.errorMessage ?? ''}` });
      else if (path.at(-1) === 'confirmAfter' && ms < shortestConfirmMs) {
        problems.push({
          path,
          text: `${shown(value)} is too short: two looks less than ${shortestConfirmMs}ms apart are one`,
        });
      }
    }
    for (const [key, child] of Object.entries(node.properties ?? {})) {
      const inner = (value as Record<string, unknown> | undefined)?.[key];
      if (inner !== undefined) visit(inner, child, [...path, key]);
    }
  };
  visit(file, schema as SchemaNode, []);
  return problems;
}

function patternProblems(patterns: readonly string[]): Problem[] {
  return patterns.flatMap((source, index) => {
    const path = ['patterns', index];
    try {
      if (!new RegExp(source).test('')) return [];
      return [{ path, text: `${shown(source)} matches everything: every process would be the stack's` }];
    } catch (error) {
      // "Invalid regular expression: /server(.py/: Unterminated group"
      const why = String(error).split('/: ').at(-1) ?? '';
      return [{ path, text: `${shown(source)} is not a regular expression: ${why.toLowerCase()}` }];
    }
  });
}

function portProblems(ports: NonNullable<ConfigFile['ports']>): Problem[] {
  const seen: { port: number; protocol: string | undefined }[] = [];
  return ports.flatMap((entry, index) => {
    const { port, protocol } = typeof entry === 'number' ? { port: entry, protocol: undefined } : entry;
    const first = seen.findIndex(
      (other) =>
        other.port === port &&
        (other.protocol === protocol || other.protocol === undefined || protocol === undefined),
    );
    seen.push({ port, protocol });
    return first < 0
      ? []
      : [{ path: ['ports', index], text: `${port} is there already, as ports[${first}]` }];
  });
}

/** What is wrong with a file whose shape is right: what a schema can't say. */
export async function meaningProblems(file: ConfigFile): Promise<Problem[]> {
  const problems = [
    ...portProblems(file.ports ?? []),
    ...patternProblems(file.patterns ?? []),
    ...durationProblems(file),
  ];
  const schedule = file.sweep?.schedule;
  if (schedule !== undefined) {
    const { validate } = await import('node-cron');
    if (!validate(schedule)) {
      problems.push({
        path: ['sweep', 'schedule'],
        text: `${shown(schedule)} is not a cron expression (such as "*/15 * * * * *", every 15 seconds)`,
      });
    }
  }
  const port = Number(/[0-9]+$/.exec(file.http?.listen ?? '')?.[0] ?? 0);
  if (port > 65_535) problems.push({ path: ['http', 'listen'], text: `${port} is not a port (0-65535)` });
  return problems;
}

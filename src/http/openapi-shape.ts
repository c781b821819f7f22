/** Two passes over the generated document that make it shorter to read and show what answers look like. */
import {
  cleanReportExample,
  cleanupExample,
  processExample,
  reportExample,
  statusExample,
  sweepExample,
} from './schemas/examples.ts';
import { nullableOf } from './schemas/named.ts';

type Json = Record<string, unknown>;

/** Shows a shape that may be null as what it is: the named schema, or null. */
export function withNullableNames(document: object): object {
  return JSON.parse(JSON.stringify(document), (_key, value: unknown) => {
    if (typeof value !== 'object' || value === null || !(nullableOf in value)) return value;
    const { [nullableOf]: name, description } = value as Json;
    return { anyOf: [{ $ref: `#/components/schemas/${String(name)}` }, { type: 'null' }], description };
  }) as object;
}

/** Moves each answer that several routes share to components.responses, named after the problems that it can be. */
export function withSharedAnswers(document: object): object {
  const seen = new Map<string, number>();
  const answers = (document: Json) =>
    Object.values(child(document, 'paths')).flatMap((path) =>
      Object.values(path as Json).map((operation) => child(operation as Json, 'responses')),
    );
  for (const answer of answers(document as Json).flatMap((responses) => Object.values(responses))) {
    const text = JSON.stringify(answer);
    seen.set(text, (seen.get(text) ?? 0) + 1);
  }
  const shared: Json = {};
  for (const responses of answers(document as Json)) {
    for (const [status, answer] of Object.entries(responses)) {
      if ((seen.get(JSON.stringify(answer)) ?? 0) < 2) continue;
      const name = nameOf(answer as Json);
      if (name === undefined) continue;
      shared[name] = answer;
      responses[status] = { $ref: `#/components/responses/${name}` };
    }
  }
  const components = child(document as Json, 'components');
  return { ...document, components: { ...components, responses: shared } };
}

// From its examples, which are keyed by code: `bad-url` and `bad-request` become BadUrlOrBadRequest.
function nameOf(answer: Json): string | undefined {
  const content = child(answer, 'content');
  const examples = Object.keys(child(child(content, 'application/problem+json'), 'examples'));
  if (examples.length === 0) return undefined;
  return examples
    .map((code) => code.replace(/(^|-)([a-z])/g, (_match, _dash, letter: string) => letter.toUpperCase()))
    .join('Or');
}

const examples: Readonly<Record<string, object>> = {
  Process: processExample,
  Report: reportExample,
  CleanReport: cleanReportExample,
  Cleanup: cleanupExample,
  Sweep: sweepExample,
  Status: statusExample,
};

/** Gives the schemas that answers consist of an example each. */
export function withExamples(document: object): object {
  const schemas = child(child(document as Json, 'components'), 'schemas');
  for (const [name, example] of Object.entries(examples)) {
    const schema = schemas[name];
    if (schema !== undefined) schemas[name] = { ...(schema as Json), examples: [example] };
  }
  return document;
}

function child(parent: Json, key: string): Json {
  return (parent[key] ?? {}) as Json;
}

import type { TSchema } from 'typebox';
import { Errors } from 'typebox/value';
import { closest } from './closest.ts';
import { shown } from './problem.ts';
import type { KeyPath, Problem } from './problem.ts';
import { schema } from './schema.ts';
import type { SchemaNode } from './schema.ts';

/** The path of a JSON pointer (RFC 6901) into `value`, in which the steps of a list are numbers. */
function fromPointer(pointer: string, value: unknown): KeyPath {
  const path: (string | number)[] = [];
  let current = value;
  for (const raw of pointer.split('/').slice(1)) {
    const step = raw.replaceAll('~1', '/').replaceAll('~0', '~');
    path.push(Array.isArray(current) ? Number(step) : step);
    current = (current as Record<string, unknown> | undefined)?.[step];
  }
  return path;
}

function at(value: unknown, path: KeyPath): unknown {
  return path.reduce<unknown>(
    (current, step) => (current as Record<string, unknown> | undefined)?.[step],
    value,
  );
}

function unknownKey(key: string, siblings: readonly string[]): string {
  const near = closest(key, siblings);
  if (near !== undefined) return `unknown key, did you mean ${JSON.stringify(near)}?`;
  const sections = Object.entries(schema.properties as Record<string, SchemaNode>);
  const elsewhere = sections.find(([, node]) => Object.hasOwn(node.properties ?? {}, key))?.[0];
  if (elsewhere !== undefined) return `unknown key, did you mean ${JSON.stringify(`${elsewhere}.${key}`)}?`;
  return `unknown key (known here: ${siblings.join(', ')})`;
}

/** What the schema finds wrong with a value of unknown shape, one problem per path. */
export function shapeProblems(value: unknown): Problem[] {
  const found = new Map<string, Problem>();
  for (const error of Errors(schema as TSchema, value)) {
    const path = fromPointer(error.instancePath, value);
    const node = at({ '#': schema }, error.schemaPath.split('/')) as SchemaNode | undefined;
    let text: string | undefined;
    if (error.keyword === 'boolean') {
      // `additionalProperties: false`, reported at the key that is too many.
      const parent = at({ '#': schema }, error.schemaPath.split('/').slice(0, -1)) as SchemaNode | undefined;
      text = unknownKey(String(path.at(-1)), Object.keys(parent?.properties ?? {}));
    } else if (error.keyword === 'required') {
      text = `has no ${JSON.stringify(error.params.requiredProperties[0])}`;
    } else if (error.keyword === 'additionalProperties' || error.keyword === 'anyOf') {
      continue;
    } else if (at(value, path) === null) {
      text = 'has no value: give it one, or leave the key out';
    } else {
      text = `${shown(at(value, path))} ${node?.errorMessage ?? error.message}`;
    }
    // Of a union's branches the one that got furthest speaks: the object that lacks a key, not "is no number".
    if (!found.has(error.instancePath) || error.keyword === 'required')
      found.set(error.instancePath, { path, text });
  }
  const pointers = [...found.keys()];
  return [...found]
    .filter(([pointer]) => !pointers.some((other) => other.startsWith(`${pointer}/`)))
    .map(([, problem]) => problem);
}

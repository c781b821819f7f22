import { parsePortList } from './port-list.ts';
import { schema } from './schema.ts';
import type { SchemaNode } from './schema.ts';

/** One value given as text outside the file. */
export interface Override {
  /** Key in the file, with dots: `ports`, `sweep.schedule`. */
  key: string;
  text: string;
  /** What messages call it: `--ports`, `ORPHAND_PORTS`. */
  label: string;
}

/** Every key of the file that has a value of its own, with its part of the schema: `ports`, `sweep.schedule` … */
export function leafKeys(): { key: string; node: SchemaNode }[] {
  const leaves = (node: SchemaNode, prefix: string): { key: string; node: SchemaNode }[] =>
    Object.entries(node.properties ?? {}).flatMap(([name, child]) =>
      child.properties === undefined
        ? [{ key: `${prefix}${name}`, node: child }]
        : leaves(child, `${prefix}${name}.`),
    );
  return leaves(schema as SchemaNode, '');
}

/** The environment variable of a key: `sweep.confirmAfter` is ORPHAND_SWEEP_CONFIRM_AFTER. */
export function variableOf(key: string): string {
  return `ORPHAND_${key.replace(/[.]|(?=[A-Z])/g, '_').toUpperCase()}`;
}

/** The overrides that an environment holds. An empty variable is an unset one. */
export function fromEnvironment(env: Readonly<Record<string, string | undefined>>): Override[] {
  return leafKeys().flatMap(({ key }) => {
    const label = variableOf(key);
    const text = env[label];
    return text === undefined || text === '' ? [] : [{ key, text, label }];
  });
}

/**
 * The value that a text stands for, in the shape the file would have it. Lists are separated by commas, patterns (which
 * may hold commas) by line breaks. A text that stands for nothing stays text, for the schema to refuse. Throws
 * RangeError with the sentence for a bad list of ports.
 */
export function valueOf({ key, text }: Override): unknown {
  const node = leafKeys().find((leaf) => leaf.key === key)?.node;
  if (key === 'ports') {
    const ports = parsePortList(text);
    if (typeof ports === 'string') throw new RangeError(ports);
    return ports;
  }
  if (node?.type === 'array') {
    const items = text.split(key === 'patterns' ? '\n' : ',').map((item) => item.trim());
    return items.filter((item) => item !== '');
  }
  if (node?.type === 'integer' && /^[0-9]{1,15}$/.test(text)) return Number(text);
  if (node?.type === 'boolean' && (text === 'true' || text === 'false')) return text === 'true';
  return text;
}

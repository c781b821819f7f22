import { stringify } from 'yaml';
import type { Config } from '../../config/config.ts';
import { defaultConfig } from '../../config/defaults.ts';
import { toFile } from '../../config/render.ts';
import { schema } from '../../config/schema.ts';
import type { SchemaNode } from '../../config/schema.ts';
import { escape, jsonText } from '../escape.ts';
import { wrap } from '../wrap.ts';
import type { Learned, Sourced } from './learned.ts';

const WIDTH = 100;

/**
 * A configuration file with every key and what it is for. What was learned and what differs from the default is in effect;
 * of all else the default is shown in a comment (`#key`), so that a newer default holds.
 */
export function configText(settings: Config, learned: Learned, heading: readonly string[]): string {
  const values = toFile(settings) as Record<string, unknown>;
  const defaults = toFile(defaultConfig({ env: {}, uid: 0 })) as Record<string, unknown>;
  const nodes = Object.entries((schema as SchemaNode).properties ?? {});
  const stack: Readonly<Record<string, () => string[]>> = {
    ports: () => ['ports:', ...items(learned.ports, portText)],
    patterns: () => listLines('patterns', learned.patterns, ''),
    containers: () => containerLines(nodes.find(([key]) => key === 'containers')?.[1], learned),
  };
  const parts = nodes.map(([key, node]) => [
    ...comment(node.description ?? '', ''),
    ...(stack[key]?.() ??
      (node.properties === undefined
        ? [leaf(key, values[key], defaults[key], '')]
        : sectionLines(key, node.properties, values[key], defaults[key]))),
  ]);
  const head = heading.flatMap((text) => comment(text, ''));
  return `${[head, ...parts].map((lines) => lines.join('\n')).join('\n\n')}\n`;
}

function sectionLines(
  key: string,
  nodes: Record<string, SchemaNode>,
  value: unknown,
  usual: unknown,
): string[] {
  const [values, defaults] = [value, usual] as Record<string, unknown>[];
  return [
    `${key}:`,
    ...Object.entries(nodes).flatMap(([name, node]) => [
      ...comment(node.description ?? '', '  '),
      leaf(name, values?.[name], defaults?.[name], '  '),
    ]),
  ];
}

/** `key: value`, behind a `#` where that is the default. */
function leaf(key: string, value: unknown, usual: unknown, indent: string): string {
  const sign = JSON.stringify(value) === JSON.stringify(usual) ? '#' : '';
  return `${indent}${sign}${key}: ${scalar(value)}`;
}

function containerLines(node: SchemaNode | undefined, { names, labels, projects }: Learned): string[] {
  const lists = { names, labels, projects };
  return [
    'containers:',
    ...Object.entries(lists).flatMap(([key, values]) => [
      ...comment(node?.properties?.[key]?.description ?? '', '  '),
      ...listLines(key, values, '  '),
    ]),
  ];
}

function listLines(key: string, values: readonly Sourced<string>[], indent: string): string[] {
  if (values.length === 0) return [`${indent}${key}: []`];
  return [`${indent}${key}:`, ...items(values, scalar).map((line) => `${indent}${line}`)];
}

function items<T>(values: readonly Sourced<T>[], text: (value: T) => string): string[] {
  return values.map(({ value, from }) => `  - ${text(value)}${from === '' ? '' : ` # ${escape(from)}`}`);
}

function portText({ port, protocol, service }: Learned['ports'][number]['value']): string {
  const named = `port: ${port}, service: ${scalar(service)}`;
  return `{ ${named}${protocol === 'tcp' ? '' : `, protocol: ${protocol}`} }`;
}

/** A value on one line. */
function scalar(value: unknown): string {
  const text = stringify(value, { lineWidth: 0, collectionStyle: 'flow', singleQuote: true }).trimEnd();
  // JSON is YAML, and has no line breaks and no characters that a terminal would act on.
  return text === escape(text) ? text : jsonText(value);
}

function comment(text: string, indent: string): string[] {
  return wrap(escape(text), WIDTH - indent.length - 2).map((line) => `${indent}# ${line}`.trimEnd());
}

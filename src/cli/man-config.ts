import { variableOf } from '../config/overrides.ts';
import { jsonSchema } from '../config/render.ts';
import type { SchemaNode } from '../config/schema.ts';
import { paragraph, roff, roffArgument, tagged } from './roff.ts';

/** orphand.yaml(5), from the schema by which the file is checked. */
export function configPage(version: string): string {
  const keys = Object.entries(jsonSchema().properties ?? {});
  return `${[
    '.\\" npm run docs writes this file from src/config/schema.ts.',
    `.TH ORPHAND.YAML 5 "" ${roffArgument(`orphand ${version}`)} "File Formats"`,
    // A broken word could not be copied.
    '.nh',
    '.SH NAME',
    'orphand.yaml \\- configuration of orphand',
    '.SH SYNOPSIS',
    '.I /etc/orphand/config.yaml',
    '.SH DESCRIPTION',
    paragraph(
      'A file in YAML. Every key has a default, so that an empty file, or none, is a configuration: that of the stack of the reference. An unknown key or a wrong value is an error that names its line. `orphand init` writes the file with comments, `orphand config check` checks it, `orphand config print` shows what is in effect.',
    ),
    '.PP',
    paragraph(
      'Read is the file that `--config` or ORPHAND_CONFIG names; else, without root, $XDG_CONFIG_HOME/orphand/config.yaml; else /etc/orphand/config.yaml. The daemon reads it again on SIGHUP; a file that is not valid then changes nothing.',
    ),
    '.PP',
    paragraph(
      'Each key can be set by an environment variable too: lists with commas between their items, patterns with line breaks. Durations are a number and `ms`, `s`, `m` or `h`, at most 24h.',
    ),
    '.SH KEYS',
    ...keys.flatMap(([key, node]) =>
      node.properties === undefined ? [keyText(key, node)] : sectionText(key, node, node.properties),
    ),
    '.SH EXAMPLE',
    '.nf',
    '.RS',
    ...roff(example).split('\n'),
    '.RE',
    '.fi',
    '.SH SEE ALSO',
    '.BR orphand (1)',
  ].join('\n')}\n`;
}

const example = `ports:
  - { port: 8091, service: aidb }
  - { port: 5353, service: mdns, protocol: udp }
  - 3001
patterns:
  - '/app/server\\.py'
containers:
  names: [local-ai-*]
  labels: [stack=ai]
sweep:
  clean: orphans`;

function sectionText(name: string, section: SchemaNode, keys: Record<string, SchemaNode>): string[] {
  return [
    `.SS ${roffArgument(name)}`,
    paragraph(section.description ?? ''),
    ...Object.entries(keys).map(([key, node]) => keyText(`${name}.${key}`, node)),
  ];
}

function keyText(key: string, node: SchemaNode): string {
  const usual = usualText(node.default);
  const values =
    node.enum === undefined ? '' : ` One of ${node.enum.map((each) => `\`${each}\``).join(', ')}.`;
  return `${tagged(`.B ${roff(key)}`, `${node.description ?? ''}${values}`)}
.br
${paragraph(`Default: ${usual}. Environment: ${variableOf(key)}.`)}`;
}

function usualText(value: unknown): string {
  if (value === '') return 'empty';
  if (!Array.isArray(value)) return `\`${String(value)}\``;
  if (value.length === 0) return 'an empty list';
  const items = value.map((each: unknown) =>
    typeof each === 'object' && each !== null && 'port' in each && 'service' in each
      ? `${String(each.port)} (${String(each.service)})`
      : `\`${String(each)}\``,
  );
  return items.join(', ');
}

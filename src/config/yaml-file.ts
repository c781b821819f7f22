import { isAlias, isMap, isNode, isPair, isScalar, isSeq, LineCounter, parseDocument } from 'yaml';
import type { Document } from 'yaml';
import { ConfigError } from './error.ts';
import type { KeyPath } from './problem.ts';

/** A parsed YAML text: its value, and where in the text each part of it is. */
export interface YamlFile {
  /** undefined: nothing but comments. */
  value: unknown;
  /** 1-based line of the value, or of its key; of the nearest part that has one where the path leads nowhere. */
  lineOf: (path: KeyPath) => number;
}

/** Reads YAML 1.2, one document. Throws a ConfigError that names line and cause; `name` is the file in messages. */
export function parseYaml(text: string, name: string): YamlFile {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false, strict: true });
  const [error] = document.errors;
  if (error !== undefined) {
    throw new ConfigError([
      `${name}:${lines.linePos(error.pos[0]).line}: not YAML: ${lowerFirst(error.message)}`,
    ]);
  }
  let value: unknown;
  try {
    value = document.toJS({ maxAliasCount: 100 }) as unknown;
  } catch (cause) {
    // A ReferenceError: an alias without its anchor, or more aliases than any file written by a person has.
    throw new ConfigError([`${name}:1: not YAML: ${lowerFirst(String(cause).replace(/^\w+: /, ''))}`]);
  }
  return { value: value ?? undefined, lineOf: (path) => lines.linePos(offsetOf(document, path)).line };
}

function lowerFirst(text: string): string {
  return text.charAt(0).toLowerCase() + text.slice(1);
}

/** Offset of the key, the list item or the value that `path` names, as far as the path leads. */
function offsetOf(document: Document, path: KeyPath): number {
  let node: unknown = document.contents;
  let offset = isNode(node) ? (node.range?.[0] ?? 0) : 0;
  for (const step of path) {
    if (isAlias(node)) node = node.resolve(document);
    if (isMap(node)) {
      const pair = node.items.find((item) => isScalar(item.key) && String(item.key.value) === String(step));
      if (!isPair(pair) || !isScalar(pair.key)) return offset;
      offset = pair.key.range?.[0] ?? offset;
      node = pair.value;
    } else if (isSeq(node)) {
      node = node.items[Number(step)];
      if (!isNode(node)) return offset;
      offset = node.range?.[0] ?? offset;
    } else return offset;
  }
  return offset;
}

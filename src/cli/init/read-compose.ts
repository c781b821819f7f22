import { dirname, join, resolve } from 'node:path';
import { parseDocument } from 'yaml';
import { UsageError } from '../command.ts';
import { ComposeError, fromCompose } from './from-compose.ts';
import { parseEnv } from './compose-variables.ts';
import type { Learned } from './learned.ts';
import { readFile } from './read-file.ts';

/** Learns from a compose file, with the variables of the environment and of the .env beside it. Throws UsageError. */
export function readCompose(path: string, env: Readonly<Record<string, string | undefined>>): Learned {
  const text = readFile(path);
  if (text === undefined) throw new UsageError(`${path}: no such file (ENOENT)`);
  const directory = dirname(resolve(path));
  // `<<: *anchor` is of YAML 1.1, and compose files are full of it.
  const document = parseDocument(text, { merge: true, prettyErrors: false });
  const [error] = document.errors;
  if (error !== undefined) throw new UsageError(`${path}: not YAML: ${error.message.split('\n')[0] ?? ''}`);
  const variables = { ...parseEnv(readFile(join(directory, '.env')) ?? ''), ...env };
  try {
    return fromCompose(document.toJS({ maxAliasCount: 1000 }), variables, directory);
  } catch (problem) {
    if (problem instanceof ComposeError) throw new UsageError(`${path}: ${problem.message}`);
    // An alias without its anchor.
    if (problem instanceof ReferenceError) throw new UsageError(`${path}: not YAML: ${problem.message}`);
    throw problem;
  }
}

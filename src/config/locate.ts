import { constants, closeSync, openSync, readSync } from 'node:fs';
import { ConfigError } from './error.ts';
import type { Surroundings } from './defaults.ts';

/** No configuration is larger; /dev/zero is. In bytes. */
const largest = 1024 * 1024;

/** A configuration file's text. */
export interface FoundFile {
  path: string;
  text: string;
}

/** The files that are tried where none is named, first one first: a user's own, then the host's. */
export function defaultPaths({ env, uid }: Surroundings): string[] {
  const paths = ['/etc/orphand/config.yaml'];
  if (uid === 0) return paths;
  const own = env['XDG_CONFIG_HOME'];
  const home = env['HOME'];
  if (own?.startsWith('/') === true) paths.unshift(`${own}/orphand/config.yaml`);
  else if (home?.startsWith('/') === true) paths.unshift(`${home}/.config/orphand/config.yaml`);
  return paths;
}

/**
 * Reads the named file, or the first default one that exists; undefined where none does. Throws a ConfigError for a named
 * file that is not there, and for any file that is there and can't be read: to go on without it would be a guess.
 */
export function findFile(named: string | undefined, around: Surroundings): FoundFile | undefined {
  if (named !== undefined) {
    const text = read(named);
    if (text === undefined) throw new ConfigError([`${named}: no such file (ENOENT)`]);
    return { path: named, text };
  }
  for (const path of defaultPaths(around)) {
    const text = read(path);
    if (text !== undefined) return { path, text };
  }
  return undefined;
}

function read(path: string): string | undefined {
  const chunks: Buffer[] = [];
  let size = 0;
  try {
    const fd = openSync(path, constants.O_RDONLY | constants.O_NOCTTY);
    try {
      for (;;) {
        const chunk = Buffer.alloc(64 * 1024);
        const count = readSync(fd, chunk);
        if (count === 0) break;
        size += count;
        if (size > largest)
          throw new ConfigError([`${path}: larger than ${largest} bytes, no configuration is`]);
        chunks.push(chunk.subarray(0, count));
      }
    } finally {
      closeSync(fd);
    }
  } catch (error) {
    if (error instanceof ConfigError) throw error;
    const code = (error as NodeJS.ErrnoException).code ?? String(error);
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined;
    throw new ConfigError([`${path}: cannot be read (${code})${cure(code)}`]);
  }
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(Buffer.concat(chunks));
  } catch {
    throw new ConfigError([`${path}: not UTF-8 text`]);
  }
}

function cure(code: string): string {
  if (code === 'EISDIR') return ': it is a directory';
  if (code === 'EACCES') return ': run with sudo, or make it readable';
  return '';
}

import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** What an installation wrote, for `uninstall` to remove exactly that. Paths are absolute in the target root. */
export interface Manifest {
  schema: 1;
  /** orphand's version at the last install. */
  version: string;
  files: { path: string; sha256: string }[];
  /** Directories that were not there before, outermost first. */
  directories: string[];
  /** Enabled units. */
  units: string[];
  /** Whether the user `orphand` was not there before. */
  userCreated: boolean;
}

/** Beside the configuration and not in the state directory: whoever can write this file decides what root removes. */
export const manifestPath = '/etc/orphand/install.json';

/** A manifest of nothing. */
export function emptyManifest(version: string): Manifest {
  return { schema: 1, version, files: [], directories: [], units: [], userCreated: false };
}

/** The manifest below `root`; undefined when nothing is installed there. */
export function readManifest(root: string): Manifest | undefined {
  let text: string;
  try {
    text = readFileSync(join(root, manifestPath), 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
  return JSON.parse(text) as Manifest;
}

/** Two installations one after the other are one: nothing that the first wrote is forgotten. */
export function mergeManifests(earlier: Manifest, later: Manifest): Manifest {
  const rewritten = new Set(later.files.map((file) => file.path));
  return {
    schema: 1,
    version: later.version,
    files: [...earlier.files.filter((file) => !rewritten.has(file.path)), ...later.files],
    directories: [...new Set([...earlier.directories, ...later.directories])],
    units: [...new Set([...earlier.units, ...later.units])],
    userCreated: earlier.userCreated || later.userCreated,
  };
}

/** The digest by which a file is known to be unchanged. */
export function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

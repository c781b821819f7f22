import { readFileSync } from 'node:fs';
import { UsageError } from '../command.ts';

/** The text of a file that a person named; undefined where there is none. Throws UsageError where it can't be read. */
export function readFile(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? String(error);
    if (code === 'ENOENT') return undefined;
    throw new UsageError(`${path}: cannot be read (${code})`);
  }
}

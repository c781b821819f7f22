import type { Context } from './command.ts';
import { version } from './version.ts';

/** `orphand version` and `--version`. */
export function run({ terminal }: Context): Promise<number> {
  terminal.out(`orphand ${version}`);
  return Promise.resolve(0);
}

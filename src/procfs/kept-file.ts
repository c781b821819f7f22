import { closeSync, constants, openSync, readSync } from 'node:fs';
import type { ProcFs } from './fs.ts';

// What a command line's patterns can match, and more than any cgroup path has: a page would be too short for both.
const LIMIT = 16 * 1024;
const now = Buffer.allocUnsafe(LIMIT);

/**
 * A file of a process that is kept open to see whether it still says the same. The descriptor belongs to that very
 * process: once it has ended, reading fails, whoever has its pid by then. A read takes a third of opening, reading and closing.
 */
export class KeptFile {
  readonly #fd: number;
  readonly #text: Buffer;

  private constructor(fd: number, text: Buffer) {
    this.#fd = fd;
    this.#text = text;
  }

  /** Reads at most the first 16 KiB; undefined where it can't be read, or no more descriptors can be had. */
  static open(proc: ProcFs, path: string): KeptFile | undefined {
    let fd: number | undefined;
    try {
      fd = openSync(`${proc.root}/${path}`, constants.O_RDONLY);
      return new KeptFile(fd, Buffer.from(now.subarray(0, readSync(fd, now, 0, LIMIT, 0))));
    } catch {
      if (fd !== undefined) closeSync(fd);
      return undefined;
    }
  }

  /** Whether it said just that when it was opened. */
  says(text: string): boolean {
    return this.#text.equals(Buffer.from(text));
  }

  /** Whether the process is still there and the file still says what it said. */
  isSame(): boolean {
    try {
      const length = readSync(this.#fd, now, 0, LIMIT, 0);
      return length === this.#text.length && this.#text.compare(now, 0, length) === 0;
    } catch {
      return false;
    }
  }

  close(): void {
    closeSync(this.#fd);
  }
}

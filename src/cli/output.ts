import { fstatSync, writeSync } from 'node:fs';
import { flushed } from './flushed.ts';
import type { Sink } from './terminal.ts';

/** /dev/null, null(4): major 1, minor 3. */
const NULL_DEVICE = 0x103;
const streams = { 1: () => process.stdout, 2: () => process.stderr };

/**
 * Standard output or error. Files and pipes are written as they come, which node's streams do on Linux too, after 2 ms of
 * making themselves ready; terminals and sockets are left to them.
 */
export class Output implements Sink {
  /** errno name of the first write that failed. EPIPE is none: the reader has seen enough (`orphand scan | head -1`). */
  failure: string | undefined;
  readonly #fd: 1 | 2;
  #isDirect: boolean;
  #stream: NodeJS.WriteStream | undefined;

  constructor(fd: 1 | 2) {
    this.#fd = fd;
    const stat = fstatSync(fd);
    this.#isDirect =
      stat.isFile() || stat.isFIFO() || (stat.isCharacterDevice() && stat.rdev === NULL_DEVICE);
  }

  get isTTY(): boolean {
    return !this.#isDirect && this.#open().isTTY;
  }

  get columns(): number | undefined {
    return this.#isDirect ? undefined : this.#open().columns;
  }

  write(text: string): void {
    if (this.#isDirect) this.#writeNow(Buffer.from(text));
    else this.#open().write(text);
  }

  /** Resolves when what was written is out, or has failed. */
  async flush(): Promise<void> {
    if (this.#stream !== undefined) await flushed(this.#stream);
  }

  #writeNow(bytes: Buffer): void {
    for (let rest = bytes; rest.length > 0;) {
      try {
        rest = rest.subarray(writeSync(this.#fd, rest));
      } catch (error) {
        const code = (error as NodeJS.ErrnoException).code;
        if (code === 'EINTR') continue;
        if (code !== 'EAGAIN') {
          this.#note(error as NodeJS.ErrnoException);
          return;
        }
        // A full pipe that somebody made non-blocking: a stream waits for it.
        this.#isDirect = false;
        this.#open().write(rest);
        return;
      }
    }
  }

  #open(): NodeJS.WriteStream {
    this.#stream ??= streams[this.#fd]().on('error', (error: NodeJS.ErrnoException) => {
      this.#note(error);
    });
    return this.#stream;
  }

  #note(error: NodeJS.ErrnoException): void {
    // What was begun is finished all the same.
    if (error.code !== 'EPIPE') this.failure ??= error.code ?? error.message;
  }
}

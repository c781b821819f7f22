import { createRequire } from 'node:module';
import { constants } from 'node:os';

/** The functions of the C library that node has no name for; the only native seam, so that another FFI can take its place. */
export interface Libc {
  /** syscall(2); a result below 0 is in `errno()`. */
  readonly syscall: (number: number, a: number, b: number, c: number, d: number) => number;
  readonly poll: (fds: Buffer, count: number, timeoutMs: number) => number;
  /** poll(2) on a thread of its own (libuv's pool): `fds` must stay as it is until `done`; -1 tells of an error, without which. */
  readonly pollInThread: (
    fds: Buffer,
    count: number,
    timeoutMs: number,
    done: (ready: number) => void,
  ) => void;
  readonly eventfd: (value: number, flags: number) => number;
  readonly flock: (fd: number, operation: number) => number;
  readonly socket: (family: number, type: number, protocol: number) => number;
  readonly sendto: (
    fd: number,
    data: Buffer,
    length: number,
    flags: number,
    address: Buffer,
    size: number,
  ) => number;
  readonly getsockopt: (fd: number, level: number, name: number, value: Buffer, size: Buffer) => number;
  /** errno of the last call that failed, as a name: `ESRCH`. */
  readonly errno: () => string;
}

let loaded: Libc | undefined;

/** Binds the C library on first use: koffi takes 7 ms, which a `scan` that signals nothing does not pay. Throws where koffi has no build for this platform. */
export function libc(): Libc {
  loaded ??= bind();
  return loaded;
}

function bind(): Libc {
  const koffi = createRequire(import.meta.url)('koffi') as typeof import('koffi');
  // The program itself: node is linked with the C library, whatever its file is called (glibc, musl).
  const library = koffi.load(null);
  const poll = library.func('int poll(void *, unsigned long, int)');
  return {
    // Variadic in C. With integers only, both x86_64 and arm64 pass them as to any other function.
    syscall: library.func('long syscall(long, long, long, long, long)') as Libc['syscall'],
    poll: poll as Libc['poll'],
    pollInThread: (fds, count, timeoutMs, done) => {
      poll.async(fds, count, timeoutMs, (error: unknown, ready: number) => {
        done(error === null || error === undefined ? ready : -1);
      });
    },
    eventfd: library.func('int eventfd(unsigned int, int)') as Libc['eventfd'],
    flock: library.func('int flock(int, int)') as Libc['flock'],
    socket: library.func('int socket(int, int, int)') as Libc['socket'],
    sendto: library.func('long sendto(int, void *, size_t, int, void *, unsigned int)') as Libc['sendto'],
    getsockopt: library.func('int getsockopt(int, int, int, void *, void *)') as Libc['getsockopt'],
    errno: () => errnoName(koffi.errno()),
  };
}

function errnoName(number: number): string {
  const found = Object.entries(constants.errno).find(([, value]) => value === number);
  return found?.[0] ?? `errno ${number}`;
}

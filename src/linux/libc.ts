import { createRequire } from 'node:module';
import { constants } from 'node:os';

/** The functions of the C library that node has no name for; the only native seam, so that another FFI can take its place. */
export interface Libc {
  /** syscall(2); a result below 0 is in `errno()`. */
  readonly syscall: (number: number, a: number, b: number, c: number, d: number) => number;
  /** kcmp(2) by its number, which has one argument more. */
  readonly kcmp: (number: number, pid: number, other: number, type: number, a: number, b: number) => number;
  /** bpf(2) by its number, with its attributes. */
  readonly bpf: (number: number, command: number, attr: Buffer, size: number) => number;
  /** Where the kernel finds a buffer's bytes; true as long as the buffer is in use. */
  readonly addressOf: (data: Buffer) => bigint;
  /** A directory to read from any place in it, opendir(3); null where it can't be opened. */
  readonly opendir: (path: string) => Directory | null;
  readonly seekdir: (directory: Directory, place: number) => void;
  /** The next entry's name; undefined at the end. */
  readonly readdir: (directory: Directory) => string | undefined;
  readonly closedir: (directory: Directory) => number;
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
  /** execvpe(3): does not return but where it fails; both lists end with null. */
  readonly execvpe: (file: string, argv: (string | null)[], env: (string | null)[]) => number;
  /** adjtimex(2) with a zeroed struct timex: the state of the clock. */
  readonly adjtimex: (timex: Buffer) => number;
  readonly fcntl: (fd: number, command: number, argument: number) => number;
  /** signal(2) with SIG_DFL. */
  readonly resetSignal: (signal: number) => void;
  /** errno of the last call that failed, as a name: `ESRCH`. */
  readonly errno: () => string;
}

/** DIR *, opaque. */
export type Directory = NonNullable<unknown> & { readonly DIR: never };

let loaded: Libc | undefined;

/** Binds the C library on first use: it takes 2 ms, which a `scan` that signals nothing and compares nothing does not pay. Throws where koffi has no build for this platform. */
export function libc(): Libc {
  loaded ??= bind();
  return loaded;
}

/**
 * koffi's native part alone, in a quarter of the time: what its own loader does besides is to find out which part is this
 * platform's (it tells glibc from musl by node's ELF headers) and to warn of what is deprecated. Its loader takes over where
 * that part is another one, or elsewhere.
 */
function loadKoffi(): typeof import('koffi') {
  const require = createRequire(import.meta.url);
  const { arch } = process;
  try {
    return require(`@koromix/koffi-linux-${arch}/linux_${arch}/koffi.node`) as typeof import('koffi');
  } catch {
    return require('koffi') as typeof import('koffi');
  }
}

function bind(): Libc {
  const koffi = loadKoffi();
  // The program itself: node is linked with the C library, whatever its file is called (glibc, musl).
  const library = koffi.load(null);
  const signal = library.func('void *signal(int, void *)');
  koffi.opaque('DIR');
  // 64 bit, glibc and musl alike.
  koffi.struct('dirent', {
    d_ino: 'uint64_t',
    d_off: 'int64_t',
    d_reclen: 'uint16_t',
    d_type: 'uint8_t',
    d_name: koffi.array('char', 256, 'String'),
  });
  const readdir = library.func('dirent *readdir(DIR *)');
  const poll = library.func('int poll(void *, unsigned long, int)');
  return {
    // Variadic in C. With integers only, both x86_64 and arm64 pass them as to any other function.
    syscall: library.func('long syscall(long, long, long, long, long)') as Libc['syscall'],
    opendir: library.func('DIR *opendir(const char *)') as Libc['opendir'],
    seekdir: library.func('void seekdir(DIR *, long)') as Libc['seekdir'],
    readdir: (directory) => {
      const entry: unknown = readdir(directory);
      return entry === null ? undefined : (koffi.decode(entry, 'dirent') as { d_name: string }).d_name;
    },
    closedir: library.func('int closedir(DIR *)') as Libc['closedir'],
    kcmp: library.func('long syscall(long, int, int, int, unsigned long, unsigned long)') as Libc['kcmp'],
    bpf: library.func('long syscall(long, int, void *, unsigned int)') as Libc['bpf'],
    addressOf: (data) => koffi.address(data),
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
    execvpe: library.func('int execvpe(const char *, const char **, const char **)') as Libc['execvpe'],
    adjtimex: library.func('int adjtimex(void *)') as Libc['adjtimex'],
    // Variadic in C, as syscall is.
    fcntl: library.func('int fcntl(int, int, int)') as Libc['fcntl'],
    resetSignal: (number) => {
      signal(number, null);
    },
    errno: () => errnoName(koffi.errno()),
  };
}

// The first name of a number that has two: EAGAIN, not EWOULDBLOCK.
const errnoNames = new Map(
  Object.entries(constants.errno)
    .reverse()
    .map(([name, value]) => [value, name]),
);

function errnoName(number: number): string {
  return errnoNames.get(number) ?? `errno ${number}`;
}

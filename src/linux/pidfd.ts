import { closeSync, fstatSync, statfsSync } from 'node:fs';
import { endianness } from 'node:os';
import { libc } from './libc.ts';

/** The signals that orphand sends. */
export type Signal = 'SIGTERM' | 'SIGKILL' | 'SIGSTOP' | 'SIGCONT';

/** A hold on one process, which the reuse of its pid does not move to another. After `close` every use throws. */
export interface PidFd {
  readonly pid: number;
  /** Unique within a boot; undefined where the kernel has no pidfs (before 6.9). */
  readonly inode: string | undefined;
  /** `gone`: it has ended and was reaped. `denied`: another user's process, and no CAP_KILL. */
  send(signal: Signal): 'sent' | 'gone' | 'denied';
  /** Whether every thread of it has exited, reaped or not. */
  hasExited(): boolean;
  /** Waits until it has exited, at most `timeoutMs`; false when it has not, or when this is closed meanwhile. */
  waitExit(timeoutMs: number): Promise<boolean>;
  close(): void;
}

/** No pidfd can be had here: an old kernel (ENOSYS), seccomp (EPERM), no descriptors left (EMFILE), no koffi. */
export class PidFdUnavailableError extends Error {
  override readonly name = 'PidFdUnavailableError';
  readonly code: string;

  constructor(call: string, code: string) {
    super(`${call}: ${code}`);
    this.code = code;
  }
}

// The same numbers on x86_64 and arm64: both were added after the tables were unified.
const PIDFD_SEND_SIGNAL = 424;
const PIDFD_OPEN = 434;
const PID_MAX = 0x7fffffff;
const PIDFS_MAGIC = 0x50494446;
const POLLIN = 1;
const MAX_PAUSE_MS = 16;
const LITTLE_ENDIAN = endianness() === 'LE';
const SIGNALS: Record<Signal, number> = { SIGTERM: 15, SIGKILL: 9, SIGSTOP: 19, SIGCONT: 18 };

/** Opens pidfd_open(2) on a process; undefined when there is no such process, or it is a thread; throws PidFdUnavailableError. */
export function openPidFd(pid: number): PidFd | undefined {
  return open(pid);
}

function open(pid: number): OpenPidFd | undefined {
  const fd = openRawPidFd(pid);
  return fd === undefined ? undefined : new OpenPidFd(pid, fd);
}

/** As openPidFd, for who polls many: the descriptor alone, which the caller closes. */
export function openRawPidFd(pid: number): number | undefined {
  // The kernel takes 32 bits of it: 4294967297 would open pid 1.
  if (!Number.isInteger(pid) || pid < 1 || pid > PID_MAX) return undefined;
  const fd = call('pidfd_open', PIDFD_OPEN, pid, 0);
  if (typeof fd === 'number') return fd;
  // A thread id is ENOENT or, before 6.10 or so, EINVAL.
  if (fd.code === 'ESRCH' || fd.code === 'ENOENT' || fd.code === 'EINVAL') return undefined;
  throw new PidFdUnavailableError('pidfd_open', fd.code);
}

/** Whether processes can be signalled safely here, tried on this process itself with signal 0. */
export function pidFdSupport(): { available: true; inode: boolean } | { available: false; code: string } {
  try {
    const self = open(process.pid);
    // Not even this process: seccomp that answers ESRCH, or a /proc of another pid namespace.
    if (self === undefined) return { available: false, code: 'ESRCH' };
    try {
      return self.probe() ?? { available: true, inode: self.inode !== undefined };
    } finally {
      self.close();
    }
  } catch (error) {
    if (error instanceof PidFdUnavailableError) return { available: false, code: error.code };
    throw error;
  }
}

class OpenPidFd implements PidFd {
  readonly pid: number;
  readonly inode: string | undefined;
  /** undefined once closed: the number may be another process's pidfd by then. */
  #fd: number | undefined;
  readonly #waiting = new Set<() => void>();

  constructor(pid: number, fd: number) {
    this.pid = pid;
    this.#fd = fd;
    this.inode = inodeOf(fd);
  }

  send(signal: Signal): 'sent' | 'gone' | 'denied' {
    const result = call('pidfd_send_signal', PIDFD_SEND_SIGNAL, this.#open(), SIGNALS[signal]);
    if (typeof result === 'number') return 'sent';
    if (result.code === 'ESRCH') return 'gone';
    if (result.code === 'EPERM') return 'denied';
    throw new PidFdUnavailableError('pidfd_send_signal', result.code);
  }

  /** Signal 0: whether the kernel lets us signal at all; undefined means yes. */
  probe(): { available: false; code: string } | undefined {
    const result = call('pidfd_send_signal', PIDFD_SEND_SIGNAL, this.#open(), 0);
    return typeof result === 'number' ? undefined : { available: false, code: result.code };
  }

  hasExited(): boolean {
    // struct pollfd { int fd; short events; short revents; }
    const pollfd = Buffer.alloc(8);
    const view = new DataView(pollfd.buffer, pollfd.byteOffset, pollfd.length);
    view.setInt32(0, this.#open(), LITTLE_ENDIAN);
    view.setInt16(4, POLLIN, LITTLE_ENDIAN);
    const ready = libc().poll(pollfd, 1, 0);
    // Seen under SIGCHLD: not an answer, the next look gives one.
    if (ready < 0 && libc().errno() === 'EINTR') return false;
    if (ready < 0) throw new PidFdUnavailableError('poll', libc().errno());
    // POLLIN alone says that it has exited: POLLNVAL and POLLERR make the descriptor "ready" too.
    return (view.getInt16(6, LITTLE_ENDIAN) & POLLIN) !== 0;
  }

  async waitExit(timeoutMs: number): Promise<boolean> {
    const deadline = performance.now() + timeoutMs;
    // A process that obeys is gone within a millisecond or two, one that does not is not asked all the time.
    for (let pauseMs = 1; ; pauseMs = Math.min(pauseMs * 2, MAX_PAUSE_MS)) {
      if (this.hasExited()) return true;
      const leftMs = deadline - performance.now();
      if (leftMs <= 0) return false;
      await this.#pause(Math.min(pauseMs, leftMs));
      if (this.#fd === undefined) return false;
    }
  }

  close(): void {
    if (this.#fd === undefined) return;
    closeSync(this.#fd);
    this.#fd = undefined;
    for (const wake of this.#waiting) wake();
  }

  #pause(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const wake = (): void => {
        clearTimeout(timer);
        this.#waiting.delete(wake);
        resolve();
      };
      const timer = setTimeout(wake, ms);
      this.#waiting.add(wake);
    });
  }

  #open(): number {
    if (this.#fd === undefined) throw new Error(`the pidfd of ${this.pid} is closed`);
    return this.#fd;
  }
}

function inodeOf(fd: number): string | undefined {
  // Older kernels give every pidfd the same anonymous inode; only pidfs gives each process its own.
  try {
    if (statfsSync(`/proc/self/fd/${fd}`).type !== PIDFS_MAGIC) return undefined;
  } catch {
    return undefined;
  }
  return fstatSync(fd, { bigint: true }).ino.toString();
}

// siginfo is null and flags are 0: a plain kill(2), but of a process instead of a number.
function call(name: string, number: number, first: number, second: number): number | { code: string } {
  let library;
  try {
    library = libc();
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'ENOSYS';
    throw new PidFdUnavailableError(`${name} (koffi)`, code);
  }
  const result = library.syscall(number, first, second, 0, 0);
  return result < 0 ? { code: library.errno() } : result;
}

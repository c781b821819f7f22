import { constants } from 'node:os';
import { libc } from './libc.ts';

const F_SETFD = 2;
const F_GETFL = 3;
const F_SETFL = 4;
const O_NONBLOCK = 0o4000;
// More than systemd ever passes.
const MAX_PASSED = 1024;

/**
 * Turns this process into another program, execvpe(3): the pid stays, so that a supervisor goes on watching the right
 * process, and 40 MB of node are not kept to pass on signals. Returns the errno name, and only where it fails. Flush the
 * standard streams first. What node changed for itself is put back, except that it raised the soft limit of open files.
 */
export function execute(
  argv: readonly [string, ...string[]],
  env: Readonly<Record<string, string | undefined>>,
): string {
  const { execvpe, fcntl, resetSignal, errno } = libc();
  // uv_disable_stdio_inheritance() marked every descriptor close-on-exec, and pipes are read without blocking.
  for (const fd of [0, 1, 2]) {
    fcntl(fd, F_SETFD, 0);
    const flags = fcntl(fd, F_GETFL, 0);
    if (flags >= 0) fcntl(fd, F_SETFL, flags & ~O_NONBLOCK);
  }
  for (const fd of passedSockets(env)) fcntl(fd, F_SETFD, 0);
  // Handlers end with the program, what is ignored stays so: node ignores these two.
  for (const signal of [constants.signals.SIGPIPE, constants.signals.SIGXFSZ]) resetSignal(signal);
  const variables = Object.entries(env).flatMap(([name, value]) =>
    value === undefined ? [] : [`${name}=${value}`],
  );
  execvpe(argv[0], [...argv, null], [...variables, null]);
  return errno();
}

/** Sockets that systemd passed to this pid, sd_listen_fds(3): the pid stays, so they are the new program's. */
function passedSockets(env: Readonly<Record<string, string | undefined>>): number[] {
  const count = Number(env['LISTEN_FDS'] ?? 0);
  if (env['LISTEN_PID'] !== String(process.pid) || !Number.isInteger(count) || count < 0) return [];
  return Array.from({ length: Math.min(count, MAX_PASSED) }, (_, index) => 3 + index);
}

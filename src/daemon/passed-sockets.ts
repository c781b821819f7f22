/** A listening socket that systemd opened for us. */
export interface PassedSocket {
  fd: number;
  /** FileDescriptorName= of its unit: `control` or `http`. */
  name: string;
}

const FIRST_FD = 3;
const MOST = 16;

/**
 * The sockets that systemd passed in, sd_listen_fds(3). Their order differs from start to start, only the names say which
 * is which. Empty when LISTEN_PID names another process: the variables were meant for it.
 */
export function passedSockets(
  env: Readonly<Record<string, string | undefined>>,
  pid: number,
): PassedSocket[] {
  const count = Number(env['LISTEN_FDS']);
  if (env['LISTEN_PID'] !== String(pid) || !Number.isInteger(count) || count < 1 || count > MOST) return [];
  const names = (env['LISTEN_FDNAMES'] ?? '').split(':');
  return Array.from({ length: count }, (_, index) => ({ fd: FIRST_FD + index, name: names[index] ?? '' }));
}

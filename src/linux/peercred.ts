import { libc } from './libc.ts';

/** Who is at the other end of a unix socket, as the kernel saw it connect. */
export interface PeerCredentials {
  /** 0: a process that this pid namespace does not show. */
  pid: number;
  /** Effective ids at the time of connect(2). */
  uid: number;
  gid: number;
}

const SOL_SOCKET = 1;
const SO_PEERCRED = 17;
const FD_MAX = 0x7fffffff;
const NOBODY = 0xffffffff;

/** SO_PEERCRED of a connected unix socket, unix(7); undefined for anything else (a TCP socket, a closed descriptor): treat it as a stranger. */
export function peerCredentials(fd: number): PeerCredentials | undefined {
  if (!Number.isInteger(fd) || fd < 0 || fd > FD_MAX) return undefined;
  // struct ucred { pid_t pid; uid_t uid; gid_t gid; }
  const words = new Uint32Array(3);
  const size = new Uint32Array([words.byteLength]);
  if (libc().getsockopt(fd, SOL_SOCKET, SO_PEERCRED, bytes(words), bytes(size)) !== 0) return undefined;
  const [pid, uid, gid] = words;
  if (size[0] !== words.byteLength || pid === undefined || uid === undefined || gid === undefined) {
    return undefined;
  }
  // The kernel answers for every family of sockets, with -1 where there are no credentials.
  return uid === NOBODY || gid === NOBODY ? undefined : { pid, uid, gid };
}

function bytes(words: Uint32Array): Buffer {
  return Buffer.from(words.buffer);
}

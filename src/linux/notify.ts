import { closeSync } from 'node:fs';
import { endianness } from 'node:os';
import { libc } from './libc.ts';

const AF_UNIX = 1;
const SOCK_DGRAM = 2;
const SOCK_CLOEXEC = 0x80000;
const MSG_DONTWAIT = 0x40;
const MSG_NOSIGNAL = 0x4000;

/** Tells systemd something (`READY=1`), sd_notify(3); false when it did not ask to be told (no NOTIFY_SOCKET) or could not be. */
export function sdNotify(state: string): boolean {
  const address = unixAddress(process.env['NOTIFY_SOCKET'] ?? '');
  if (address === undefined) return false;
  const { socket, sendto } = libc();
  const fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return false;
  try {
    const data = Buffer.from(state);
    // A systemd that does not read must not stop the event loop.
    const sent = sendto(fd, data, data.length, MSG_NOSIGNAL | MSG_DONTWAIT, address, address.length);
    return sent === data.length;
  } finally {
    closeSync(fd);
  }
}

/** struct sockaddr_un, unix(7): a path, or behind `@` a name in the abstract namespace. */
function unixAddress(name: string): Buffer | undefined {
  const path = Buffer.from(name);
  // Anything else is another family (vsock:) or a mistake. Too long a name is refused by the kernel.
  if (!/^[/@]/.test(name)) return undefined;
  const address = Buffer.alloc(2 + path.length);
  if (endianness() === 'LE') address.writeUInt16LE(AF_UNIX);
  else address.writeUInt16BE(AF_UNIX);
  path.copy(address, 2);
  if (name.startsWith('@')) address[2] = 0;
  return address;
}

/** Who is at the other end of a connection, and whether that user may control orphand. */
import { readFileSync } from 'node:fs';
import type { Socket } from 'node:net';
import type { PeerCredentials } from '../linux/peercred.ts';

/** The process that connected, as the kernel recorded it. */
export type Peer = PeerCredentials;

/** Reads SO_PEERCRED of a descriptor; undefined where there is none (src/linux/peercred.ts). */
export type ReadCredentials = (fd: number) => Peer | undefined;

/** Where users and groups are listed; the real files unless a test says otherwise. */
export interface AccountFiles {
  passwd: string;
  group: string;
}

const systemAccounts: AccountFiles = { passwd: '/etc/passwd', group: '/etc/group' };

/** The peer of a socket; undefined, and so nobody, when the descriptor can't be had: `_handle.fd` is undocumented. */
export function peerOf(socket: Socket, read: ReadCredentials): Peer | undefined {
  const handle = (socket as unknown as { _handle?: { fd?: unknown } | null })._handle;
  const fd = handle?.fd;
  if (typeof fd !== 'number' || fd < 0) return undefined;
  return read(fd);
}

/** Whether a peer may control orphand: root, the daemon's own user, or a member of the group (empty: no group). */
export function mayControl(
  peer: Peer,
  group: string,
  {
    ownUid = process.geteuid?.() ?? 0,
    accounts = systemAccounts,
  }: { ownUid?: number; accounts?: AccountFiles } = {},
): boolean {
  if (peer.uid === 0 || peer.uid === ownUid) return true;
  if (group === '') return false;
  const entry = fields(accounts.group).find(([name]) => name === group);
  if (entry === undefined) return false;
  const [, , gid, members = ''] = entry;
  if (gid !== undefined && /^[0-9]+$/.test(gid) && Number(gid) === peer.gid) return true;
  // SO_PEERCRED has the primary group only; the others are looked up by name (group(5), passwd(5)).
  const names = fields(accounts.passwd)
    .filter(([, , uid]) => uid === String(peer.uid))
    .map(([name]) => name);
  return members.split(',').some((member) => member !== '' && names.includes(member));
}

function fields(file: string): string[][] {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch {
    // No list, no member.
    return [];
  }
  return text.split('\n').map((line) => line.split(':'));
}

import type { Listener, Protocol } from '../model.ts';
import { addressText } from './address.ts';
import { canOpen, eachLine, readRecord, UnreadableError, type ProcFs } from './fs.ts';

/** What to read: which protocols, which ports (all without `ports`), in which process's network namespace (1 without `netPid`). */
export interface ListenerQuery {
  protocols: readonly Protocol[];
  ports?: ReadonlySet<number> | undefined;
  netPid?: number | undefined;
}

interface Row {
  address: string;
  port: number;
  state: string;
  uid: number;
  inode: number;
}

// sl, local, remote, state, queues, timer, retransmits, uid, timeout, inode (net/ipv4/tcp_ipv4.c, udp.c).
const ROW =
  /^\s*\d+:\s+([\dA-F]{8}|[\dA-F]{32}):([\dA-F]{4})\s+[\dA-F]+:[\dA-F]{4}\s+([\dA-F]{2})\s+\S+\s+\S+\s+\S+\s+(\d+)\s+\S+\s+(\d+)(?:\s|$)/;
const LISTEN = '0A';

/** Names of the states, include/net/tcp_states.h. */
const STATES = new Map([
  ['01', 'ESTABLISHED'],
  ['02', 'SYN_SENT'],
  ['03', 'SYN_RECV'],
  ['04', 'FIN_WAIT1'],
  ['05', 'FIN_WAIT2'],
  ['06', 'TIME_WAIT'],
  ['07', 'CLOSE'],
  ['08', 'CLOSE_WAIT'],
  ['09', 'LAST_ACK'],
  [LISTEN, 'LISTEN'],
  ['0B', 'CLOSING'],
  ['0C', 'SYN_RECV'],
]);

/** The listeners in the text of /proc/net/tcp, tcp6, udp or udp6; a row that is none is left out and hides no other. */
export function parseListeners(text: string, protocol: Protocol): Listener[] {
  const collector = new Collector(protocol, undefined);
  text.split('\n').every(collector.visit);
  return collector.listeners;
}

/**
 * The sockets that listen (tcp) or are bound (udp), from /proc/1/net, proc_pid_net(5): pid 1 has the host's network
 * whatever this process's own namespace is. Where pid 1 is hidden (hidepid), from /proc/net. Throws UnreadableError
 * rather than answer that nothing listens; the namespace of a `netPid` that has gone has no listeners.
 */
export function readListeners(proc: ProcFs, { protocols, ports, netPid = 1 }: ListenerQuery): Listener[] {
  return [...new Set(protocols)].flatMap((protocol) => {
    const collector = new Collector(protocol, ports);
    readRows(proc, protocol, netPid, collector.visit);
    return collector.listeners;
  });
}

/** How many TCP sockets of the host have this local port, by the name of their state; reads every row, which takes long on a busy host. */
export function countConnections(proc: ProcFs, port: number): Map<string, number> {
  const counts = new Map<string, number>();
  readRows(proc, 'tcp', 1, (line) => {
    const row = parseRow(line);
    if (row?.port === port) {
      const name = STATES.get(row.state) ?? row.state;
      counts.set(name, (counts.get(name) ?? 0) + 1);
    }
    return true;
  });
  return counts;
}

class Collector {
  readonly listeners: Listener[] = [];
  readonly #protocol: Protocol;
  readonly #ports: ReadonlySet<number> | undefined;
  readonly #seen = new Set<number>();

  constructor(protocol: Protocol, ports: ReadonlySet<number> | undefined) {
    this.#protocol = protocol;
    this.#ports = ports;
  }

  /** Takes one line; false when no listener can follow. */
  readonly visit = (line: string): boolean => {
    const row = parseRow(line);
    if (row === undefined) return true;
    // The kernel lists all listening sockets before the first connection (tcp_seek_last_pos), and a host may
    // have many connections: 232 ms for 60,000 of them, 1 ms without.
    if (this.#protocol === 'tcp' && row.state !== LISTEN) return false;
    if (this.#ports?.has(row.port) === false) return true;
    // Sockets that open or close between two read(2) calls may bring a row again.
    if (row.inode !== 0 && this.#seen.has(row.inode)) return true;
    this.#seen.add(row.inode);
    const { address, port, inode, uid } = row;
    this.listeners.push({ protocol: this.#protocol, address: addressText(address), port, inode, uid });
    return true;
  };
}

function parseRow(line: string): Row | undefined {
  const [, address, port, state, uid, inode] = ROW.exec(line) ?? [];
  if (address === undefined || port === undefined || state === undefined) return undefined;
  return { address, port: parseInt(port, 16), state, uid: Number(uid), inode: Number(inode) };
}

function readRows(proc: ProcFs, protocol: Protocol, netPid: number, visit: (line: string) => boolean): void {
  // hidepid=1 says EPERM, hidepid=2 that there is no such file. Opened only: a read makes the kernel walk its whole
  // table of connections (0.8 ms here) when there are few.
  const directory = netPid === 1 && !canOpen(proc, `1/net/${protocol}`) ? 'net' : `${netPid}/net`;
  if (!eachLine(proc, `${directory}/${protocol}`, visit)) {
    if (netPid !== 1) return;
    throw new UnreadableError(`${proc.root}/${directory}/${protocol}`, 'ENOENT');
  }
  // Without a listener of IPv6 the kernel looks for one in its whole table of connections: 3 ms with 60,000 of IPv4.
  if (protocol === 'tcp' && !usesTcp6(proc, directory)) return;
  // Absent where IPv6 is disabled.
  eachLine(proc, `${directory}/${protocol}6`, visit);
}

/** Whether there are TCP sockets of IPv6, listening or connected, by sockstat6; true where that can't be told. */
function usesTcp6(proc: ProcFs, directory: string): boolean {
  const isUsed = (): boolean => !/^TCP6: inuse 0$/m.test(readRecord(proc, `${directory}/sockstat6`) ?? '');
  try {
    // The kernel adds up what each processor counted, one after the other: a socket that moves meanwhile may be missed once.
    return isUsed() || isUsed();
  } catch (error) {
    if (error instanceof UnreadableError) return true;
    throw error;
  }
}

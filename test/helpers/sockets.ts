import type { Test } from 'tap';
import { start } from '../procfs/children.ts';

export interface SocketServer {
  pid: number;
  /** The thread that opened it. */
  tid: number;
  inode: number;
  fd: number;
  port: number;
}

const listen = `import os, socket, sys, threading, time
def listen():
  global s
  s = socket.socket()
  s.bind(("127.0.0.1", 0))
  s.listen()
def ready(then=lambda: time.sleep(1000)):
  print(threading.get_native_id(), os.fstat(s.fileno()).st_ino, s.fileno(), s.getsockname()[1], flush=True)
  then()`;

/** A python that listens, after which it runs `more`; `prefix` is a program that starts it. */
export async function socketServer(t: Test, more = '', prefix: string[] = []): Promise<SocketServer> {
  return started(t, `${listen}\nlisten()\n${more}\nready()`, prefix);
}

/** One that listens in a thread that no longer shares the descriptors of its process, unshare(2) with CLONE_FILES. */
export async function threadWithOwnTable(t: Test): Promise<SocketServer> {
  const own = `import ctypes
def serve():
  if ctypes.CDLL(None).unshare(0x400) != 0: sys.exit("unshare")
  listen()
  ready()
threading.Thread(target=serve).start()`;
  return started(t, `${listen}\n${own}`, []);
}

async function started(t: Test, program: string, prefix: string[]): Promise<SocketServer> {
  const { pid, line } = await start(t, 'env', [...prefix, 'python3', '-c', program]);
  const [tid = 0, inode = 0, fd = 0, port = 0] = line.split(' ').map(Number);
  return { pid, tid, inode, fd, port };
}

import { accessSync, constants, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { errorCode, readRecordFile, type RecordFile } from '../record-file.ts';

/** A user of the host, passwd(5). */
export interface User {
  name: string;
  uid: number;
  gid: number;
  home: string;
}

export const rootUser: User = { name: 'root', uid: 0, gid: 0, home: '/root' };

const programDirectories = [
  '/usr/local/sbin',
  '/usr/local/bin',
  '/usr/sbin',
  '/usr/bin',
  '/sbin',
  '/bin',
  '/run/current-system/sw/bin',
  '/snap/bin',
  '/home/linuxbrew/.linuxbrew/bin',
];

/** Where programs were found: a sweep looks there first, and in ten other places only when it is gone. */
const foundLast = new Map<string, string>();

/** The host's files that say which users and engines it has, read once each below a root that tests may build. */
export class Host {
  readonly root: string;
  readonly #env: NodeJS.ProcessEnv;
  #users: User[] | undefined;
  #ranges: { owner: string; start: number; end: number }[] | undefined;

  constructor(root: string, env: NodeJS.ProcessEnv) {
    this.root = root;
    this.#env = env;
  }

  /** A path of the host as this process opens it. */
  path(path: string): string {
    return join(this.root, path);
  }

  read(path: string): RecordFile {
    return readRecordFile(this.path(path));
  }

  /** True for what is there, even where it may not be read; false only where it is gone. */
  exists(path: string): boolean {
    return this.ownerOf(path) !== undefined;
  }

  /** Uid of a file's owner: undefined where there is no such file, 'unreadable' where that can't be told. */
  ownerOf(path: string): number | 'unreadable' | undefined {
    try {
      return statSync(this.path(path), { throwIfNoEntry: false })?.uid;
    } catch (error) {
      const code = errorCode(error);
      return code === 'ENOENT' || code === 'ENOTDIR' ? undefined : 'unreadable';
    }
  }

  /** Names in a directory; gone is undefined, unreadable its errno name. */
  list(path: string): string[] | { code: string } | undefined {
    try {
      if (!this.exists(path)) return undefined;
      return readdirSync(this.path(path));
    } catch (error) {
      const code = errorCode(error);
      return code === 'ENOENT' || code === 'ENOTDIR' ? undefined : { code };
    }
  }

  /** Where a program is, as a path to run; undefined where it is not installed. */
  program(name: string): string | undefined {
    const key = [this.root, this.#env['PATH'], name].join('\0');
    const last = foundLast.get(key);
    if (last !== undefined && isExecutable(last)) return last;
    const path = (this.#env['PATH'] ?? '').split(':').filter((directory) => directory.startsWith('/'));
    const found = [...path, ...programDirectories]
      .map((directory) => this.path(join(directory, name)))
      .find(isExecutable);
    if (found !== undefined) foundLast.set(key, found);
    return found;
  }

  userByUid(uid: number): User | undefined {
    return uid === 0 ? rootUser : this.users().find((user) => user.uid === uid);
  }

  /** The user whose subordinate range (subuid(5)) a uid is in: 'nobody' where that user has no account, undefined outside of all. */
  userBySubUid(uid: number): User | 'nobody' | undefined {
    const owner = this.#subUids().find(({ start, end }) => uid >= start && uid < end)?.owner;
    if (owner === undefined) return undefined;
    return this.users().find((user) => user.name === owner || String(user.uid) === owner) ?? 'nobody';
  }

  /** The user in whose home a path is. */
  userByHome(path: string): User | undefined {
    return this.users().find(
      ({ uid, home }) => uid !== 0 && home.length > 1 && path.startsWith(`${home.replace(/\/$/, '')}/`),
    );
  }

  users(): User[] {
    this.#users ??= linesOf(this.read('/etc/passwd')).flatMap((line) => {
      const [name, , uid, gid, , home] = line.split(':');
      if (name === undefined || home === undefined || !/^\d+$/.test(uid ?? '') || !/^\d+$/.test(gid ?? ''))
        return [];
      return [{ name, uid: Number(uid), gid: Number(gid), home }];
    });
    return this.#users;
  }

  #subUids(): { owner: string; start: number; end: number }[] {
    this.#ranges ??= linesOf(this.read('/etc/subuid')).flatMap((line) => {
      const [owner = '', start, count] = line.split(':');
      if (!/^\d+$/.test(start ?? '') || !/^\d+$/.test(count ?? '')) return [];
      return [{ owner, start: Number(start), end: Number(start) + Number(count) }];
    });
    return this.#ranges;
  }
}

function linesOf(file: RecordFile): string[] {
  return file.state === 'read' ? file.text.split('\n').map((line) => line.trim()) : [];
}

function isExecutable(path: string): boolean {
  try {
    if (statSync(path, { throwIfNoEntry: false })?.isFile() !== true) return false;
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

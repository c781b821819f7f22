import { createRequire } from 'node:module';

// Not process.seteuid(): Debian's node 20.19 refuses it for fear of io_uring (ERR_INVALID_STATE, CVE-2024-22017), because
// it does not know that the libuv it shares (1.50) has that turned off.
interface Ids {
  seteuid(uid: number): number;
  setegid(gid: number): number;
}

let loaded: Ids | undefined;

function ids(): Ids {
  if (loaded === undefined) {
    const library = (createRequire(import.meta.url)('koffi') as typeof import('koffi')).load(null);
    loaded = {
      seteuid: library.func('int seteuid(unsigned int)') as Ids['seteuid'],
      setegid: library.func('int setegid(unsigned int)') as Ids['setegid'],
    };
  }
  return loaded;
}

/** Makes another user this process's effective one, in every thread, seteuid(2). Throws when it may not. */
export function seteuid(uid: number): void {
  if (ids().seteuid(uid) !== 0) throw new Error(`seteuid(${uid}) failed`);
}

/** The same with the effective group, setegid(2). */
export function setegid(gid: number): void {
  if (ids().setegid(gid) !== 0) throw new Error(`setegid(${gid}) failed`);
}

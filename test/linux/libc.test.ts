import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import t from 'tap';
import { tryLock } from '../../src/linux/flock.ts';
import { libc } from '../../src/linux/libc.ts';
import { sdNotify } from '../../src/linux/notify.ts';
import { peerCredentials } from '../../src/linux/peercred.ts';
import { openPidFd } from '../../src/linux/pidfd.ts';

const loaded = (): boolean => readFileSync('/proc/self/maps', 'utf8').includes('koffi');

t.test('the native part is loaded by the first call that needs it, and once', (t) => {
  t.same(
    [tryLock, sdNotify, peerCredentials, openPidFd].map((each) => typeof each),
    Array.from({ length: 4 }, () => 'function'),
  );
  t.equal(loaded(), false, 'importing does not load it');
  t.equal(openPidFd(-1), undefined);
  t.equal(loaded(), false, 'neither does what needs no call');
  t.equal(libc(), libc());
  t.equal(loaded(), true);
  t.end();
});

t.test('a failed call leaves its errno as a name', (t) => {
  const { flock, socket, errno } = libc();
  t.equal(flock(-1, 2), -1);
  t.equal(errno(), 'EBADF');
  t.equal(socket(-1, 1, 0), -1);
  t.equal(errno(), 'EAFNOSUPPORT');
  t.end();
});

t.test("where koffi's native part is not where it is expected, its own loader finds it", (t) => {
  const module = new URL('../../src/linux/libc.ts', import.meta.url).href;
  // A koffi that has it elsewhere.
  const inside = `
    const { Module } = await import('node:module');
    const resolve = Module._resolveFilename;
    const asked = [];
    Module._resolveFilename = (request, ...rest) => {
      if (request.includes('koffi')) asked.push(request);
      if (request.endsWith('/koffi.node') && request.startsWith('@')) throw new Error('not there');
      return resolve(request, ...rest);
    };
    const { libc } = await import(${JSON.stringify(module)});
    console.log(JSON.stringify([libc().flock(-1, 2), libc().errno(), ...asked.slice(0, 2)]));
  `;
  const args = [...process.execArgv, '--input-type=module', '--eval', inside];
  const { arch } = process;
  t.same(JSON.parse(execFileSync(process.execPath, args, { encoding: 'utf8' })), [
    -1,
    'EBADF',
    `@koromix/koffi-linux-${arch}/linux_${arch}/koffi.node`,
    'koffi',
  ]);
  t.end();
});

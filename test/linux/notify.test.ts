import { closeSync } from 'node:fs';
import t, { type Test } from 'tap';
import { sdNotify } from '../../src/linux/notify.ts';
import { koffi } from './children.ts';
import { openDescriptors, openedSince } from '../helpers/descriptors.ts';

const libc = koffi.load(null);
const socket = libc.func('int socket(int, int, int)');
const bind = libc.func('int bind(int, void *, unsigned int)');
const recv = libc.func('long recv(int, void *, size_t, int)');
const MSG_DONTWAIT = 0x40;

/** A datagram socket such as systemd's; `name` as in NOTIFY_SOCKET. */
function receiver(t: Test, name: string): { receive: () => string | undefined } {
  const fd = socket(1, 2 | 0x80000, 0) as number;
  t.teardown(() => {
    closeSync(fd);
  });
  const address = Buffer.from(`\x01\0${name.replace(/^@/, '\0')}`);
  if (bind(fd, address, address.length) !== 0) throw new Error(`bind: errno ${koffi.errno()}`);
  return {
    receive() {
      const data = Buffer.alloc(4096);
      const length = recv(fd, data, data.length, MSG_DONTWAIT) as number;
      return length < 0 ? undefined : data.toString('utf8', 0, length);
    },
  };
}

function notifySocket(t: Test, name: string | undefined): void {
  const before = process.env['NOTIFY_SOCKET'];
  const set = (value: string | undefined): void => {
    if (value === undefined) delete process.env['NOTIFY_SOCKET'];
    else process.env['NOTIFY_SOCKET'] = value;
  };
  set(name);
  t.teardown(() => {
    set(before);
  });
}

const kinds: [string, (t: Test) => string][] = [
  ['a path', (t) => `${t.testdir({})}/notify`],
  ['an abstract name', () => `@orphand-test-${process.pid}`],
  // The longest that sun_path takes with its NUL.
  ['a path of 107 bytes', () => `/tmp/orphand-${process.pid}-`.padEnd(107, 'x')],
];
for (const [kind, name] of kinds) {
  t.test(`a message arrives whole at ${kind}`, (t) => {
    const where = name(t);
    // t.testdir's own path is long on some machines.
    if (Buffer.byteLength(where) > 107) return t.end();
    const { receive } = receiver(t, where);
    notifySocket(t, where);
    t.equal(sdNotify('READY=1\nSTATUS=watching 11 ports, é'), true);
    t.equal(receive(), 'READY=1\nSTATUS=watching 11 ports, é');
    t.equal(sdNotify('WATCHDOG=1'), true);
    t.equal(receive(), 'WATCHDOG=1');
    t.equal(receive(), undefined, 'each message once');
    return t.end();
  });
}

const nowhere: [string, string | undefined][] = [
  ['no variable', undefined],
  ['an empty variable', ''],
  ['a socket that is not there', '/tmp/orphand-no-such-socket'],
  ['an abstract name that nobody has', '@orphand-no-such-socket'],
  ['a path longer than an address can be', `/tmp/${'x'.repeat(200)}`],
  ['another family', 'vsock:2:1234'],
  ['a lone @', '@'],
  ['a file that is no socket', '/proc/self/stat'],
];
for (const [name, value] of nowhere) {
  t.test(`${name}: nobody is told, and that is no error`, (t) => {
    notifySocket(t, value);
    t.equal(sdNotify('READY=1'), false);
    t.end();
  });
}

t.test('a relative path is no address, even where a socket has that name', (t) => {
  const before = process.cwd();
  process.chdir(t.testdir({}));
  t.teardown(() => {
    process.chdir(before);
  });
  const { receive } = receiver(t, 'notify');
  notifySocket(t, 'notify');
  t.equal(sdNotify('READY=1'), false);
  t.equal(receive(), undefined);
  t.end();
});

t.test('a systemd that does not read blocks nobody, and is told again when it does', (t) => {
  const where = `@orphand-full-${process.pid}`;
  const { receive } = receiver(t, where);
  notifySocket(t, where);
  let sent = 0;
  while (sent < 10_000 && sdNotify('WATCHDOG=1')) sent++;
  t.ok(sent > 0 && sent < 10_000, 'the queue has an end');
  for (let index = 0; index < sent; index++) t.equal(receive(), 'WATCHDOG=1');
  t.equal(sdNotify('READY=1'), true);
  t.equal(receive(), 'READY=1');
  t.end();
});

t.test('no outcome leaves a descriptor behind', (t) => {
  const where = `@orphand-leak-${process.pid}`;
  receiver(t, where);
  const before = openDescriptors();
  for (const name of [where, '@orphand-no-such-socket', '', '/x']) {
    notifySocket(t, name);
    for (let round = 0; round < 5; round++) sdNotify('x');
  }
  t.same(openedSince(before), []);
  t.end();
});

import { mkdirSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { unitOf } from '../../src/scan/unit.ts';

/** A host whose systemd has these units active. */
function host(t: { testdir(): string }, directory: string, active: string[]): string {
  const root = t.testdir();
  mkdirSync(join(root, directory, 'units'), { recursive: true });
  for (const unit of active) symlinkSync('0123', join(root, directory, 'units', `invocation:${unit}`));
  return root;
}

t.test('a service whose invocation link is there is active', (t) => {
  const root = host(t, 'run/systemd', ['postgresql.service']);
  t.match(unitOf('/system.slice/postgresql.service', root), {
    name: 'postgresql.service',
    manager: 'system',
    active: true,
  });
  t.end();
});

t.test('a service whose invocation link has gone is not active', (t) => {
  const root = host(t, 'run/systemd', ['other.service']);
  t.match(unitOf('/system.slice/postgresql.service/sub', root), {
    name: 'postgresql.service',
    active: false,
  });
  t.end();
});

t.test('without a systemd nothing is known of a unit', (t) => {
  t.match(unitOf('/system.slice/postgresql.service', t.testdir()), {
    name: 'postgresql.service',
    active: undefined,
  });
  t.end();
});

t.test("a service of a user's manager is looked up in that user's directory", (t) => {
  const root = host(t, 'run/user/1000/systemd', ['aidb.service']);
  const found = unitOf('/user.slice/user-1000.slice/user@1000.service/app.slice/aidb.service', root);
  t.match(found, { name: 'aidb.service', manager: 'user', active: true });
  t.match(found?.evidence.at(-1)?.source, '/run/user/1000/systemd/units/invocation:aidb.service');
  t.end();
});

for (const path of [
  '/',
  '/user.slice/user-1000.slice/session-3.scope',
  '/user.slice/user-1000.slice/user@1000.service/app.slice/vte-spawn-1.scope',
  '/user.slice/user-1000.slice/user@1000.service/user.slice/libpod-1.scope/container',
  '/system.slice',
]) {
  t.test(`no service owns what runs in ${path}`, (t) => {
    t.equal(unitOf(path, t.testdir()), undefined);
    t.end();
  });
}

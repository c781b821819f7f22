import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { mayControl, peerOf } from '../../src/http/peers.ts';

const directory = mkdtempSync(join(tmpdir(), 'orphand-peers-'));
t.teardown(() => {
  rmSync(directory, { recursive: true, force: true });
});
const accounts = { passwd: join(directory, 'passwd'), group: join(directory, 'group') };
writeFileSync(
  accounts.passwd,
  'root:x:0:0::/root:/bin/sh\nalice:x:1000:1000::/:/bin/sh\nbob:x:1001:1001::/:/bin/sh\neve:x:1002:1002::/:/bin/sh\norphand:x:990:990::/:/bin/false\n:x:1005:1005::/:\n',
);
writeFileSync(
  accounts.group,
  'root:x:0:\norphand:x:990:alice,carol\nempty:x:995:\nodd:x::\nbroken\n:x:1006:\norphand2:x:991:bob\n',
);

const peer = (uid: number, gid: number) => ({ pid: 42, uid, gid });
const cases: [string, ReturnType<typeof peer>, string, boolean][] = [
  ['root may, whatever the group', peer(0, 0), '', true],
  ["the daemon's own user may", peer(990, 990), '', true],
  ['a member by /etc/group may', peer(1000, 1000), 'orphand', true],
  ['a member by primary group may', peer(1002, 990), 'orphand', true],
  ['anyone else may not', peer(1001, 1001), 'orphand', false],
  ['a member of a group whose name begins the same may not', peer(1001, 1001), 'orphan', false],
  ['nobody may through an empty group name', peer(1000, 1000), '', false],
  ['nobody may through a group that does not exist', peer(1000, 1000), 'wheel', false],
  ['nobody is in a group without members', peer(1000, 1000), 'empty', false],
  ['a group without a number matches no gid', peer(1000, 0), 'odd', false],
  ['an account without a name is no member of a group without members', peer(1005, 1005), 'empty', false],
  ['a group without a name is not what no group means', peer(1007, 1006), '', false],
  ['a uid without an account is in no group by name', peer(4000, 4000), 'orphand', false],
  ['a member who has no account may not', peer(1003, 1003), 'orphand', false],
];
for (const [name, who, group, allowed] of cases) {
  t.test(name, (t) => {
    t.equal(mayControl(who, group, { ownUid: 990, accounts }), allowed);
    t.end();
  });
}

t.test('without the files there are no members, and root stays root', (t) => {
  const none = { passwd: '/proc/orphand', group: '/proc/orphand' };
  t.equal(mayControl(peer(1000, 990), 'orphand', { ownUid: 990, accounts: none }), false);
  t.equal(mayControl(peer(0, 0), 'orphand', { ownUid: 990, accounts: none }), true);
  t.end();
});

t.test('a socket without a readable descriptor has no peer', (t) => {
  const root = () => ({ pid: 1, uid: 0, gid: 0 });
  const odd: object[] = [
    {},
    { _handle: null },
    { _handle: {} },
    { _handle: { fd: -1 } },
    { _handle: { fd: '7' } },
  ];
  for (const handle of odd) t.equal(peerOf(Object.assign(new Socket(), handle), root), undefined);
  t.same(peerOf(Object.assign(new Socket(), { _handle: { fd: 7 } }), root), root(), 'with one it has');
  t.end();
});

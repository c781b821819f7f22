import { mkdirSync, rmSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { hostNamespaces } from '../../src/container/host-namespaces.ts';
import { hostTree } from '../helpers/host-tree.ts';

t.test('the host’s namespaces are pid 1’s and orphand’s own', (t) => {
  const { root, proc } = hostTree(t, []);
  mkdirSync(join(root, 'proc/self/ns'), { recursive: true });
  symlinkSync('mnt:[7]', join(root, 'proc/self/ns/mnt'));
  t.strictSame([...hostNamespaces(proc, 'mnt')], ['mnt:[4026531841]', 'mnt:[7]']);
  t.end();
});

t.test('where neither can be read, none is known', (t) => {
  const { root, proc } = hostTree(t, []);
  rmSync(join(root, 'proc/1/ns'), { recursive: true });
  t.equal(hostNamespaces(proc, 'mnt').size, 0);
  t.equal(hostNamespaces(proc, 'user').size, 0);
  t.end();
});

import t from 'tap';
import { inPodmansHand } from '../../../src/container/runtimes/in-hand.ts';
import { hexId } from '../../helpers/host-tree.ts';
import { procTree, type FakeProcess } from '../../helpers/proc-tree.ts';

const id = hexId('a');
const conmon: FakeProcess = {
  pid: 20,
  ppid: 1,
  cmdline: ['/usr/bin/conmon', '--api-version', '1', '-c', id, '-u', id, '--exit-command-arg', 'cleanup'],
};
const cleanup: FakeProcess = { pid: 30, ppid: 20, cmdline: ['/usr/bin/podman', 'container', 'cleanup', id] };
const init: FakeProcess = { pid: 40, ppid: 20, cmdline: ['nginx'] };

const rows: [name: string, processes: FakeProcess[], inHand: boolean][] = [
  ['a container that runs', [conmon, init], false],
  ['one that has ended, before podman is called', [conmon], true],
  ['one that has ended and not been waited for', [conmon, { ...init, state: 'Z' }], true],
  ['one that is cleaned up after', [conmon, cleanup], true],
  ['one that podman has started again and not yet let go of', [conmon, init, { ...cleanup, ppid: 1 }], true],
  ['one whose conmon was killed', [{ ...init, ppid: 1 }], false],
  ['a conmon that has ended', [{ ...conmon, state: 'Z' }], false],
  ['another program that names it', [{ ...conmon, cmdline: ['podman', 'logs', '-c', id] }], false],
];
for (const [name, processes, inHand] of rows) {
  t.test(name, (t) => {
    const found = inPodmansHand(procTree(t.testdir(), processes, []));
    t.same([...found], inHand ? [id] : []);
    t.end();
  });
}

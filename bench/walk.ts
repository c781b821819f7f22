// Prints the processor time in ms of one walk over all descriptors, after one that loaded what it needs:
// walk.ts PORT fast|plain; `fast` is what a scan does, by whatever the process may do.
import { findHolders } from '../src/procfs/fd.ts';
import { readListeners } from '../src/procfs/net.ts';
import { listPids } from '../src/procfs/pids.ts';
import { findHoldersFast } from '../src/scan/holders.ts';

const proc = { root: '/proc' };
const [, , port, which] = process.argv;
const find = which === 'fast' ? findHoldersFast : findHolders;
const listeners = readListeners(proc, { protocols: ['tcp'], ports: new Set([Number(port)]) });
const inodes = new Set(listeners.map(({ inode }) => inode));
find(proc, listPids(proc), inodes);
const before = process.cpuUsage();
const { holders } = find(proc, listPids(proc), inodes);
const { user, system } = process.cpuUsage(before);
if (holders.size === 0) throw new Error('found no holder');
console.log((user + system) / 1000);

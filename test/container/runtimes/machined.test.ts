import t from 'tap';
import { Host } from '../../../src/container/runtimes/host.ts';
import { askMachined } from '../../../src/container/runtimes/machined.ts';
import { hostTree } from '../../helpers/host-tree.ts';
import { exactly } from '../../helpers/exactly.ts';

const leader = {
  pid: 50,
  ppid: 1,
  cmdline: ['/sbin/init'],
  cgroup: '/machine.slice/machine-web.scope/payload',
  mnt: '5',
};
const record = (pid: string): string => `# This is private data.\nNAME=web\nCLASS=container\nLEADER=${pid}\n`;

const cases: {
  name: string;
  files: Record<string, string>;
  machine?: string;
  family?: number[];
  pid: number | undefined;
}[] = [
  { name: 'a running machine', files: { '/run/systemd/machines/web': record('50') }, pid: 50 },
  { name: 'its leader has ended', files: { '/run/systemd/machines/web': record('4000') }, pid: undefined },
  {
    name: 'its leader’s pid is another process by now',
    files: { '/run/systemd/machines/web': record('51') },
    pid: undefined,
  },
  { name: 'not registered', files: {}, pid: undefined },
  { name: 'a record without a leader', files: { '/run/systemd/machines/web': 'NAME=web\n' }, pid: undefined },
  {
    name: 'a name that leads somewhere else',
    files: { '/run/web': record('50') },
    machine: '../../web',
    family: [50],
    pid: undefined,
  },
];

for (const { name, files, machine = 'web', family = [60], pid } of cases) {
  t.test(name, (t) => {
    const tree = hostTree(t, [leader, { pid: 51, ppid: 1, cmdline: ['cron'] }], files);
    const answers = askMachined(new Host(tree.root, {}), tree.proc, machine, family);
    if (pid === undefined) t.strictSame(answers, []);
    else t.match(answers, exactly({ result: 'known', state: 'running', pid, name: 'web' }));
    t.end();
  });
}

import { spawn } from 'node:child_process';
import t from 'tap';
import { chainTo } from '../../src/cli/chain.ts';
import { exactly } from '../helpers/exactly.ts';

const proc = { root: '/proc' };

t.test('the chain leads from pid 1 to the process, with real start times', async (t) => {
  const child = spawn('sleep', ['60'], { stdio: 'ignore' });
  t.teardown(() => child.kill());
  await new Promise((resolve) => child.once('spawn', resolve));
  const chain = chainTo(proc, child.pid!);
  t.equal(chain[0]?.pid, 1);
  t.match(chain.at(-1), { pid: child.pid, comm: 'sleep', cmdline: exactly('sleep', '60') });
  t.equal(chain.at(-2)?.pid, process.pid);
  const age = Date.now() - Date.parse(chain.at(-1)?.startedAt ?? '');
  t.ok(Math.abs(age) < 60_000, 'started within the last minute');
});

t.test('a process that is gone has no chain', (t) => {
  t.same(chainTo(proc, 4_194_304), []);
  t.end();
});

t.test('parents that change while they are read do not make the walk endless', (t) => {
  const stat = (pid: number, ppid: number): string =>
    `${pid} (x) S ${ppid} 1 1 0 -1 0 0 0 0 0 0 0 0 0 20 0 1 0 5 0 0`;
  const root = t.testdir({
    stat: 'btime 1700000000\n',
    2: { stat: stat(2, 3), cmdline: 'x\0' },
    3: { stat: stat(3, 2), cmdline: 'x\0' },
  });
  t.same(
    chainTo({ root }, 2).map(({ pid }) => pid),
    [3, 2],
  );
  t.end();
});

import t, { type Test } from 'tap';
import { SupervisorWatch } from '../../src/daemon/supervisor-watch.ts';
import { sampleProcess, sampleReport } from '../helpers/sample-report.ts';
import { run } from '../linux/children.ts';

/** A watch, what it told, and a wait for the next. */
function watching(t: Test) {
  const died: [pid: number, comm: string | undefined][] = [];
  let wake: (() => void) | undefined;
  const watch = new SupervisorWatch({
    proc: { root: '/proc' },
    onDeath: (pid, comm) => {
      died.push([pid, comm]);
      wake?.();
    },
    onUnavailable: (error) => {
      t.fail(error.message);
    },
  });
  t.teardown(() => {
    watch.close();
  });
  return { watch, died, next: () => new Promise<void>((resolve) => (wake = resolve)) };
}

const supervised = (pid: number, comm: string) =>
  sampleProcess({ verdict: 'container', reason: 'supervised', supervisor: { pid, comm } });
const sleeper = (t: Test) => run(t, 'sleep', ['1000']);

t.test('the death of a supervisor is told with its name', async (t) => {
  const { watch, died, next } = watching(t);
  const { pid, process } = await sleeper(t);
  watch.follow(sampleReport([supervised(pid, 'sleep'), supervised(pid, 'sleep')]));
  t.equal(watch.count(), 1);
  const told = next();
  process.kill('SIGKILL');
  await told;
  t.same(died, [[pid, 'sleep']]);
  t.equal(watch.count(), 0);
});

t.test('the death of the parent of a stack process is told without a name', async (t) => {
  const { watch, died, next } = watching(t);
  const { pid, process } = await sleeper(t);
  watch.follow(
    sampleReport([sampleProcess({ verdict: 'suspect', reason: 'stack-process-with-parent', ppid: pid })]),
  );
  const told = next();
  process.kill('SIGKILL');
  await told;
  t.same(died, [[pid, undefined]]);
});

t.test('what the next report does not name is not watched any more', async (t) => {
  const { watch, died, next } = watching(t);
  const [old, other] = [await sleeper(t), await sleeper(t)];
  watch.follow(sampleReport([supervised(old.pid, 'sleep')]));
  watch.follow(sampleReport([supervised(other.pid, 'sleep')]));
  t.equal(watch.count(), 1);
  old.process.kill('SIGKILL');
  await old.ended;
  const told = next();
  other.process.kill('SIGKILL');
  await told;
  t.same(died, [[other.pid, 'sleep']]);
});

t.test('a pid that is another process by now is not watched', async (t) => {
  const { watch } = watching(t);
  watch.follow(sampleReport([supervised((await sleeper(t)).pid, 'conmon'), supervised(4_194_305, 'conmon')]));
  t.equal(watch.count(), 0);
});

t.test('supervisors of containers that are none of ours are not watched', async (t) => {
  const { watch } = watching(t);
  watch.follow(sampleReport([{ ...supervised((await sleeper(t)).pid, 'sleep'), inScope: false }]));
  t.equal(watch.count(), 0);
});

import t from 'tap';
import { Countdown } from '../../src/cli/countdown.ts';

t.test('a wait is shown with what it is for and how long it still lasts, and goes when it is over', (t) => {
  const lines: string[] = [];
  const countdown = new Countdown({ progress: (text) => lines.push(text) });
  t.teardown(() => {
    countdown.stop();
  });
  countdown.show({ kind: 'grace-wait', pids: [1, 2], ms: 5_000 });
  countdown.show({ kind: 'signalled', signal: 'SIGKILL', pids: [1] });
  countdown.show({ kind: 'second-look-wait', targets: [], ms: 60_000 });
  t.same(lines, ['', 'Waiting for 2 processes to end (5 s)…', '', '', 'Second look at 0 processes (60 s)…']);
  t.end();
});

t.test('it counts down while nothing else happens', async (t) => {
  const lines: string[] = [];
  const counted = new Promise<void>((resolve) => {
    const countdown = new Countdown({
      progress: (text) => {
        lines.push(text);
        if (!/\([01] s\)/.test(text)) return;
        countdown.stop();
        resolve();
      },
    });
    countdown.show({ kind: 'grace-wait', pids: [1], ms: 2_000 });
  });
  // The countdown itself keeps nothing alive.
  const alive = setInterval(() => undefined, 1000);
  await counted;
  clearInterval(alive);
  t.ok(lines.includes('Waiting for 1 process to end (2 s)…'));
});

import t from 'tap';
import { startSchedule } from '../../src/daemon/schedule.ts';

t.test('every second: it is due, and due again, until it is stopped', async (t) => {
  let count = 0;
  await new Promise<void>((resolve) => {
    const schedule = startSchedule(
      '* * * * * *',
      () => {
        count += 1;
        if (count === 2) {
          schedule.stop();
          resolve();
        }
      },
      () => undefined,
    );
  });
  t.equal(count, 2);
});

const intervals: [expression: string, least: number, most: number][] = [
  ['*/15 * * * * *', 15_000, 15_000],
  ['* * * * *', 60_000, 60_000],
  ['0 3 * * *', 82_800_000, 90_000_000],
];
for (const [expression, least, most] of intervals) {
  t.test(`"${expression}" knows its next time and its interval`, (t) => {
    const schedule = startSchedule(
      expression,
      () => undefined,
      () => undefined,
    );
    t.teardown(() => {
      schedule.stop();
    });
    const interval = schedule.intervalMs();
    t.ok(interval >= least && interval <= most, String(interval));
    const next = schedule.nextAt()?.getTime() ?? 0;
    t.ok(next > Date.now() && next <= Date.now() + most, new Date(next).toISOString());
    t.end();
  });
}

t.test('an interval of an uneven schedule is its longest gap that is near', (t) => {
  const schedule = startSchedule(
    '0,5 * * * * *',
    () => undefined,
    () => undefined,
  );
  t.teardown(() => {
    schedule.stop();
  });
  t.equal(schedule.intervalMs(), 55_000);
  t.end();
});

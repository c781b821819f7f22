import { setTimeout as delay } from 'node:timers/promises';
import t from 'tap';
import { Throttle } from '../../src/daemon/throttle.ts';

t.test('the first is run at once, what follows within the time runs once, afterwards', async (t) => {
  const runs: number[] = [];
  await new Promise<void>((resolve) => {
    const throttle = new Throttle(50, () => {
      runs.push(performance.now());
      if (runs.length === 2) resolve();
    });
    for (let i = 0; i < 5; i += 1) throttle.at(0);
    t.equal(runs.length, 1);
  });
  t.ok(runs[1]! - runs[0]! >= 50);
  await delay(80);
  t.equal(runs.length, 2);
});

t.test('the earliest of several times holds', async (t) => {
  let ran = 0;
  await new Promise<void>((resolve) => {
    const throttle = new Throttle(0, () => {
      ran += 1;
      resolve();
    });
    throttle.at(3_600_000);
    throttle.at(5);
    throttle.at(7_200_000);
  });
  t.equal(ran, 1);
});

t.test('it never runs before its time', async (t) => {
  const asked = performance.now();
  const ran = await new Promise<number>((resolve) => {
    new Throttle(0, () => {
      resolve(performance.now());
    }).at(20.5);
  });
  t.ok(ran - asked >= 20.5);
});

t.test('stopped, it runs nothing any more', async (t) => {
  let ran = 0;
  const throttle = new Throttle(0, () => {
    ran += 1;
  });
  throttle.at(5);
  throttle.stop();
  throttle.at(0);
  await delay(30);
  t.equal(ran, 0);
});

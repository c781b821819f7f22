import t from 'tap';
import { finish, Turns, type Steps } from '../../src/procfs/steps.ts';

function* counting(to: number, seen: number[]): Steps<string> {
  for (let count = 0; count < to; count += 1) {
    seen.push(count);
    yield;
  }
  return 'done';
}

t.test('all of it at once', (t) => {
  const seen: number[] = [];
  t.equal(finish(counting(3, seen)), 'done');
  t.same(seen, [0, 1, 2]);
  t.end();
});

t.test('in slices the event loop has its turn in between, and all is done', async (t) => {
  const seen: number[] = [];
  const turns: number[] = [];
  const each = () => {
    turns.push(seen.length);
    timer = setImmediate(each);
  };
  let timer = setImmediate(each);
  // Every step takes longer than its slice.
  t.equal(await new Turns(0).run(counting(5, seen)), 'done');
  clearImmediate(timer);
  t.same(seen, [0, 1, 2, 3, 4]);
  t.ok(new Set(turns).size >= 4, `others had a turn after ${turns.join(', ')} steps`);
});

t.test('what fits into one slice keeps nobody waiting', async (t) => {
  const seen: number[] = [];
  let turned = false;
  setImmediate(() => {
    turned = true;
  });
  await new Turns(60_000).run(counting(100, seen));
  t.notOk(turned);
});

t.test('without slices nobody has a turn before it is done', async (t) => {
  const seen: number[] = [];
  let turned = false;
  setImmediate(() => {
    turned = true;
  });
  const turns = new Turns();
  await turns.run(counting(100, seen));
  await turns.pass();
  t.notOk(turned);
});

t.test('what it throws is thrown', async (t) => {
  function* failing(): Steps<void> {
    yield;
    throw new Error('EIO');
  }
  t.throws(
    () => {
      finish(failing());
    },
    { message: 'EIO' },
  );
  await t.rejects(new Turns(0).run(failing()), { message: 'EIO' });
});

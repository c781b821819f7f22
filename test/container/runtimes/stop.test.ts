import t from 'tap';
import type { CommandResult } from '../../../src/container/runtimes/command.ts';
import type { Engine } from '../../../src/container/runtimes/engines.ts';
import { Host, rootUser } from '../../../src/container/runtimes/host.ts';
import { parseListed, type ListedContainer } from '../../../src/container/runtimes/listed.ts';
import { needsStopping, stopContainers } from '../../../src/container/runtimes/stop.ts';
import { hexId, hostTree } from '../../helpers/host-tree.ts';

const id = hexId('a');

function inspect(status: string, more: { count?: number; started?: string; policy?: string } = {}): object {
  const { count = 0, started = new Date().toISOString(), policy = 'always' } = more;
  return {
    Id: id,
    Name: 'web',
    RestartCount: count,
    State: { Status: status, StartedAt: started },
    HostConfig: { RestartPolicy: { Name: policy } },
  };
}

const listed = (value: object): ListedContainer[] => parseListed([value])!;
const said = (stdout: string): CommandResult => ({ outcome: 'exit', code: 0, stdout, stderr: '' });
const failed = (stderr: string): CommandResult => ({ outcome: 'exit', code: 125, stdout: '', stderr });

/** An engine whose container is in these states, one after the other at each list; the last one stays. */
function engine(
  states: (object | 'error')[],
  stop: CommandResult = said(''),
): { engine: Engine; orders: string[] } {
  const orders: string[] = [];
  let list = -1;
  const run = (args: string[]): Promise<CommandResult> => {
    if (args[0] === 'ps') {
      list = Math.min(list + 1, states.length - 1);
      return Promise.resolve(states[list] === 'error' ? failed('Error: locked') : said(`${id}\n`));
    }
    if (args[0] === 'container') return Promise.resolve(said(JSON.stringify([states[list]])));
    orders.push(args[0]!);
    return Promise.resolve(args[0] === 'stop' ? stop : said(''));
  };
  return { engine: { runtime: 'podman', user: rootUser, run }, orders };
}

const looping = { count: 9 };

const cases: {
  name: string;
  before: object;
  states: (object | 'error')[];
  stop?: CommandResult;
  orders: string[];
  outcome: string;
  detail?: string;
}[] = [
  {
    name: 'stopped at once',
    before: inspect('running'),
    states: [inspect('exited')],
    orders: ['stop'],
    outcome: 'stopped',
  },
  {
    name: 'a crash loop that looks ended, and is between two restarts',
    before: inspect('exited', looping),
    states: [inspect('exited', looping), inspect('running', looping), inspect('exited', looping)],
    orders: ['stop', 'stop'],
    outcome: 'stopped',
  },
  {
    name: 'one that stays',
    before: inspect('running'),
    states: [inspect('running')],
    stop: failed('time="x" level=warning\nError: given up'),
    orders: Array<string>(6).fill('stop'),
    outcome: 'failed',
    detail: 'Error: given up',
  },
  {
    name: 'an order that is refused because it has ended',
    before: inspect('running'),
    states: [inspect('exited')],
    stop: failed('Error: no such container'),
    orders: ['stop'],
    outcome: 'stopped',
  },
  {
    name: 'a paused one is woken first',
    before: inspect('paused'),
    states: [inspect('exited')],
    orders: ['unpause', 'stop'],
    outcome: 'stopped',
  },
  {
    name: 'a list that fails is no proof',
    before: inspect('running'),
    states: ['error'],
    orders: Array<string>(6).fill('stop'),
    outcome: 'failed',
    detail: 'it still runs',
  },
];

for (const { name, before, states, stop, orders, outcome, detail } of cases) {
  t.test(name, async (t) => {
    const tree = hostTree(t, []);
    const fake = engine(states, stop);
    const options = { host: new Host(tree.root, {}), proc: tree.proc, timeoutMs: 1_000, stopMs: 1_000 };
    const [result] = await stopContainers(fake.engine, listed(before), options);
    t.match(result, { outcome, detail });
    t.strictSame(fake.orders, orders);
  });
}

t.test('after an interruption no order is given', async (t) => {
  const tree = hostTree(t, []);
  const fake = engine([inspect('running')]);
  const options = { host: new Host(tree.root, {}), proc: tree.proc, timeoutMs: 1_000, stopMs: 1_000 };
  const signal = AbortSignal.abort();
  const [result] = await stopContainers(fake.engine, listed(inspect('running')), { ...options, signal });
  t.match(result, { outcome: 'failed' });
  t.strictSame(fake.orders, []);
});

t.test('what needs to be stopped', (t) => {
  const now = Date.parse('2026-01-02T09:00:00Z');
  const recent = '2026-01-02T08:59:30Z';
  const rows: [state: object, needed: boolean][] = [
    [inspect('running'), true],
    [inspect('paused'), true],
    [inspect('restarting'), true],
    [inspect('a word of tomorrow'), true],
    [inspect('created', { started: '0001-01-01T00:00:00Z' }), false],
    [inspect('exited', { started: recent }), false],
    [inspect('exited', { started: recent, count: 9 }), true],
    [inspect('exited', { started: recent, count: 9, policy: 'no' }), false],
    [inspect('exited', { started: '2026-01-01T09:00:00Z', count: 9 }), false],
  ];
  for (const [state, needed] of rows)
    t.equal(needsStopping(listed(state)[0]!, now), needed, JSON.stringify(state));
  t.end();
});

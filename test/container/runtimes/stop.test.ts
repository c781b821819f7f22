import { rmSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import type { CommandResult } from '../../../src/container/runtimes/command.ts';
import type { Engine } from '../../../src/container/runtimes/engines.ts';
import { Host, rootUser } from '../../../src/container/runtimes/host.ts';
import { parseListed, type ListedContainer } from '../../../src/container/runtimes/listed.ts';
import { needsStopping, stopContainers } from '../../../src/container/runtimes/stop.ts';
import { hexId, hostTree } from '../../helpers/host-tree.ts';

const id = hexId('a');

const inspect = (status: string): object => ({ Id: id, Name: 'web', State: { Status: status } });

const listed = (value: object): ListedContainer[] => parseListed([value])!;
const said = (stdout: string): CommandResult => ({ outcome: 'exit', code: 0, stdout, stderr: '' });
const failed = (stderr: string): CommandResult => ({ outcome: 'exit', code: 125, stdout: '', stderr });

/**
 * An engine whose container is in these states, one after the other at each list; the last one stays. `onList` is told
 * which one is next.
 */
function engine(
  states: (object | 'error')[],
  stop: CommandResult = said(''),
  onList: (list: number) => void = () => undefined,
): { engine: Engine; orders: string[] } {
  const orders: string[] = [];
  let list = -1;
  const run = (args: string[]): Promise<CommandResult> => {
    if (args[0] === 'ps') {
      list = Math.min(list + 1, states.length - 1);
      onList(list);
      return Promise.resolve(states[list] === 'error' ? failed('Error: locked') : said(`${id}\n`));
    }
    if (args[0] === 'container') return Promise.resolve(said(JSON.stringify([states[list]])));
    orders.push(args[0]!);
    return Promise.resolve(args[0] === 'stop' ? stop : said(''));
  };
  return { engine: { runtime: 'podman', user: rootUser, run }, orders };
}

const conmon = { pid: 20, ppid: 1, cmdline: ['/usr/bin/conmon', '--api-version', '1', '-c', id, '-u', id] };
const cleaner = { pid: 20, ppid: 1, cmdline: ['/usr/bin/podman', 'container', 'cleanup', id] };

const cases: {
  name: string;
  before: object;
  states: (object | 'error')[];
  /** A process that goes with the list before the last state's. */
  process?: typeof conmon;
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
    name: 'a crash loop between two restarts, while its conmon waits',
    before: inspect('exited'),
    states: ['exited', 'exited', 'running', 'exited', 'exited'].map(inspect),
    process: conmon,
    orders: Array<string>(5).fill('stop'),
    outcome: 'stopped',
  },
  {
    name: 'one that podman cleans up after, and does not start again',
    before: inspect('running'),
    states: ['exited', 'exited', 'exited', 'exited'].map(inspect),
    process: cleaner,
    orders: Array<string>(4).fill('stop'),
    outcome: 'stopped',
  },
  {
    name: "somebody else's conmon",
    before: inspect('running'),
    states: ['exited', 'running'].map(inspect),
    process: { ...conmon, cmdline: ['/usr/bin/conmon', '-c', hexId('b'), '-u', hexId('b')] },
    orders: ['stop'],
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

for (const { name, before, states, process, stop, orders, outcome, detail } of cases) {
  t.test(name, async (t) => {
    const tree = hostTree(t, process === undefined ? [] : [process]);
    const fake = engine(states, stop, (list) => {
      if (list === states.length - 2) rmSync(join(tree.proc.root, '20'), { recursive: true, force: true });
    });
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
  const rows: [state: string, needed: boolean][] = [
    ['running', true],
    ['paused', true],
    ['restarting', true],
    ['a word of tomorrow', true],
    ['created', false],
    ['exited', false],
  ];
  const { proc } = hostTree(t, [{ pid: 20, ppid: 1, cmdline: ['sleep'] }]);
  const asked = (container: object, inHand: string[] = []) =>
    needsStopping(listed(container)[0]!, { proc, inHand: new Set(inHand) });
  for (const [state, needed] of rows) {
    t.equal(asked(inspect(state)), needed, state);
    t.equal(asked(inspect(state), [hexId('b')]), needed, `${state}, and another is in podman's hand`);
    t.equal(asked(inspect(state), [id]), true, `${state}, and in podman's hand`);
  }
  const recorded = (Pid: number, more = {}) => ({
    ...inspect('running'),
    State: { Status: 'running', Pid, ...more },
  });
  t.equal(asked(recorded(20, { ConmonPid: 19 })), true);
  t.equal(asked(recorded(21, { ConmonPid: 19 })), false, 'podman did not notice its end');
  t.equal(asked(recorded(21, { ConmonPid: 20 })), true, 'hidepid may hide its process, and conmon is there');
  t.equal(asked(recorded(21)), true, "docker's word is enough: its processes may be elsewhere");
  t.end();
});

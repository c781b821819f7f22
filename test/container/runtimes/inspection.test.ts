import t from 'tap';
import { parseDockerConfig, parseInspection, parseJson } from '../../../src/container/runtimes/inspection.ts';
import { hexId } from '../../helpers/host-tree.ts';

const id = hexId('a');

for (const [status, state] of [
  ['running', 'running'],
  ['paused', 'paused'],
  ['restarting', 'restarting'],
  ['stopping', 'stopping'],
  ['removing', 'stopping'],
  ['created', 'created'],
  ['configured', 'created'],
  ['initialized', 'created'],
  ['exited', 'exited'],
  ['stopped', 'exited'],
  ['dead', 'exited'],
  ['hibernating', undefined],
] as const) {
  t.test(`status ${status} is ${state ?? 'nothing that a verdict may rest on'}`, (t) => {
    t.equal(parseInspection({ Id: id, State: { Status: status } })?.state, state);
    t.end();
  });
}

t.test('an inspection has name, pid, labels and restarts', (t) => {
  const value = {
    Id: id,
    Name: '/web',
    State: { Status: 'running', Pid: 12 },
    Config: { Labels: { a: 'b', odd: 7 } },
    RestartCount: 63,
  };
  t.strictSame(parseInspection(value), {
    id,
    state: 'running',
    pid: 12,
    name: 'web',
    labels: { a: 'b' },
    restartCount: 63,
  });
  t.end();
});

t.test('pid 0 is no pid, and labels may be null', (t) => {
  const found = parseInspection({
    Id: id,
    Name: 'web',
    State: { Status: 'exited', Pid: 0 },
    Config: { Labels: null },
  });
  t.match(found, { pid: undefined, name: 'web', labels: {}, restartCount: undefined });
  t.end();
});

t.test('what is no inspection is no answer', (t) => {
  for (const value of [
    undefined,
    null,
    'x',
    [],
    {},
    { Id: id },
    { Id: 7, State: { Status: 'exited' } },
    { Id: id, State: {} },
  ])
    t.equal(parseInspection(value), undefined, JSON.stringify(value));
  t.end();
});

const recorded: [string, object, string][] = [
  ['running', { Running: true, Pid: 12 }, 'running'],
  ['paused', { Running: true, Paused: true, Pid: 12 }, 'paused'],
  ['between two restarts', { Running: true, Restarting: true, Pid: 0 }, 'restarting'],
  ['being removed', { Running: false, RemovalInProgress: true }, 'stopping'],
  ['never started', { Running: false, StartedAt: '0001-01-01T00:00:00Z' }, 'created'],
  ['exited', { Running: false, StartedAt: '2026-01-02T09:00:00Z' }, 'exited'],
];
for (const [name, State, state] of recorded) {
  t.test(`docker’s record: ${name}`, (t) => {
    const found = parseDockerConfig(
      JSON.stringify({ ID: id, Name: '/web', State, Config: { Labels: { a: 'b' } } }),
    );
    t.match(found, { id, state, name: 'web', labels: { a: 'b' } });
    t.end();
  });
}

t.test('a torn record is no record', (t) => {
  for (const text of ['', '{"ID":"', '[]', '{}', '{"ID":"x"}', '{"ID":"x","State":null}'])
    t.equal(parseDockerConfig(text), undefined, text);
  t.equal(parseJson('{'), undefined);
  t.end();
});

import t from 'tap';
import type { Answer, Known } from '../../../src/container/runtimes/answer.ts';
import { mergeAnswers, unanswered } from '../../../src/container/runtimes/merge.ts';
import { hexId } from '../../helpers/host-tree.ts';

type Via = Answer['via'];
const source = (user: string, via: Via, runtime: 'podman' | 'docker' = 'podman') => ({
  runtime,
  user,
  via,
  source: `${via} of ${user}`,
});
const absent = (user: string, via: Via = 'record'): Answer => ({ ...source(user, via), result: 'absent' });
const silent = (user: string, via: Via = 'record'): Answer => ({
  ...source(user, via),
  result: 'silent',
  reason: 'EACCES',
});
const known = (state: Known['state'], more: Partial<Known> = {}): Known => ({
  ...source('root', 'record'),
  result: 'known',
  id: hexId('a'),
  state,
  pid: undefined,
  name: undefined,
  labels: {},
  restartCount: undefined,
  ...more,
});

const cases: {
  name: string;
  answers: Answer[];
  present?: boolean;
  conclusive?: boolean;
  expected: object;
}[] = [
  {
    name: 'all answered, none knows it',
    answers: [absent('root'), absent('alice')],
    expected: { state: 'absent' },
  },
  { name: 'one did not answer', answers: [absent('root'), silent('alice')], expected: { state: 'silent' } },
  {
    name: 'a record that can’t be read, and the engine answers for it',
    answers: [silent('root'), absent('root', 'socket')],
    expected: { state: 'absent' },
  },
  {
    name: 'root’s engine does not answer for alice',
    answers: [silent('alice'), absent('root', 'socket')],
    expected: { state: 'silent' },
  },
  {
    name: 'a record answers for the record only: its silent engine is nobody’s word for it',
    answers: [absent('root'), silent('root', 'socket')],
    expected: { state: 'silent' },
  },
  { name: 'nobody to ask, and the runtime is here', answers: [], expected: { state: 'silent' } },
  {
    name: 'nobody to ask, and no such runtime',
    answers: [],
    present: false,
    expected: { state: 'not-installed' },
  },
  {
    name: 'that nobody knows it can’t be said of a container in a container',
    answers: [absent('root')],
    conclusive: false,
    expected: { state: 'silent' },
  },
  {
    name: 'nobody to ask of a runtime without a name',
    answers: [],
    present: false,
    conclusive: false,
    expected: { state: 'silent' },
  },
  {
    name: 'one knows it, whatever the others say',
    answers: [silent('alice'), known('running', { pid: 12, name: 'web' }), absent('root', 'socket')],
    expected: { state: 'running', pid: 12, name: 'web' },
  },
  {
    name: 'listed, and its state is not known',
    answers: [known(undefined, { name: 'web' })],
    expected: { state: 'silent', name: 'web' },
  },
  {
    name: 'podman says created of what its pidfile names as running: podman’s word is the later one, the pid stays',
    answers: [known('running', { pid: 12 }), known('created', { via: 'cli' })],
    expected: { state: 'created', pid: 12 },
  },
  {
    name: 'a word that says nothing does not replace the record’s',
    answers: [known('running', { pid: 12 }), known(undefined, { via: 'socket' })],
    expected: { state: 'running', pid: 12 },
  },
  {
    name: 'name and labels come from whoever has them',
    answers: [
      known('running', { name: 'web' }),
      known('running', { via: 'socket', labels: { a: 'b' }, restartCount: 63 }),
    ],
    expected: { name: 'web', labels: { a: 'b' }, restartCount: 63 },
  },
  {
    name: 'of two engines that know the id, the one where it lives',
    answers: [known('exited'), known('paused', { user: 'alice', pid: 12 })],
    expected: { state: 'paused', pid: 12 },
  },
];

for (const { name, answers, present = true, conclusive = true, expected } of cases) {
  t.test(name, (t) => {
    const view = mergeAnswers(answers, { present, conclusive });
    t.match(view, expected);
    t.equal(view.evidence.length, answers.length, 'every answer is evidence');
    t.end();
  });
}

t.test('evidence says who said what', (t) => {
  const { evidence } = mergeAnswers(
    [
      known('exited', { note: 'pid 12 has ended' }),
      known('running', { via: 'cli', pid: 12 }),
      absent('bob'),
      silent('alice'),
    ],
    { present: true, conclusive: true },
  );
  t.strictSame(
    evidence.map(({ fact, value }) => `${fact}: ${value}`),
    [
      'podman of root (record): exited (pid 12 has ended)',
      'podman of root (cli): running, pid 12',
      'podman of bob (record): does not know the container',
      'podman of alice (record): did not answer: EACCES',
    ],
  );
  t.end();
});

t.test('a silent source is unanswered unless the same engine was asked and spoke', (t) => {
  const record = silent('root');
  t.strictSame(unanswered([record]), [record]);
  t.strictSame(unanswered([record, absent('root', 'cli')]), []);
  t.strictSame(unanswered([record, known('running', { via: 'socket' })]), []);
  t.strictSame(unanswered([record, { ...absent('root', 'cli'), runtime: 'docker' }]), [record]);
  t.end();
});

import t from 'tap';
import { interpolate, interpolateAll, parseEnv } from '../../../src/cli/init/compose-variables.ts';

const variables = { PORT: '8091', EMPTY: '', HOST: 'a.b' };

const cases: [text: string, want: string][] = [
  ['$PORT', '8091'],
  ['${PORT}:80', '8091:80'],
  ['${NONE:-8080}', '8080'],
  ['${EMPTY:-8080}', '8080'],
  ['${EMPTY-8080}', ''],
  ['${NONE-8080}', '8080'],
  ['${PORT:-8080}', '8091'],
  ['${NONE:-${PORT}}', '8091'],
  ['${PORT:+set}', 'set'],
  ['${EMPTY:+set}', ''],
  ['${EMPTY+set}', 'set'],
  ['${PORT:?must be set}', '8091'],
  ['${NONE:?must be set}', ''],
  ['$NONE', ''],
  ['$$PORT', '$PORT'],
  ['a $ b ${', 'a $ b ${'],
  ['http://${HOST}:${PORT}/', 'http://a.b:8091/'],
];

t.test('variables of a compose file', (t) => {
  for (const [text, want] of cases) t.equal(interpolate(text, variables), want, text);
  t.same(interpolateAll({ a: ['$PORT', 1, null], b: { c: true } }, variables), {
    a: ['8091', 1, null],
    b: { c: true },
  });
  t.end();
});

t.test('an .env file', (t) => {
  const text = [
    '# comment',
    'PORT=8091',
    'export A = b ',
    "QUOTED='a # b' # c",
    'DOUBLE="x y"',
    'BARE=x # c',
    'HASH=a#b',
    'EMPTY=',
    'no assignment',
    '1X=2',
    'URL=http://h/?a=b',
  ].join('\n');
  t.same(parseEnv(text), {
    PORT: '8091',
    A: 'b',
    QUOTED: 'a # b',
    DOUBLE: 'x y',
    BARE: 'x',
    HASH: 'a#b',
    EMPTY: '',
    URL: 'http://h/?a=b',
  });
  t.end();
});

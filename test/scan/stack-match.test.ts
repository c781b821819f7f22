import t from 'tap';
import { isStackContainer, matchesGlob } from '../../src/scan/stack-match.ts';

const stack = { names: ['local-ai-*', 'db?'], labels: ['stack', 'tier=back=end'], projects: ['ai'] };

const table: [string, string | undefined, Record<string, string>, boolean][] = [
  ['a name that the glob covers', 'local-ai-aidb', {}, true],
  ['a name that only contains the glob', 'my-local-ai-aidb', {}, false],
  ['one character for ?', 'db1', {}, true],
  ['two characters for ?', 'db12', {}, false],
  ['a label by key', 'x', { stack: '' }, true],
  ['a label by value, = in it', 'x', { tier: 'back=end' }, true],
  ['a label with another value', 'x', { tier: 'back' }, false],
  ['a docker compose project', 'x', { 'com.docker.compose.project': 'ai' }, true],
  ['a podman compose project', undefined, { 'io.podman.compose.project': 'ai' }, true],
  ['another project', 'x', { 'com.docker.compose.project': 'other' }, false],
  ['no name and no label', undefined, {}, false],
];

for (const [name, container, labels, expected] of table) {
  t.test(`${expected ? 'of' : 'not of'} the stack: ${name}`, (t) => {
    t.equal(isStackContainer({ name: container, labels }, stack), expected);
    t.end();
  });
}

t.test('a glob takes regular expression characters to the letter', (t) => {
  t.equal(matchesGlob('a.b(c)', 'a.b(c)'), true);
  t.equal(matchesGlob('axb(c)', 'a.b(c)'), false);
  t.equal(matchesGlob('a\nb', 'a*b'), true);
  t.end();
});

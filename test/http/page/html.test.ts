import t from 'tap';
import { commandLine, html, ownMarkup, visible } from '../../../src/http/page/html.ts';

t.test('values are escaped, in text and in quoted attributes', (t) => {
  const hostile = `</p><script>alert('1')</script>" onload="x" \`&amp;`;
  const { markup } = html`<p title="${hostile}">${hostile}</p>`;
  const escaped =
    '&lt;/p&gt;&lt;script&gt;alert(&#39;1&#39;)&lt;/script&gt;&quot; onload=&quot;x&quot; &#96;&amp;amp;';
  t.equal(markup, `<p title="${escaped}">${escaped}</p>`);
  t.end();
});

t.test('only what html made is HTML', (t) => {
  t.equal(html`<b>${html`<i>${'<'}</i>`}</b>`.markup, '<b><i>&lt;</i></b>');
  t.equal(html`${[html`<br />`, '<b>', 3]}`.markup, '<br />&lt;b&gt;3');
  t.equal(html`[${null}${undefined}${false}${''}${0}]`.markup, '[0]');
  t.equal(html`${ownMarkup('<hr>')}`.markup, '<hr>');
  const fake = { markup: '<script>' };
  t.throws(() => html`${fake}`.markup, 'an object that looks like it is not');
  t.end();
});

t.test('what can not be seen, or turns or hides text, is shown as an escape', (t) => {
  const cases: [string, string][] = [
    ['\u001b[31mred\u0007', '\\x1b[31mred\\x07'],
    ['a\nb\tc\0', 'a\\x0ab\\x09c\\x00'],
    ['\u009b2J', '\\x9b2J'],
    ['user\u202egpj.exe', 'user\\u{202e}gpj.exe'],
    ['a\u200bb\ufeff', 'a\\u{200b}b\\u{feff}'],
    ['\u2066x\u2069', '\\u{2066}x\\u{2069}'],
    ['\u2028', '\\u{2028}'],
    ['\ud800', '\\u{d800}'],
    ['\u{e0001}', '\\u{e0001}'],
    ['héllo 日本 😀', 'héllo 日本 😀'],
  ];
  for (const [text, shown] of cases) t.equal(visible(text), shown);
  t.equal(visible('x'.repeat(500)).length, 401, 'and it ends');
  t.end();
});

t.test('a command line keeps its arguments apart', (t) => {
  t.equal(
    commandLine(['python3', '-u', '/app/server.py', '--config=/x']),
    'python3 -u /app/server.py --config=/x',
  );
  t.equal(commandLine(['sh', '-c', 'echo "a b"', '']), 'sh -c "echo \\"a b\\"" ""');
  t.equal(commandLine(['a', '\u001b[2J\n']), 'a "\\u001b[2J\\n"');
  t.equal(commandLine(['\u202e']), '"\\u{202e}"');
  t.end();
});

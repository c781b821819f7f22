import t from 'tap';
import { commandText, cut, escape, jsonText } from '../../src/cli/escape.ts';

const hostile: [name: string, text: string, safe: string][] = [
  ['an escape sequence', '\x1b[31mred\x1b[0m', '\\x1b[31mred\\x1b[0m'],
  ['a title change', '\x1b]0;owned\x07', '\\x1b]0;owned\\x07'],
  ['a C1 control sequence introducer', '\x9b31m', '\\x9b31m'],
  ['newline, carriage return and tab', 'a\nb\rc\td', 'a\\nb\\rc\\td'],
  ['NUL, backspace and DEL', '\0\b\x7f', '\\x00\\x08\\x7f'],
  ['a bidi override', 'nginx\u202egnp.exe', 'nginx\\u202egnp.exe'],
  ['bidi isolates and marks', '\u2066\u2069\u200e\u061c', '\\u2066\\u2069\\u200e\\u061c'],
  ['zero-width characters', 'a\u200bb\ufeffc\u00add', 'a\\u200bb\\ufeffc\\xadd'],
  ['line and paragraph separators', '\u2028\u2029', '\\u2028\\u2029'],
  ['invisible tags', '\u{e0041}', '\\u{e0041}'],
  ['half a surrogate pair', 'a\ud800b', 'a\\ud800b'],
  ['private use', '\ue000', '\\ue000'],
  ['bytes that were not UTF-8', 'a\ufffdb', 'a\\ufffdb'],
  ['letters of any language', 'größe 日本語 👍', 'größe 日本語 👍'],
  ['a backslash', 'server\\.py', 'server\\.py'],
];

t.test('nothing that a process is called reaches the terminal as more than text', (t) => {
  for (const [name, text, safe] of hostile) t.equal(escape(text), safe, name);
  t.end();
});

t.test('JSON has the values as they are, and none of those characters', (t) => {
  for (const [name, text] of hostile) {
    const json = jsonText({ cmdline: [text] });
    t.same(JSON.parse(json), { cmdline: [text] }, name);
    t.notMatch(
      json,
      /[\p{Cc}\p{Cf}\p{Cs}\p{Co}\p{Zl}\p{Zp}]/u.exec(json.replaceAll('\n', ''))?.[0] ?? /never^/,
      name,
    );
    t.equal(json.split('\n').length, 5, `${name}: only the indentation breaks lines`);
  }
  t.end();
});

const commands: [name: string, cmdline: string[], text: string][] = [
  ['words', ['python3', '-u', '/app/server.py'], 'python3 -u /app/server.py'],
  ['an argument with a space, which is not two', ['sh', '-c', 'sleep 1'], "sh -c 'sleep 1'"],
  ['an empty argument', ['a', '', 'b'], "a '' b"],
  ['a quote in an argument', ["it's"], "'it\\'s'"],
  ['a newline in an argument', ['a', 'b\nKilled process 1'], "a 'b\\nKilled process 1'"],
  ['nothing', [], ''],
];

t.test('a command line is one line in which every argument can be told apart', (t) => {
  for (const [name, cmdline, text] of commands) t.equal(commandText(cmdline), text, name);
  t.end();
});

t.test('a long command line ends with …, and what is cut off costs nothing', (t) => {
  t.equal(commandText(['a'.repeat(500)], 20), `${'a'.repeat(19)}…`);
  t.equal(commandText(['a'.repeat(10), 'b'.repeat(10)], 21), `${'a'.repeat(10)} ${'b'.repeat(10)}`);
  t.equal(commandText(['x', '\x1b'.repeat(3_000_000)], 12), 'x \\x1b\\x1b\\…');
  t.equal(
    commandText(
      Array.from({ length: 1_000_000 }, () => 'y'),
      5,
    ),
    'y y …',
  );
  t.equal(cut('👍👍👍', 2), '👍…');
  t.end();
});

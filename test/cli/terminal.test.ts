import t from 'tap';
import { openTerminal } from '../../src/cli/terminal.ts';

class Stream {
  text = '';
  readonly isTTY: boolean;
  readonly columns: number | undefined;
  constructor(isTTY: boolean, columns?: number) {
    this.isTTY = isTTY;
    this.columns = columns;
  }
  write(text: string): void {
    this.text += text;
  }
}

const colours: [
  name: string,
  tty: boolean,
  env: Record<string, string>,
  noColor: boolean,
  coloured: boolean,
][] = [
  ['a terminal', true, {}, false, true],
  ['a pipe', false, {}, false, false],
  ['NO_COLOR', true, { NO_COLOR: '1' }, false, false],
  ['an empty NO_COLOR is none', true, { NO_COLOR: '' }, false, true],
  ['--no-color', true, {}, true, false],
  ['a dumb terminal', true, { TERM: 'dumb' }, false, false],
];

t.test('colours are for terminals, unless somebody asked for none', (t) => {
  for (const [name, tty, env, noColor, coloured] of colours) {
    const terminal = openTerminal(new Stream(tty), new Stream(tty), env, noColor);
    t.equal(terminal.sign('ok'), coloured ? '\x1b[32m✓\x1b[0m' : '✓', name);
    t.equal(terminal.strong('x'), coloured ? '\x1b[1mx\x1b[0m' : 'x', name);
  }
  t.end();
});

t.test('a coloured sign on standard error goes without its colour into a file', (t) => {
  const [out, err] = [new Stream(true), new Stream(false)];
  const terminal = openTerminal(out, err, {}, false);
  terminal.err(`${terminal.sign('fail')} no`);
  t.equal(err.text, '✗ no\n');
  t.end();
});

t.test('progress is one line of a terminal, gone before anything else is written', (t) => {
  const [out, err] = [new Stream(true), new Stream(true, 12)];
  const terminal = openTerminal(out, err, {}, false);
  terminal.progress('waiting for long');
  terminal.progress('waiting');
  terminal.out('done');
  terminal.progress('');
  t.equal(err.text, 'waiting for\r\x1b[Kwaiting\r\x1b[K');
  t.equal(out.text, 'done\n');
  t.end();
});

t.test('a terminal that does not know its width has 80 columns', (t) => {
  const err = new Stream(true, 0);
  openTerminal(new Stream(true), err, {}, false).progress('x'.repeat(200));
  t.equal(err.text.length, 79);
  t.end();
});

t.test('a file gets no progress', (t) => {
  const err = new Stream(false);
  openTerminal(new Stream(true), err, {}, false).progress('waiting');
  t.equal(err.text, '');
  t.end();
});

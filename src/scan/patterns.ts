/**
 * Decides whether a command line is one of the stack's. A pattern's match must begin in the program itself or, for an
 * interpreter, in its script or module: `tail -f server.py --config` and `podman exec aidb …` only mention a name.
 */

/** A longer command line is cut: patterns are the user's, command lines are anybody's, and `.*` twice is quadratic. */
const MAX_LENGTH = 4096;

interface Span {
  start: number;
  end: number;
}

/** What an interpreter's options look like, so that its script can be found behind them. */
interface Interpreter {
  name: RegExp;
  /** Options that take the next argument as their value. */
  withValue: readonly string[];
  /** Options whose value is the script or module. */
  script: readonly string[];
  /** Options whose value is program text: there is no script then. */
  inline: readonly string[];
}

const interpreters: readonly Interpreter[] = [
  {
    name: /^(python|pypy)[\d.]*$/,
    withValue: ['-W', '-X', '--check-hash-based-pycs'],
    script: ['-m'],
    inline: ['-c'],
  },
  {
    name: /^(node|nodejs|bun|deno)$/,
    withValue: [
      '-r',
      '--require',
      '--import',
      '--loader',
      '--experimental-loader',
      '-C',
      '--conditions',
      '--env-file',
    ],
    script: [],
    inline: ['-e', '--eval', '-p', '--print'],
  },
  {
    name: /^(ba|da|z|k|a|fi)?sh$/,
    withValue: ['-o', '+o', '-O', '+O', '--rcfile', '--init-file'],
    script: [],
    inline: [],
  },
  { name: /^(ruby|jruby)[\d.]*$/, withValue: ['-I', '-r', '-C', '-E'], script: ['-S'], inline: ['-e'] },
  { name: /^perl[\d.]*$/, withValue: ['-I', '-M'], script: [], inline: ['-e', '-E'] },
  { name: /^php[\d.]*$/, withValue: ['-c', '-d', '-z'], script: ['-f'], inline: ['-r'] },
  {
    name: /^java$/,
    withValue: ['-cp', '-classpath', '--class-path', '-p', '--module-path'],
    script: ['-jar', '-m'],
    inline: [],
  },
  { name: /^Rscript$/, withValue: [], script: [], inline: ['-e'] },
];

const shell = /^(ba|da|z|k|a|fi)?sh$/;

/** Programs that only start the program that follows them, and stay in front of it on the command line. */
const busybox = /^(busybox|toybox)$/;

function basename(path: string): string {
  // A login shell's argv[0] begins with a dash.
  return path.slice(path.lastIndexOf('/') + 1).replace(/^-/, '');
}

/** A process may rewrite its own title as one string (setproctitle(3bsd)): take the words apart again. */
function words(cmdline: readonly string[]): readonly string[] {
  const [only] = cmdline;
  return cmdline.length === 1 && only?.includes(' ') ? only.split(' ') : cmdline;
}

/** The index of the interpreter's script or module among the arguments, or undefined if it has none. */
function scriptIndex(args: readonly string[], program: number): number | undefined {
  const interpreter = interpreters.find(({ name }) => name.test(basename(args[program] ?? '')));
  if (interpreter === undefined) return undefined;
  let index = program + 1;
  for (let arg = args[index]; arg !== undefined; arg = args[index]) {
    if (arg === '--') return index + 1;
    if (interpreter.script.includes(arg)) return index + 1;
    if (interpreter.inline.includes(arg)) return undefined;
    if (interpreter.withValue.includes(arg)) index += 2;
    else if (arg.startsWith('-') && arg !== '-') index += 1;
    else return index;
  }
  return undefined;
}

/** `sh -c TEXT`: the text's first command is what runs; it is judged like a command line of its own. */
function shellText(args: readonly string[], program: number): number | undefined {
  if (!shell.test(basename(args[program] ?? ''))) return undefined;
  const option = args.findIndex((arg, index) => index > program && /^-[a-z]*c[a-z]*$/.test(arg));
  const before = args.slice(program + 1, option);
  return option > 0 && before.every((arg) => arg.startsWith('-')) ? option + 1 : undefined;
}

/** The script or module of an interpreter's command line, and what follows it; undefined where it has none. */
export function scriptOf(args: readonly string[]): readonly string[] | undefined {
  const index = shellText(args, 0) === undefined ? scriptIndex(args, 0) : undefined;
  return index === undefined ? undefined : args.slice(index);
}

/** Where in `text` (the arguments joined by one space) a match may begin. */
function spans(args: readonly string[], depth = 0): Span[] {
  const starts: number[] = [];
  let offset = 0;
  for (const arg of args) {
    starts.push(offset);
    offset += arg.length + 1;
  }
  const span = (index: number): Span[] => {
    const arg = args[index];
    const start = starts[index];
    return arg === undefined || start === undefined ? [] : [{ start, end: start + arg.length }];
  };
  const program = busybox.test(basename(args[0] ?? '')) && args.length > 1 ? 1 : 0;
  const text = shellText(args, program);
  if (text !== undefined && depth === 0) {
    const start = starts[text];
    const command = args[text]?.split(/[;&|\n]/, 1)[0] ?? '';
    const inner = spans(command.split(' '), depth + 1);
    return start === undefined
      ? []
      : inner.map((each) => ({ start: start + each.start, end: start + each.end }));
  }
  const script = text === undefined ? scriptIndex(args, program) : undefined;
  return [...span(program), ...(script === undefined ? [] : span(script))];
}

/** Compiles a pattern so that it can be searched from one position on. Throws SyntaxError as RegExp does. */
export function compilePattern(pattern: string): RegExp {
  return new RegExp(pattern, 'g');
}

/** The patterns that a command line matches, in the order given; none for a process without one (kernel thread, state Z). */
export function matchingPatterns(
  cmdline: readonly string[],
  patterns: ReadonlyMap<string, RegExp>,
): string[] {
  if (cmdline.length === 0) return [];
  const args = words(cmdline);
  const text = args.join(' ').slice(0, MAX_LENGTH);
  // Most command lines have nothing of a pattern anywhere: where a match may begin need not be worked out for them.
  const anywhere = { start: 0, end: Infinity };
  const mentioned = [...patterns].filter(([, regex]) => beginsIn(text, regex, anywhere));
  if (mentioned.length === 0) return [];
  const where = spans(args);
  return mentioned
    .filter(([, regex]) => where.some((span) => beginsIn(text, regex, span)))
    .map(([pattern]) => pattern);
}

// The first match from the span's start on is behind the span only if none begins in it.
function beginsIn(text: string, regex: RegExp, span: Span): boolean {
  regex.lastIndex = span.start;
  const match = regex.exec(text);
  return match !== null && match.index < span.end;
}

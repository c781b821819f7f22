/** How important a line is: information, something to look at, done, failed. */
export type Tone = 'info' | 'warn' | 'ok' | 'fail';

const signs: Readonly<Record<Tone, { sign: string; colour: number }>> = {
  info: { sign: 'ℹ', colour: 34 },
  warn: { sign: '⚠', colour: 33 },
  ok: { sign: '✓', colour: 32 },
  fail: { sign: '✗', colour: 31 },
};

/** Where a command writes. Lines must be safe to print already (escape.ts). */
export interface Terminal {
  /** Results, on standard output. */
  out: (line: string) => void;
  /** Errors and remarks, on standard error. */
  err: (line: string) => void;
  /** A line that replaces itself while something is waited for, where standard error is a terminal; '' takes it away. */
  progress: (text: string) => void;
  /** The sign of a tone, in its colour where standard output takes colours. */
  sign: (tone: Tone) => string;
  /** Bold, where standard output takes colours. */
  strong: (text: string) => string;
}

/** What a terminal needs of a stream. */
export interface Sink {
  write: (text: string) => unknown;
  isTTY?: boolean | undefined;
  columns?: number | undefined;
}

// What sign() and strong() put around their text.
const colourCodes = /\x1b\[\d+m/g;

/** A terminal on two streams. Colours only where `out` is a terminal that has them and nobody asked for none. */
export function openTerminal(
  out: Sink,
  err: Sink,
  env: Readonly<Record<string, string | undefined>>,
  noColor: boolean,
): Terminal {
  // Present and not empty (no-color.org).
  const refused = noColor || (env['NO_COLOR'] ?? '') !== '' || env['TERM'] === 'dumb';
  const colours = out.isTTY === true && !refused;
  const live = err.isTTY === true && env['TERM'] !== 'dumb';
  let shown = false;
  const clear = (): void => {
    if (shown) err.write('\r\x1b[K');
    shown = false;
  };
  return {
    out: (line) => {
      clear();
      out.write(`${line}\n`);
    },
    err: (line) => {
      clear();
      // Signs are coloured for standard output, which may be a terminal while this is a file.
      err.write(`${live ? line : line.replace(colourCodes, '')}\n`);
    },
    progress: (text) => {
      if (!live) return;
      clear();
      // A line that wraps can't be taken away again. A terminal that does not know its width says 0.
      const width = err.columns === undefined || err.columns === 0 ? 80 : err.columns;
      const fitting = text.slice(0, width - 1);
      if (fitting === '') return;
      err.write(fitting);
      shown = true;
    },
    sign: (tone) => {
      const { sign, colour } = signs[tone];
      return colours ? `\x1b[${colour}m${sign}\x1b[0m` : sign;
    },
    strong: (text) => (colours ? `\x1b[1m${text}\x1b[0m` : text),
  };
}

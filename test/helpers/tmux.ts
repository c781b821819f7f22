import { execFileSync } from 'node:child_process';
import type { Test } from 'tap';
import { until } from './lab/wait.ts';

/** A real terminal, in a tmux of its own. */
export interface Terminal {
  /** Types keys: text, or names such as `Enter`, `Tab`, `C-c`. */
  type(...keys: string[]): void;
  /** What it shows; with `colours` the escape sequences too. */
  screen(colours?: boolean): string;
  /** Waits until it shows something, and returns that screen. */
  shows(what: RegExp, colours?: boolean): Promise<string>;
}

let count = 0;

/** Starts a command on a terminal of 120 columns and 50 lines; it ends with the test. */
export function openTerminal(t: Test, argv: readonly string[], env: Record<string, string> = {}): Terminal {
  const server = `orphand-${process.pid}-${++count}`;
  const tmux = (...args: string[]): string =>
    execFileSync('tmux', ['-L', server, '-f', '/dev/null', ...args], {
      encoding: 'utf8',
      env: {
        PATH: process.env['PATH'],
        HOME: '/nonexistent',
        LANG: 'C.UTF-8',
        TERM: 'xterm-256color',
        ...env,
      },
    });
  const quoted = argv.map((word) => `'${word.replaceAll("'", "'\\''")}'`).join(' ');
  tmux('-u', 'new-session', '-d', '-x', '120', '-y', '50', `${quoted}; echo "exit $?"; sleep 600`);
  t.teardown(() => {
    tmux('kill-server');
  });
  const screen = (colours = false): string => tmux('capture-pane', '-p', ...(colours ? ['-e'] : []));
  return {
    type: (...keys) => {
      tmux('send-keys', '--', ...keys);
    },
    screen,
    shows: async (what, colours) =>
      await until(`the terminal to show ${what.source}`, () => {
        const now = screen(colours);
        return what.test(now) && now;
      }).catch((error: unknown) => {
        throw new Error(`${String(error)}\n${screen()}`);
      }),
  };
}

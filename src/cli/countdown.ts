import type { Progress } from '../reap/progress.ts';
import type { Terminal } from './terminal.ts';
import { count } from './words.ts';

/** Shows on a terminal what a clean-up waits for, and for how long still. */
export class Countdown {
  readonly #terminal: Pick<Terminal, 'progress'>;
  #timer: NodeJS.Timeout | undefined;

  constructor(terminal: Pick<Terminal, 'progress'>) {
    this.#terminal = terminal;
  }

  /** Takes each progress event of a clean-up. */
  show(progress: Progress): void {
    this.stop();
    switch (progress.kind) {
      case 'second-look-wait':
        this.#wait(`Second look at ${count(progress.targets.length, 'process', 'processes')}`, progress.ms);
        break;
      case 'grace-wait':
        this.#wait(`Waiting for ${count(progress.pids.length, 'process', 'processes')} to end`, progress.ms);
        break;
      case 'released':
      case 'signalled':
      case 'killed':
      case 'journal-failed':
      case 'verified':
        break;
    }
  }

  /** Takes the line away. */
  stop(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
    this.#terminal.progress('');
  }

  #wait(what: string, ms: number): void {
    const until = performance.now() + ms;
    const tick = (): void => {
      // Rounded, because a timer may fire a millisecond early: 1.0003 s are not 2 s.
      const seconds = Math.max(0, Math.round((until - performance.now()) / 1000));
      this.#terminal.progress(`${what} (${seconds} s)…`);
    };
    tick();
    this.#timer = setInterval(tick, 1000);
    // It must not keep a finished command alive.
    this.#timer.unref();
  }
}

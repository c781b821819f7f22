/** The signals by which a person, a closing terminal or a supervisor asks a command to end. */
const asking = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
type Asking = (typeof asking)[number];

const numbers: Readonly<Record<Asking, number>> = { SIGHUP: 1, SIGINT: 2, SIGTERM: 15 };

/** Ctrl-C and its kin, turned into an AbortSignal, so that a clean-up can finish what it has begun. */
export interface Interruption {
  signal: AbortSignal;
  /** 128 and the signal's number, as shells count; undefined where none came. */
  exitCode(): number | undefined;
  /** Gives the signals their usual meaning back. */
  close(): void;
}

/** Catches the signals from here on; `onSignal` runs at each. */
export function catchInterruption(onSignal: () => void): Interruption {
  const controller = new AbortController();
  let first: Asking | undefined;
  const handler = (signal: NodeJS.Signals): void => {
    first ??= signal as Asking;
    controller.abort();
    onSignal();
  };
  for (const signal of asking) process.on(signal, handler);
  return {
    signal: controller.signal,
    exitCode: () => (first === undefined ? undefined : 128 + numbers[first]),
    close: () => {
      for (const signal of asking) process.off(signal, handler);
    },
  };
}

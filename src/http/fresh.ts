import type { Engine } from './engine.ts';

/** Something made from the engine's state, made again when something happened or it got too old. */
export interface Fresh<T> {
  get(): T;
  /** Ends the subscription. */
  close(): void;
}

/** Keeps what `make` made for at most `mostMs`: many readers cost as much as one. */
export function fresh<T>(engine: Pick<Engine, 'subscribe'>, mostMs: number, make: () => T): Fresh<T> {
  let kept: { at: number; value: T } | undefined;
  const close = engine.subscribe(() => {
    kept = undefined;
  });
  return {
    get() {
      const now = performance.now();
      if (kept === undefined || now - kept.at > mostMs) kept = { at: now, value: make() };
      return kept.value;
    },
    close,
  };
}

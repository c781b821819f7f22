const unitMs = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000 } as const;
type Unit = keyof typeof unitMs;

/** A number and its unit, such as `500ms`, `5s`, `1.5m`, `2h`; as a regular expression for the schema. */
export const durationPattern = '^[0-9]{1,9}([.][0-9]{1,3})?(ms|s|m|h)$';

/**
 * The longest duration: 24 hours, in milliseconds. Node's timers take 2^31-1 ms at most and fire at once beyond that,
 * which would turn a very long grace period into none.
 */
export const longestMs = 24 * unitMs.h;

/** Reads a duration into whole milliseconds; undefined where the text is none or is longer than `longestMs`. */
export function parseDuration(text: string): number | undefined {
  if (!new RegExp(durationPattern).test(text)) return undefined;
  const unit = (/[a-z]+$/.exec(text)?.[0] ?? 'ms') as Unit;
  const ms = Math.round(Number.parseFloat(text) * unitMs[unit]);
  return ms <= longestMs ? ms : undefined;
}

/** Writes milliseconds in the largest unit that needs no fraction: 90000 is `90s`, 120000 is `2m`. */
export function formatDuration(ms: number): string {
  if (ms === 0) return '0s';
  for (const unit of ['h', 'm', 's'] as const) {
    if (ms % unitMs[unit] === 0) return `${ms / unitMs[unit]}${unit}`;
  }
  return `${ms}ms`;
}

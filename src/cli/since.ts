const unitMs = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000, w: 604_800_000 } as const;

const instant = /^(\d{4}-\d\d-\d\d)(?:[T ](\d\d:\d\d)(:\d\d)?(\.\d{1,9})?(Z|[+-]\d\d:\d\d)?)?$/i;

/**
 * A moment as people write it, in ms since the epoch: a time ago (`90m`, `2h`, `7d`), a date, or RFC 3339. Without a zone
 * it is UTC, as everything that orphand prints. undefined where the text is none of them, or no such day exists.
 */
export function parseSince(text: string, now: number): number | undefined {
  const [, count, unit] = /^(\d{1,6})([smhdw])$/.exec(text) ?? [];
  if (count !== undefined && unit !== undefined)
    return now - Number(count) * unitMs[unit as keyof typeof unitMs];
  const [, date, minutes = '00:00', seconds = ':00', fraction = '', zone = 'Z'] = instant.exec(text) ?? [];
  if (date === undefined || Number.isNaN(Date.parse(`${date}T00:00:00Z`))) return undefined;
  // Date.parse takes 2026-02-30 for 2026-03-02.
  if (new Date(`${date}T00:00:00Z`).toISOString().slice(0, 10) !== date) return undefined;
  const at = Date.parse(`${date}T${minutes}${seconds}${fraction.slice(0, 4)}${zone.toUpperCase()}`);
  return Number.isNaN(at) ? undefined : at;
}

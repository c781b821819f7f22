/** Figures as people say them. */

/** `14 ms`, `3.2 s`, `4 min`, `2 h 5 min`, `3 d 4 h`, with spaces that no line breaks at. */
export function duration(ms: number): string {
  return words(ms).replaceAll(' ', '\u00a0');
}

function words(ms: number): string {
  if (ms < 10) return `${Number(ms.toFixed(1))} ms`;
  if (ms < 1_000) return `${Math.round(ms)} ms`;
  const seconds = ms / 1_000;
  if (seconds < 10) return `${Number(seconds.toFixed(1))} s`;
  if (seconds < 60) return `${Math.round(seconds)} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes} min`;
  const hours = Math.floor(minutes / 60);
  if (hours < 24) return minutes % 60 === 0 ? `${hours} h` : `${hours} h ${minutes % 60} min`;
  const days = Math.floor(hours / 24);
  return hours % 24 === 0 ? `${days} d` : `${days} d ${hours % 24} h`;
}

/** As `duration`, without what is too fine for "ago": whole seconds at least. */
export function age(ms: number): string {
  return duration(Math.max(0, Math.round(ms / 1_000)) * 1_000).replace(/^0\u00a0ms$/, '0\u00a0s');
}

/** `1 orphan`, `2 orphans`; `process` becomes `processes`. */
export function count(number: number, noun: string): string {
  if (number === 1) return `1 ${noun}`;
  return `${number} ${noun.endsWith('s') ? `${noun}es` : `${noun}s`}`;
}

/** `2.4 GB` */
export function bytes(number: number): string {
  const units = ['B', 'kB', 'MB', 'GB', 'TB'];
  let value = number;
  let unit = 0;
  while (value >= 1_000 && unit < units.length - 1) {
    value /= 1_000;
    unit += 1;
  }
  return `${value < 10 && unit > 0 ? value.toFixed(1) : Math.round(value)} ${units[unit] ?? ''}`;
}

/** `09:00:15` of today, `2026-01-01 21:40` of another day, UTC. */
export function clock(at: string, now: number): string {
  const today = new Date(now).toISOString().slice(0, 10);
  return at.startsWith(today) ? at.slice(11, 19) : `${at.slice(0, 10)} ${at.slice(11, 16)}`;
}

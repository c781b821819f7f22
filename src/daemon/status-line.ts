import type { Report } from '../model.ts';

/** A report in one line, for `systemctl status`. */
export function statusLine({ ports, summary }: Report): string {
  const held = ports.filter(({ state }) => state === 'held').length;
  const { orphan, suspect, unknown } = summary;
  return `${ports.length} ports watched, ${held} held; orphans: ${orphan}, suspects: ${suspect}, unknown: ${unknown}`;
}

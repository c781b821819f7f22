import type { CleanupEntry, SweepRecord } from '../engine.ts';
import { type Html, html } from './html.ts';
import { moment } from './parts.ts';
import { clock, count } from './words.ts';

const height = 56;
const base = 44;
const shortestMs = 10 * 60_000;

/** Sweeps and clean-ups on one line of time: a bar each, higher and coloured where something was found. Percentages, so that it fits any width. */
export function timelineSection(
  sweeps: readonly SweepRecord[],
  cleanups: readonly CleanupEntry[],
  now: number,
): Html {
  const first = sweeps[0];
  if (first === undefined) return html``;
  const from = Math.min(Date.parse(first.at), now - shortestMs);
  const place = (at: string) => `${(((Date.parse(at) - from) / (now - from)) * 100).toFixed(2)}%`;
  const shown = cleanups.filter((entry) => Date.parse(entry.startedAt) >= from && !entry.dryRun);
  const summary = sentence(sweeps, shown, now);
  return html`<section aria-labelledby="timeline">
    <h2 id="timeline">Sweeps and clean-ups</h2>
    <figure>
      <svg class="timeline" width="100%" height="${height}" role="img" aria-label="${summary}">
        <line class="axis" x1="0" y1="${base + 0.5}" x2="100%" y2="${base + 0.5}" />
        ${sweeps.map((sweep) => bar(sweep, place(sweep.at), now))}
        ${shown.map((entry) => diamond(entry, place(entry.startedAt), now))}
      </svg>
      <div class="axis-labels">${moment(new Date(from).toISOString(), now)}<span>now</span></div>
      <figcaption>${summary}</figcaption>
    </figure>
  </section>`;
}

type Mark = 'clear' | 'unknown' | 'suspect' | 'orphan' | 'failed';

// Heights say it to who can't tell the colours apart.
const heights: Readonly<Record<Mark, number>> = {
  clear: 8,
  unknown: 16,
  suspect: 22,
  orphan: 30,
  failed: 40,
};

function markOf(sweep: SweepRecord): Mark {
  if (sweep.result !== 'ok' || sweep.summary === null) return 'failed';
  const { orphan, suspect, unknown } = sweep.summary;
  if (orphan > 0) return 'orphan';
  if (suspect > 0) return 'suspect';
  return unknown > 0 ? 'unknown' : 'clear';
}

function bar(sweep: SweepRecord, x: string, now: number): Html {
  const mark = markOf(sweep);
  const tall = heights[mark];
  const rect = html`x="${x}" y="${base - tall}" width="0.3%" height="${tall}" class="bar ${mark}"`;
  // A title on each of hundreds of quiet bars would be weight for nothing.
  if (mark === 'clear') return html`<rect ${rect} />`;
  return html`<rect ${rect}><title>${clock(sweep.at, now)} ${wordsOf(sweep)}</title></rect>`;
}

function wordsOf(sweep: SweepRecord): string {
  if (sweep.summary === null) return `${sweep.result}: ${sweep.error ?? 'no reason given'}`;
  const { orphan, suspect, unknown } = sweep.summary;
  return `${count(orphan, 'orphan')}, ${count(suspect, 'suspect')}, ${unknown} unknown`;
}

function diamond(entry: CleanupEntry, x: string, now: number): Html {
  const ended = entry.outcomes.terminated + entry.outcomes.killed;
  return html`<svg
    x="${x}"
    y="${base}"
    overflow="visible"
    class="cleanup-mark ${entry.ok === false ? 'incomplete' : ''}"
  >
    <title>
      ${clock(entry.startedAt, now)} clean-up (${entry.trigger}): ${count(ended, 'process')} ended
    </title>
    <path d="M1.5 -5 L6.5 0.5 L1.5 6 L-3.5 0.5 Z" />
  </svg>`;
}

function sentence(sweeps: readonly SweepRecord[], cleanups: readonly CleanupEntry[], now: number): string {
  const of = (mark: Mark) => sweeps.filter((sweep) => markOf(sweep) === mark).length;
  const found = [
    of('orphan') > 0 ? `${of('orphan')} with an orphan` : '',
    of('suspect') > 0 ? `${of('suspect')} with a suspect` : '',
    of('failed') > 0 ? `${of('failed')} failed or late` : '',
  ].filter((part) => part !== '');
  const what = found.length === 0 ? 'nothing found' : found.join(', ');
  return `${count(sweeps.length, 'sweep')} since ${clock(sweeps[0]?.at ?? '', now)} UTC: ${what}; ${count(cleanups.length, 'clean-up')}.`;
}

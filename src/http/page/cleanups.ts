import type { CleanupEntry } from '../engine.ts';
import { type Html, html, visible } from './html.ts';
import { moment } from './parts.ts';
import { count, duration } from './words.ts';

/** The newest clean-ups. */
export function cleanupsSection(cleanups: readonly CleanupEntry[], now: number): Html {
  return html`<section aria-labelledby="cleanups">
    <h2 id="cleanups">Clean-ups</h2>
    ${
      cleanups.length === 0
        ? html`<p class="nobody">None yet.</p>`
        : html`<table class="cleanups" role="table" aria-labelledby="cleanups">
            <thead role="rowgroup">
              <tr role="row">
                <th role="columnheader" scope="col">When (UTC)</th>
                <th role="columnheader" scope="col">By</th>
                <th role="columnheader" scope="col">Result</th>
                <th role="columnheader" scope="col">Ended</th>
                <th role="columnheader" scope="col">Ports freed</th>
                <th role="columnheader" scope="col">Took</th>
              </tr>
            </thead>
            <tbody role="rowgroup">
              ${cleanups.map((entry) => row(entry, now))}
            </tbody>
          </table>`
    }
  </section>`;
}

function row(entry: CleanupEntry, now: number): Html {
  const { mark, look, word } = result(entry);
  const took =
    entry.finishedAt === null ? undefined : Date.parse(entry.finishedAt) - Date.parse(entry.startedAt);
  return html`<tr role="row">
    <th role="rowheader" scope="row">${moment(entry.startedAt, now)}</th>
    <td role="cell">${entry.trigger}${entry.dryRun ? ', plan only' : ''}</td>
    <td role="cell">
      <span class="pill ${look}"><span class="mark" aria-hidden="true">${mark}</span>${word}</span>
      ${entry.error === null ? '' : html`<span class="rest">${visible(entry.error, 200)}</span>`}
    </td>
    <td role="cell">${ended(entry)}</td>
    <td role="cell" class="num">${entry.freed.length === 0 ? '–' : entry.freed.join(' ')}</td>
    <td role="cell">${took === undefined ? '–' : duration(took)}</td>
  </tr>`;
}

function result(entry: CleanupEntry): { mark: string; look: string; word: string } {
  switch (entry.state) {
    case 'running':
      return { mark: '…', look: 'host', word: 'running' };
    case 'failed':
      return { mark: '✗', look: 'orphan', word: 'failed' };
    case 'interrupted':
      return { mark: '✗', look: 'orphan', word: 'interrupted' };
    case 'finished':
      if (entry.dryRun) return { mark: '○', look: 'free', word: 'planned' };
      return entry.ok === true
        ? { mark: '✓', look: 'container', word: 'clean' }
        : { mark: '◆', look: 'suspect', word: 'something remains' };
  }
}

function ended({ outcomes, dryRun }: CleanupEntry): string {
  if (dryRun) return `${outcomes.planned} planned`;
  const left = outcomes.survived + outcomes.refused;
  const parts = [
    count(outcomes.terminated + outcomes.killed, 'process'),
    outcomes.killed > 0 ? `${outcomes.killed} by SIGKILL` : '',
    left > 0 ? `${left} left` : '',
  ];
  return parts.filter((part) => part !== '').join(', ');
}

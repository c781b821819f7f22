import { pageScript, pageStyle } from './assets.ts';
import { cleanupsSection } from './cleanups.ts';
import { type Headline, headline } from './headline.ts';
import { foot, limitsSection } from './host.ts';
import { type Html, html, ownMarkup, visible } from './html.ts';
import { ago, moment } from './parts.ts';
import { portlessSection, portsSection } from './ports.ts';
import { timelineSection } from './timeline.ts';
import { type PageView, lookWords } from './view.ts';
import { duration } from './words.ts';

/** The whole page, complete without its script: the script only keeps it fresh and offers the clean-up. */
export function renderPage(view: PageView): string {
  const { status, report, now } = view;
  const head = headline(view);
  const host = status.host?.name;
  const title = [
    `${markOf(head)} ${head.text}`,
    ...(host === undefined ? [] : [visible(host, 60)]),
    'orphand',
  ].join(' · ');
  const page = html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="color-scheme" content="light dark" />
        <title>${title}</title>
        <link rel="icon" href="${icon(head)}" />
        ${ownMarkup(`<style>${pageStyle}</style>`)}
      </head>
      <body>
        <header class="top">
          <p class="name">
            <b>orphand</b>${host === undefined ? '' : html` <span>${visible(host, 60)}</span>`}
          </p>
          <p id="link" class="link" data-state="still">
            <span class="unseen">This page: </span
            ><span id="link-text">as of ${moment(new Date(now).toISOString(), now)} UTC</span>
          </p>
        </header>
        <p id="announce" class="unseen" role="status" aria-live="polite"></p>
        <main id="main">
          <section class="headline is-${head.look}" aria-labelledby="state">
            <h1 id="state"><span class="mark" aria-hidden="true">${markOf(head)}</span> ${head.text}</h1>
            ${head.more === undefined ? '' : html`<p>${visible(head.more)}</p>`}
            <p class="sweep">${sweepLine(view)}</p>
            ${view.control ? html`<p class="control" hidden><button type="button" data-action="plan">Plan a clean-up…</button></p>` : ''}
            ${
              !view.control && view.unlockable
                ? html`<details class="control" id="unlock" hidden>
                    <summary>Clean up with the token</summary>
                    <form data-action="unlock">
                      <label for="token">Token</label>
                      <input id="token" type="password" autocomplete="off" spellcheck="false" /><button
                        type="submit"
                      >
                        Allow clean-up
                      </button>
                      <span id="token-problem" class="warning" role="alert"></span>
                    </form>
                  </details>`
                : ''
            }
          </section>
          ${report === undefined ? '' : html`${portsSection(report, now)}${portlessSection(report, now)}`}
          ${limitsSection(status)} ${timelineSection(view.sweeps, view.cleanups, now)}
          ${cleanupsSection(view.cleanups.slice(0, 12), now)}
        </main>
        ${foot(status)}
        <p id="still" class="still">
          Without JavaScript this page does not refresh itself; reload it for a fresh view.
        </p>
        ${ownMarkup(`<script>${pageScript}</script>`)}
      </body>
    </html> `;
  return page.markup;
}

function markOf({ look }: Headline): string {
  if (look === 'clear') return '✓';
  return look === 'stale' ? '…' : lookWords[look].mark;
}

function sweepLine({ status, report, ageMs }: PageView): Html {
  const { lastSweep, nextSweepAt, clean } = status;
  const ends = {
    off: 'sweeps only report',
    orphans: 'sweeps end orphans',
    suspects: 'sweeps end orphans and suspects',
  }[clean];
  if (report === undefined) return html`${ends}`;
  return html`Last sweep
  ${ago(report.takenAt, ageMs)}${
    lastSweep === null ? '' : html`, took ${duration(lastSweep.durationMs)}`
  }${nextSweepAt === null ? '' : html` · next at <time datetime="${nextSweepAt}">${nextSweepAt.slice(11, 19)}</time> UTC`}
  · ${ends}${status.runningCleanup === null ? '' : html` · <b>a clean-up is running</b>`}`;
}

/** The state in the browser's tab: drawn here, since nothing may be loaded. */
function icon({ look }: Headline): string {
  const drawn =
    look === 'clear'
      ? "<circle cx='8' cy='8' r='6' fill='%231c7a48'/>"
      : look === 'orphan'
        ? "<path d='M8 1 15 14H1z' fill='%23c62d22'/>"
        : "<path d='M8 1 15 8 8 15 1 8z' fill='%23b06f00'/>";
  return `data:image/svg+xml,<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 16 16'>${drawn}</svg>`;
}

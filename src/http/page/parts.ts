import type { ReportedProcess } from '../../model.ts';
import { type Html, commandLine, html, visible } from './html.ts';
import { type PortLook, lookWords } from './view.ts';
import { age, clock, duration } from './words.ts';

/** The state of a port or process: mark, word and colour, each enough by itself. */
export function pill(look: PortLook): Html {
  const { word, mark } = lookWords[look];
  return html`<span class="pill ${look}"><span class="mark" aria-hidden="true">${mark}</span>${word}</span>`;
}

/** A moment as `3 s ago`; the page's script counts on from `sinceMs`. */
export function ago(at: string, sinceMs: number): Html {
  return html`<time datetime="${at}" data-ago="${Math.round(sinceMs)}">${age(sinceMs)}</time> ago`;
}

/** A moment of the clock, UTC. */
export function moment(at: string, now: number): Html {
  return html`<time datetime="${at}" title="${at}">${clock(at, now)}</time>`;
}

/** Who a process is in one line: name, pid, user, container or unit, how long it runs. */
export function whois(process: ReportedProcess, now: number): Html {
  const { container, unit } = process;
  const home =
    container === null ? unit : (container.name ?? container.id?.slice(0, 12) ?? container.runtime);
  const since = `for\u00a0${duration(Math.max(0, now - Date.parse(process.startedAt)))}`;
  return html`<span class="who">
    <b>${visible(process.comm, 40)}</b> <span class="num">${process.pid}</span>
    · ${[visible(process.user, 40), ...(home === null ? [] : [visible(home, 60)]), since].join(' · ')}
  </span>`;
}

/** The cause in one sentence; opened, everything that it rests on. `place` keeps ids apart: a process can hold two ports. */
export function why(process: ReportedProcess, place: string): Html {
  const { evidence, cgroup } = process;
  return html`<details id="${place}-${process.pid}-${process.startTime}">
    <summary>${visible(process.cause, 600)}</summary>
    ${process.warning === null ? '' : html`<p class="warning">${visible(process.warning, 600)}</p>`}
    <dl class="facts">
      <div>
        <dt>command</dt>
        <dd><code>${commandLine(process.cmdline, 1_000)}</code></dd>
      </div>
      ${
        evidence.some(({ value }) => value === cgroup)
          ? ''
          : html`<div>
              <dt>cgroup</dt>
              <dd><code>${visible(cgroup)}</code></dd>
            </div>`
      }
      ${evidence.map(
        ({ fact, value, source }) =>
          html`<div>
            <dt>${visible(fact, 200)}</dt>
            <dd>${visible(value, 600)} <code class="source">${visible(source, 300)}</code></dd>
          </div>`,
      )}
      <div>
        <dt>reason</dt>
        <dd><code>${process.reason}</code></dd>
      </div>
    </dl>
  </details>`;
}

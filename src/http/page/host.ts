import type { Status } from '../engine.ts';
import { type Html, html, visible } from './html.ts';
import { bytes, duration } from './words.ts';

/** What keeps orphand from seeing or doing more; nothing when nothing does. */
export function limitsSection({ limits }: Status): Html {
  if (limits.length === 0) return html``;
  return html`<section aria-labelledby="limits">
    <h2 id="limits">What limits orphand here</h2>
    <ul class="limits">
      ${limits.map(
        ({ message, cure }) =>
          html`<li>
            ${visible(message)}${cure === null ? '' : html` <span class="cure">${visible(cure)}</span>`}
          </li>`,
      )}
    </ul>
  </section>`;
}

/** The host, the runtimes and the daemon, in the foot of the page. */
export function foot(status: Status): Html {
  const { host, runtimes } = status;
  return html`<footer>
    <dl class="facts">
      ${
        host !== null &&
        html`<div>
            <dt>host</dt>
            <dd>
              ${visible(host.name)}, kernel ${visible(host.kernel)}, up
              ${duration(host.uptimeSeconds * 1_000)}
            </dd>
          </div>
          <div>
            <dt>load</dt>
            <dd class="num">${host.load.map((value) => value.toFixed(2)).join(' ')}</dd>
          </div>
          <div>
            <dt>memory</dt>
            <dd>${bytes(host.memory.availableBytes)} of ${bytes(host.memory.totalBytes)} available</dd>
          </div>`
      }
      <div>
        <dt>runtimes</dt>
        <dd>
          ${
            runtimes.length === 0
              ? 'none was asked'
              : runtimes.map(
                  ({ name, user, available, reason }, index) =>
                    html`${index > 0 ? ', ' : ''}<span title="${visible(reason)}"
                        >${visible(name)}${user === 'root' ? '' : ` of ${visible(user)}`}
                        ${available ? 'answers' : 'is silent'}</span
                      >`,
                )
          }
        </dd>
      </div>
      <div>
        <dt>orphand</dt>
        <dd>${status.version}, pid <span class="num">${status.pid}</span></dd>
      </div>
    </dl>
    <nav aria-label="For machines">
      <a href="/docs/">API</a> <a href="/openapi.json">OpenAPI</a> <a href="/metrics">metrics</a>
      <a href="/api/v1/scan">report as JSON</a>
    </nav>
  </footer>`;
}

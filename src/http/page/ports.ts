import { type Html, html, visible } from './html.ts';
import { pill, whois, why } from './parts.ts';
import { type PortRow, portRows, portlessFindings } from './view.ts';
import type { Report } from '../../model.ts';

// More holders than this are counted, not listed: a pool of workers would push everything else away.
const mostHolders = 4;

/** Every watched port: its state, who holds it and why that is so. */
export function portsSection(report: Report, now: number): Html {
  const rows = portRows(report);
  return html`<section aria-labelledby="ports">
    <h2 id="ports">Watched ports</h2>
    <table class="ports" role="table" aria-labelledby="ports">
      <thead role="rowgroup">
        <tr role="row">
          <th role="columnheader" scope="col">Port</th>
          <th role="columnheader" scope="col">Service</th>
          <th role="columnheader" scope="col">State</th>
          <th role="columnheader" scope="col">Held by, and why</th>
        </tr>
      </thead>
      <tbody role="rowgroup">
        ${rows.map((row) => portRow(row, now))}
      </tbody>
    </table>
  </section>`;
}

function portRow({ port, look, holders, unseen }: PortRow, now: number): Html {
  const place = `${port.protocol}-${port.port}`;
  const looksHeld = [...new Set(holders.map(({ verdict }) => verdict))];
  return html`<tr role="row" class="is-${look}" id="port-${place}">
    <th role="rowheader" scope="row" class="num">
      ${port.port}${port.protocol === 'udp' ? html`<small>/udp</small>` : ''}
    </th>
    <td role="cell" class="service">${port.service}</td>
    <td role="cell" class="state">${looksHeld.length > 1 ? looksHeld.map(pill) : pill(look)}</td>
    <td role="cell" class="held">
      ${
        look === 'free'
          ? html`<span class="nobody">nobody</span>`
          : html`${holders.slice(0, mostHolders).map((holder) => html`<div class="holder">${whois(holder, now)}${why(holder, place)}</div>`)}
            ${holders.length > mostHolders ? html`<p class="rest">and ${holders.length - mostHolders} more that share the socket</p>` : ''}
            ${holders.length === 0 ? html`<p class="rest">held by a process that could not be seen${unseen.length > 0 ? ` (${unseen.join(', ')})` : ''}</p>` : ''}`
      }
    </td>
  </tr>`;
}

/** Findings without a port; nothing when there are none. */
export function portlessSection(report: Report, now: number): Html {
  const found = portlessFindings(report);
  if (found.length === 0) return html``;
  return html`<section aria-labelledby="portless">
    <h2 id="portless">Without a port</h2>
    <table class="ports portless" role="table" aria-labelledby="portless">
      <thead role="rowgroup">
        <tr role="row">
          <th role="columnheader" scope="col">Pid</th>
          <th role="columnheader" scope="col">Known by</th>
          <th role="columnheader" scope="col">State</th>
          <th role="columnheader" scope="col">Process, and why</th>
        </tr>
      </thead>
      <tbody role="rowgroup">
        ${found.map(
          (process) =>
            html`<tr role="row" class="is-${process.verdict}">
              <th role="rowheader" scope="row" class="num">${process.pid}</th>
              <td role="cell" class="service">
                ${visible(process.patterns[0] ?? process.container?.name ?? '–', 60)}
              </td>
              <td role="cell" class="state">${pill(process.verdict)}</td>
              <td role="cell" class="held">
                <div class="holder">${whois(process, now)}${why(process, 'none')}</div>
              </td>
            </tr>`,
        )}
      </tbody>
    </table>
  </section>`;
}

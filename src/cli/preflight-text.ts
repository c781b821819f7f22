import { heldPorts } from './freeing.ts';
import { line } from './format.ts';
import type { Paint } from './format.ts';
import type { Claim } from './port-claims.ts';
import type { PreflightReport } from './preflight.ts';
import { portText } from './words.ts';

const kinds: Readonly<Record<Claim, string>> = {
  free: 'free',
  stack: 'a live container of the stack',
  orphan: 'an orphan',
  suspect: 'a suspect',
  other: "someone else's",
  unknown: 'not to be told',
};

/** One line for each port and a verdict; before a command only what is not free. */
export function preflightText(
  { ports, scan, ok }: PreflightReport,
  allowLive: boolean,
  quiet: boolean,
  paint: Paint,
): string[] {
  const shown = ports.filter(({ claim }) => !quiet || claim !== 'free');
  const names = Math.max(0, ...shown.map((port) => portText(port).length));
  const services = Math.max(0, ...shown.map(({ service }) => service.length));
  const held = heldPorts({ ...scan, ports });
  const rows = shown.map((port) => {
    const what = [`${portText(port).padEnd(names)}  ${port.service.padEnd(services)}  ${kinds[port.claim]}`];
    const found = held.find((each) => each.port === port.port && each.protocol === port.protocol);
    if (found !== undefined) what.push(port.ok ? found.text : `${found.text}. To free it: ${found.cure}`);
    return line(port.ok ? 'ok' : 'fail', what.join(': '), paint);
  });
  const live = !allowLive && ports.some(({ claim }) => claim === 'stack');
  return [
    ...rows,
    ...(live
      ? [line('info', 'The stack runs: orphand stop ends it, --allow-live goes on beside it', paint)]
      : []),
    ...(ok && quiet ? [] : [verdict(ports, ok, paint)]),
  ];
}

function verdict(ports: PreflightReport['ports'], ok: boolean, paint: Paint): string {
  if (!ok) {
    const held = ports.filter((port) => !port.ok).length;
    return line('fail', `Not ready: ${held} of ${ports.length} ports held`, paint);
  }
  const live = ports.filter(({ claim }) => claim === 'stack').length;
  return line(
    'ok',
    live === 0 ? 'Ready: all ports are free' : `Ready: ${live} held by the stack itself`,
    paint,
  );
}

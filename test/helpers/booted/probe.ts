import { cpSync, mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { BootedHost } from './host.ts';

/** What one attempt came to: `done`, or how it was refused. */
export type Probes = Record<string, string>;

/** Runs probe.cjs in a copy of the daemon's unit (its drop-ins included) and says what it could do there. */
export async function probeSandbox(host: BootedHost, name: string): Promise<Probes> {
  const script = '/opt/probe.cjs';
  mkdirSync(dirname(host.path(script)), { recursive: true });
  cpSync(join(import.meta.dirname, 'probe.cjs'), host.path(script));
  const full = await host.ok(['systemctl', 'cat', 'orphand.service']);
  const own = /^(Requires|Wants|After|Restart|RestartSec|WatchdogSec|ExecReload|WantedBy|Also)=.*\n/gm;
  const unit = full
    .replaceAll(own, '')
    .replace(/^Type=notify$/m, 'Type=oneshot')
    .replace(/^(ExecStart=\S+).*$/m, `$1 ${script}`);
  writeFileSync(host.path(`/etc/systemd/system/${name}`), unit);
  await host.ok(['systemctl', 'daemon-reload']);
  const { code } = await host.run(['systemctl', 'start', name]);
  const said = await host.ok(['journalctl', '--output=cat', '--unit', name]);
  if (code !== 0) throw new Error(said);
  const line = said.split('\n').find((one) => one.startsWith('{')) ?? '';
  return JSON.parse(line) as Probes;
}

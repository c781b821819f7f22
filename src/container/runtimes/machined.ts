import type { ProcFs } from '../../procfs/fs.ts';
import { parsePid } from '../record-file.ts';
import type { Known } from './answer.ts';
import type { Host } from './host.ts';
import { recordedPid } from './instance.ts';

/** systemd-machined's record of a running machine, /run/systemd/machines/NAME; empty where it has none or its leader has ended, which proves nothing (--register=no). */
export function askMachined(host: Host, proc: ProcFs, name: string, family: number[]): Known[] {
  if (name.includes('/')) return [];
  const source = `/run/systemd/machines/${name}`;
  const file = host.read(source);
  const pid = file.state === 'read' ? parsePid(/^LEADER=(\d+)$/m.exec(file.text)?.[1] ?? '') : undefined;
  if (pid === undefined || recordedPid(proc, pid, { id: name, layer: undefined }, family) !== 'alive')
    return [];
  return [
    {
      runtime: 'nspawn',
      user: 'root',
      via: 'record',
      source,
      result: 'known',
      id: name,
      state: 'running',
      pid,
      name,
      labels: {},
      restartCount: undefined,
    },
  ];
}

/** What can be chosen at `orphand install`. */
export type Part = 'boot' | 'daemon' | 'timer' | 'shutdown' | 'full-root';

interface Content {
  /** Files below systemd/, which are named there as they are below /etc/systemd/system. */
  units: readonly string[];
  /** What is enabled, sockets before the service that they start. */
  enable: readonly string[];
  /** What then runs: `restart` puts a new unit or program in effect, the sockets keep what waits in them. */
  run: 'restart' | 'start' | 'at-boot';
}

/** Each part's units (DESIGN.md section 7). */
export const contents: Readonly<Record<Part, Content>> = {
  boot: { units: ['orphand-boot.service'], enable: ['orphand-boot.service'], run: 'at-boot' },
  daemon: {
    units: ['orphand.service', 'orphand.socket', 'orphand-http.socket'],
    enable: ['orphand.socket', 'orphand-http.socket', 'orphand.service'],
    run: 'restart',
  },
  timer: {
    units: ['orphand-sweep.service', 'orphand-sweep.timer'],
    enable: ['orphand-sweep.timer'],
    run: 'restart',
  },
  // A restart would run its ExecStop=, the clean-up of a shutdown.
  shutdown: { units: ['orphand-shutdown.service'], enable: ['orphand-shutdown.service'], run: 'start' },
  'full-root': { units: ['orphand.service.d/full-root.conf'], enable: [], run: 'at-boot' },
};

/** The unit whose ExecStop= ends processes, so that it is never stopped while its file is there, except by a shutdown. */
export const shutdownUnit = 'orphand-shutdown.service';

/** The parts that a choice stands for, in the order of `contents`; or what is wrong with it, in one line. */
export function chooseParts(chosen: readonly Part[]): { parts: Part[] } | { problem: string } {
  const has = (part: Part): boolean => chosen.includes(part);
  const others = chosen.filter((part) => part !== 'full-root');
  if (has('timer') && has('daemon')) {
    return { problem: '--timer and --daemon: both sweep, --timer is for hosts without the daemon' };
  }
  if (has('full-root') && others.length > 0 && !has('daemon')) {
    return { problem: "--full-root changes the daemon's unit: it needs --daemon" };
  }
  const wanted: readonly Part[] = others.length === 0 ? [...chosen, 'boot', 'daemon'] : chosen;
  return { parts: (Object.keys(contents) as Part[]).filter((part) => wanted.includes(part)) };
}

import type { CommandResult } from './command.ts';

const ATTEMPTS = 5;
// What podman says where a container ends while it reads /proc/PID/cgroup of it (4.3; later versions bear it).
const endedMeanwhile = /\/proc\/\d+\/\w+: no such (process|file)/;

/**
 * `container inspect` by an engine's command line, again where a container ended in the midst of it: podman then
 * describes none of those it was asked about, and in a crash loop containers end all the time.
 */
export async function inspectByCommand(
  run: (args: string[]) => Promise<CommandResult>,
  ...args: string[]
): Promise<CommandResult> {
  for (let attempt = 1; ; attempt++) {
    const result = await run(['container', 'inspect', ...args]);
    const again = result.outcome === 'exit' && result.code !== 0 && endedMeanwhile.test(result.stderr);
    if (!again || attempt === ATTEMPTS) return result;
  }
}

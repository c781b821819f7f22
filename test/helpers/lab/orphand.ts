import type { StopReport } from '../../../src/cli/stop.ts';
import type { CleanReport, Outcome, Report } from '../../../src/model.ts';
import type { Host } from './host.ts';
import type { Proc } from './processes.ts';
import type { Result, RunOptions } from './run.ts';

/** Runs orphand's built command line on a host. */
export function orphand(host: Host, args: readonly string[], options: RunOptions = {}): Promise<Result> {
  return host.run([...host.orphand, ...args], options);
}

/** `orphand scan --json` with a configuration file. Throws when what it prints is not JSON. */
export async function scan(
  host: Host,
  config: string,
  flags: readonly string[] = [],
  options?: RunOptions,
): Promise<{ code: number; report: Report; stderr: string }> {
  const { report, ...rest } = await json(host, ['scan', '--json', '--config', config, ...flags], options);
  return { report: report as Report, ...rest };
}

/** `orphand clean --json` with a configuration file. Throws when what it prints is not JSON. */
export async function clean(
  host: Host,
  config: string,
  flags: readonly string[] = [],
  options?: RunOptions,
): Promise<{ code: number; report: CleanReport; stderr: string }> {
  const { report, ...rest } = await json(host, ['clean', '--json', '--config', config, ...flags], options);
  return { report: report as CleanReport, ...rest };
}

/** `orphand stop --json`. Throws when what it prints is not JSON. */
export async function stop(host: Host, ...args: string[]): Promise<{ code: number; report: StopReport }> {
  // A crash loop on a busy machine is told to stop for half a minute, and once more when its port is free.
  const { code, report } = await json(host, ['stop', '--json', ...args], { timeoutMs: 150_000 });
  return { code, report: report as StopReport };
}

async function json(host: Host, args: readonly string[], options?: RunOptions) {
  const { code, stdout, stderr } = await orphand(host, args, options);
  try {
    return { code, stderr, report: JSON.parse(stdout) as unknown };
  } catch {
    throw new Error(`orphand ${args.join(' ')}: exit ${code}, no JSON\n${stdout}\n${stderr}`);
  }
}

/** `verdict reason` of a process in a report, such as `orphan container-gone`; undefined when it isn't listed. */
export function judged(report: Report, { pid }: Proc): string | undefined {
  const found = report.processes.find((one) => one.pid === pid);
  return found && `${found.verdict} ${found.reason}`;
}

/** What a cleanup did to a process; undefined when it was no target. */
export function outcome(report: CleanReport, { pid }: Proc): Outcome | undefined {
  return report.actions.find((action) => action.pid === pid)?.outcome;
}

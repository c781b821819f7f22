import type { Config } from '../config/config.ts';
import { formatDuration } from '../config/duration.ts';
import { execute } from '../linux/exec.ts';
import type { CleanReport, Report, ReportedPort } from '../model.ts';
import { CleanupRefusedError } from '../reap/refusal.ts';
import { createLooker } from '../report/look.ts';
import { awaitPorts } from './await-ports.ts';
import { cleanedLines } from './clean-text.ts';
import { UsageError } from './command.ts';
import type { Context } from './command.ts';
import { commandText, escape, jsonText } from './escape.ts';
import { flushed } from './flushed.ts';
import { line } from './format.ts';
import { catchInterruption } from './interruption.ts';
import { claimOf, needsListing } from './port-claims.ts';
import type { Claim } from './port-claims.ts';
import { preflightText } from './preflight-text.ts';
import { showCleanup } from './show-cleanup.ts';
import { listHost } from './stack.ts';
import { portText } from './words.ts';

/** What `preflight --json` prints. */
export interface PreflightReport {
  schema: 1;
  ports: (ReportedPort & { claim: Claim; ok: boolean })[];
  /** null where nothing was to be cleaned up. */
  cleanup: CleanReport | null;
  refused: { code: string; message: string } | null;
  scan: Report;
  ok: boolean;
}

/** `orphand preflight [-- CMD…]`: checks the ports, cleans up orphans, becomes CMD when the ports are free. */
export async function run(context: Context): Promise<number> {
  const { load, options, rest, terminal } = context;
  const json = options['json'] === true;
  if (json && rest.length > 0)
    throw new UsageError('--json and a command do not go together: both would print');
  const { config } = await load();
  const interruption = catchInterruption(() => undefined);
  let report: PreflightReport;
  try {
    report = await check(context, config, interruption.signal);
    const interrupted = interruption.exitCode();
    if (interrupted !== undefined) {
      terminal.err(`orphand: interrupted${rest.length === 0 ? '' : ': the command was not started'}`);
      return interrupted;
    }
  } finally {
    interruption.close();
  }
  const say = sayOf(context);
  if (json) terminal.out(jsonText(report));
  else
    for (const text of preflightText(report, options['allow-live'] === true, rest.length > 0, terminal))
      say(text);
  if (!report.ok) {
    if (rest.length > 0) terminal.err(`orphand: ${commandText(rest)} was not started`);
    return 1;
  }
  return rest.length === 0 ? 0 : await become(rest, context);
}

async function check(context: Context, config: Config, signal: AbortSignal): Promise<PreflightReport> {
  const { options, terminal } = context;
  const ports = options['ports'] === undefined ? undefined : config.ports.map(({ port }) => port);
  const look = createLooker({ config, cli: true });
  const allowed: readonly Claim[] = options['allow-live'] === true ? ['free', 'stack'] : ['free'];
  const judge = async (scan: Report, done: Cleaned): Promise<PreflightReport> => {
    const listed = needsListing(scan, config) ? (await listHost(config)).listed : [];
    const containers = listed.flatMap((each) => each.containers);
    const judged = scan.ports.map((port) => {
      const claim = claimOf(port, scan, config, containers);
      return { ...port, claim, ok: allowed.includes(claim) };
    });
    return { schema: 1, ports: judged, ...done, scan, ok: judged.every(({ ok }) => ok) };
  };
  const cleanAndJudge = async (before: Cleaned): Promise<PreflightReport> => {
    const done = mayClean(context, config) ? await clean(context, config, ports) : before;
    // What a clean-up without a target saw is as new as another look would be.
    const scan = done.cleanup?.actions.length === 0 ? done.cleanup.scan : await look(ports && { ports });
    return await judge(scan, done);
  };

  let report = await cleanAndJudge({ cleanup: null, refused: null });
  const { waitMs } = config.preflight;
  if (report.ok || waitMs === 0 || signal.aborted) return report;
  const blocking = report.ports.filter(({ ok }) => !ok);
  const names = blocking.map(portText).join(', ');
  const say = sayOf(context);
  say(line('info', `Waiting up to ${formatDuration(waitMs)} for ${names} to be let go`, terminal));
  await awaitPorts(blocking, waitMs, signal, terminal);
  const { cleanup, refused } = report;
  report = await judge(await look(ports && { ports }), { cleanup, refused });
  // A container that was ending when it was looked at may have left something behind.
  const late = report.ports.some(({ claim }) => claim === 'orphan' || claim === 'suspect');
  return late && refused === null ? await cleanAndJudge({ cleanup, refused }) : report;
}

type Cleaned = Pick<PreflightReport, 'cleanup' | 'refused'>;

function mayClean({ options }: Context, { preflight }: Config): boolean {
  return options['no-clean'] !== true && preflight.clean !== 'off';
}

async function clean(context: Context, config: Config, ports: number[] | undefined): Promise<Cleaned> {
  const { terminal } = context;
  const say = sayOf(context);
  const { clean: mode, confirmAfterMs } = config.preflight;
  try {
    const { report } = await showCleanup(
      config,
      {
        trigger: 'preflight',
        dryRun: false,
        suspects: mode === 'suspects',
        ports,
        confirmAfterMs,
        force: false,
      },
      terminal,
      say,
    );
    for (const text of cleanedLines(report, terminal)) say(text);
    return { cleanup: report, refused: null };
  } catch (error) {
    if (!(error instanceof CleanupRefusedError)) throw error;
    terminal.err(`orphand: nothing was cleaned up: ${escape(error.message)}`);
    return { cleanup: null, refused: { code: error.code, message: error.message } };
  }
}

/** With a command standard output is the command's. */
function sayOf({ options, rest, terminal }: Context): (text: string) => void {
  if (options['json'] === true) return () => undefined;
  return rest.length > 0 ? terminal.err : terminal.out;
}

/** Returns only where the command can't be started: 127 where there is none, else 126, as shells and env(1) have it. */
async function become(rest: readonly string[], { env, terminal }: Context): Promise<number> {
  const [program = '', ...args] = rest;
  await Promise.all([process.stdout, process.stderr].map(flushed));
  const code = execute([program, ...args], env);
  const absent = code === 'ENOENT' || code === 'ENOTDIR';
  const why = absent ? 'no such program' : code === 'EACCES' ? 'it may not be executed' : code;
  terminal.err(`orphand: ${escape(program)} could not be started: ${why}`);
  return absent ? 127 : 126;
}

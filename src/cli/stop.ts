import type { Config } from '../config/config.ts';
import { isLive } from '../container/runtimes/stop.ts';
import type { CleanReport, Report } from '../model.ts';
import { CleanupRefusedError } from '../reap/refusal.ts';
import { createLooker } from '../report/look.ts';
import { cleanedLines } from './clean-text.ts';
import type { Context } from './command.ts';
import { commandText, escape, jsonText } from './escape.ts';
import { line } from './format.ts';
import { heldPorts } from './freeing.ts';
import { catchInterruption } from './interruption.ts';
import type { Interruption } from './interruption.ts';
import { childFailure, runChild } from './run-child.ts';
import type { ChildEnd } from './run-child.ts';
import { showCleanup } from './show-cleanup.ts';
import { listHost } from './stack.ts';
import { stoppedAgain, stopStack } from './stop-stack.ts';
import type { StoppedStack } from './stop-stack.ts';
import { stopSummary } from './stop-text.ts';

/** What `stop --json` prints. */
export interface StopReport {
  schema: 1;
  dryRun: boolean;
  /** CMD and how it ended; `result` is null in a dry run. */
  command: { argv: readonly string[]; result: ChildEnd | null } | null;
  /** null where CMD stood for it. */
  stack: StoppedStack | null;
  cleanup: CleanReport | null;
  /** Why nothing was cleaned up. */
  refused: { code: string; message: string } | null;
  /** What is held after all that, and by whom. */
  held: ReturnType<typeof heldPorts>;
  scan: Report;
  ok: boolean;
}

/** `orphand stop [-- CMD…]`: stops the stack, cleans up what it leaves behind, proves that every watched port is free. */
export async function run(context: Context): Promise<number> {
  const { load, options, rest, terminal } = context;
  const { config } = await load();
  const json = options['json'] === true;
  const dryRun = options['dry-run'] === true;
  const say = (text: string): void => {
    if (!json) terminal.out(text);
  };
  const interruption = catchInterruption(() => undefined);
  try {
    const command = rest.length === 0 ? null : await runCommandOf(context, dryRun, say);
    const stopping = { dryRun, signal: interruption.signal };
    const first = command === null ? await stopStack(config, stopping, terminal, say) : null;
    if (interruption.signal.aborted) return givenUp(context, interruption);

    const { cleanup, refused, interrupted } = await clean(context, config, dryRun, say);
    if (interrupted !== undefined) return givenUp(context, interruption);
    // What lost its port to an orphan may have it by now, and run: such a one can be stopped for good.
    const stack =
      first === null || dryRun || cleanup === null || cleanup.actions.length === 0
        ? first
        : stoppedAgain(first, await stopStack(config, { ...stopping, again: true }, terminal, say));
    const scan = await createLooker({ config, cli: true })();
    const held = heldPorts(scan, await lostContainers(config, scan));
    const ok = held.length === 0;
    const report: StopReport = {
      ...{ schema: 1, dryRun, command, stack, cleanup, refused, held, scan, ok },
    };
    if (json) terminal.out(jsonText(report));
    else for (const text of stopSummary(report, terminal)) say(text);
    if (refused !== null) terminal.err(`orphand: nothing was cleaned up: ${escape(refused.message)}`);
    return ok ? 0 : 1;
  } finally {
    interruption.close();
  }
}

async function runCommandOf(
  { rest, options, terminal }: Context,
  dryRun: boolean,
  say: (line: string) => void,
): Promise<NonNullable<StopReport['command']>> {
  const shown = commandText(rest);
  if (dryRun) {
    say(line('info', `Would run ${shown}`, terminal));
    return { argv: rest, result: null };
  }
  say(line('info', `Running ${shown}`, terminal));
  const result = await runChild(rest, options['json'] === true ? 'stderr' : 'inherit');
  const failure = childFailure(result);
  if (failure !== undefined) terminal.err(`orphand: ${shown} ${failure}; cleaning up all the same`);
  return { argv: rest, result };
}

async function clean(
  { options, terminal }: Context,
  config: Config,
  dryRun: boolean,
  say: (line: string) => void,
): Promise<{
  cleanup: CleanReport | null;
  refused: StopReport['refused'];
  interrupted: number | undefined;
}> {
  const { clean: mode, confirmAfterMs } = config.stop;
  if (mode === 'off') {
    say(line('info', 'The configuration says stop.clean: off', terminal));
    return { cleanup: null, refused: null, interrupted: undefined };
  }
  try {
    const { report, interrupted } = await showCleanup(
      config,
      {
        ...{ trigger: 'stop', dryRun, confirmAfterMs },
        suspects: mode === 'suspects',
        force: options['force'] === true,
      },
      terminal,
      say,
    );
    for (const text of cleanedLines(report, terminal)) say(text);
    return { cleanup: report, refused: null, interrupted };
  } catch (error) {
    if (!(error instanceof CleanupRefusedError)) throw error;
    const { code, message } = error;
    return { cleanup: null, refused: { code, message }, interrupted: undefined };
  }
}

/** Of what a live container holds: the containers that their engine does not count as running, so that it can't stop them. */
async function lostContainers(config: Config, { processes, ports }: Report): Promise<Set<string>> {
  const held = ports.some(({ state }) => state === 'held');
  if (!held || !processes.some(({ verdict }) => verdict === 'container')) return new Set();
  const { listed } = await listHost(config);
  const idle = listed.flatMap(({ containers }) => containers).filter((container) => !isLive(container));
  return new Set(idle.map(({ id }) => id));
}

function givenUp({ terminal }: Context, interruption: Interruption): number {
  terminal.err('orphand: interrupted: nothing was cleaned up');
  return interruption.exitCode() ?? 1;
}

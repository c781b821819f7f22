import type { Report, ReportedPort, ReportedProcess } from '../model.ts';
import { isPort } from '../config/port-list.ts';
import { UnreadableError } from '../procfs/fs.ts';
import { countConnections } from '../procfs/net.ts';
import { createLooker } from '../report/look.ts';
import { chainTo } from './chain.ts';
import type { Link } from './chain.ts';
import { UsageError } from './command.ts';
import type { Context } from './command.ts';
import { cureOf } from './cure.ts';
import { cut, jsonText } from './escape.ts';
import { explainPort, explainProcess, explainStranger } from './explain-text.ts';
import { limits } from './format.ts';

const proc = { root: '/proc' };

/** What `explain` found out; the object that `explain --json` prints. */
export interface Explanation {
  port: ReportedPort | null;
  /** TCP sockets with the port as their local one, by state. */
  connections: Record<string, number>;
  processes: { process: ReportedProcess; chain: Link[]; cure: string }[];
}

/** `orphand explain PORT|PID`: everything that orphand knows of a port's holders, or of one process. */
export async function run(context: Context): Promise<number> {
  const { kind, number } = wanted(context.args);
  const { config } = await context.load();
  const look = createLooker({ config, cli: true });
  const watched = config.ports.some(({ port }) => port === number);
  if (kind !== 'pid' && isPort(number)) {
    const report = await look({ ports: [number] });
    const held = report.ports.filter(({ state }) => state === 'held');
    if (held.length > 0) return showPorts(context, report, held);
    if (kind === 'port' || watched) return showFree(context, report, number);
  }
  return showProcess(context, await look(), number);
}

function wanted(args: readonly string[]): { kind: 'port' | 'pid' | undefined; number: number } {
  const [first = '', second] = args;
  const kind = first === 'port' || first === 'pid' ? first : undefined;
  const text = kind === undefined ? first : (second ?? '');
  const shown = JSON.stringify(cut(text, 60));
  if (second !== undefined && kind === undefined) {
    throw new UsageError(`${JSON.stringify(cut(first, 60))} is neither "port" nor "pid"`);
  }
  // Pids end at 2^22 (PID_MAX_LIMIT, proc_sys_kernel(5)).
  const number = /^[0-9]{1,7}$/.test(text) ? Number(text) : 0;
  if (kind === 'port' && !isPort(number)) throw new UsageError(`${shown} is not a port (1-65535)`);
  if (number < 1 || number > 4_194_304) {
    throw new UsageError(
      `${shown} is ${kind === 'pid' ? 'not a process id' : 'neither a port nor a process id'}`,
    );
  }
  return { kind, number };
}

function showPorts(context: Context, report: Report, ports: readonly ReportedPort[]): number {
  const { terminal, options } = context;
  const pids = new Set(ports.flatMap(({ listeners }) => listeners.flatMap(({ holders }) => holders)));
  const holders = report.processes.filter(({ pid }) => pids.has(pid));
  const explanations = ports.map((port): Explanation => {
    const own = new Set(port.listeners.flatMap((listener) => listener.holders));
    return {
      port,
      connections: port.protocol === 'tcp' ? connectionsOf(port.port) : {},
      processes: holders.filter(({ pid }) => own.has(pid)).map(explained),
    };
  });
  if (options['json'] === true) terminal.out(jsonText(explanations));
  else {
    for (const explanation of explanations) terminal.out(explainPort(explanation, report, terminal));
    for (const text of limits(report, true, terminal)) terminal.out(text);
  }
  return 0;
}

function showFree({ terminal, options }: Context, report: Report, number: number): number {
  const [port] = report.ports;
  const name = port === undefined ? '' : ` (${port.service})`;
  if (options['json'] === true) terminal.out(jsonText([]));
  else terminal.out(`${terminal.sign('ok')} Nothing is there: port ${number}${name} is free`);
  if (hasProcess(number)) terminal.err(`There is a process with that number: orphand explain pid ${number}`);
  return 1;
}

function showProcess({ terminal, options }: Context, report: Report, pid: number): number {
  const process = report.processes.find((one) => one.pid === pid);
  const json = options['json'] === true;
  if (process !== undefined) {
    const explanation: Explanation = { port: null, connections: {}, processes: [explained(process)] };
    terminal.out(json ? jsonText([explanation]) : explainProcess(explained(process), report, terminal));
    return 0;
  }
  const chain = chainOf(pid);
  if (chain.length === 0) {
    if (json) terminal.out(jsonText([]));
    else
      terminal.out(
        `${terminal.sign('info')} Nothing is there: no process ${pid}, and no port ${pid} that is watched or held`,
      );
    return 1;
  }
  terminal.out(
    json
      ? jsonText([{ port: null, connections: {}, processes: [], chain }])
      : explainStranger(chain, terminal),
  );
  return 0;
}

function explained(process: ReportedProcess): Explanation['processes'][number] {
  return { process, chain: chainOf(process.pid), cure: cureOf(process) };
}

function chainOf(pid: number): Link[] {
  try {
    return chainTo(proc, pid);
  } catch (error) {
    // hidepid: the report says what could not be read.
    if (error instanceof UnreadableError) return [];
    throw error;
  }
}

function hasProcess(pid: number): boolean {
  return chainOf(pid).length > 0;
}

function connectionsOf(port: number): Record<string, number> {
  return Object.fromEntries(countConnections(proc, port));
}

import type { Config } from '../config/config.ts';
import { isPort } from '../config/port-list.ts';
import { listContainers } from '../container/runtimes/listing.ts';
import type { Report, ReportedPort } from '../model.ts';
import { countConnections } from '../procfs/net.ts';
import { createLooker } from '../report/look.ts';
import { UsageError } from './command.ts';
import type { Context } from './command.ts';
import { cut, escape, jsonText } from './escape.ts';
import { Explainer } from './explain-facts.ts';
import type { Explained } from './explain-facts.ts';
import { explainPort, explainProcess, explainStranger, waitingElsewhere } from './explain-text.ts';
import { limits } from './format.ts';
import { publishersOf } from './publishers.ts';
import type { Publisher } from './publishers.ts';
import { engineText } from './stack.ts';
import { waitingFor } from './waiting.ts';
import type { Listed, Waiting } from './waiting.ts';

const proc = { root: '/proc' };

/** What `explain` found out; the object that `explain --json` prints. */
export interface Explanation {
  port: ReportedPort | null;
  /** TCP sockets with the port as their local one, by state. */
  connections: Record<string, number>;
  /** Containers in a crash loop that want the port. */
  waiting: Waiting[];
  /** Containers that publish the port, where a forwarder holds it; null: none does. */
  publishers: Publisher[] | null;
  processes: Explained[];
}

/** `orphand explain PORT|PID`: everything that orphand knows of a port's holders, or of one process. */
export async function run(context: Context): Promise<number> {
  const { kind, number } = wanted(context.args);
  const { config } = await context.load();
  const watched = config.ports.some(({ port }) => port === number);
  // A port that nobody watches may be one of UDP.
  const look = createLooker({ config: { ...config, protocols: ['tcp', 'udp'] }, cli: true });
  if (kind !== 'pid' && isPort(number)) {
    // The other watched ports too: a process may hold more than one.
    const report = await look({ ports: [...new Set([number, ...config.ports.map(({ port }) => port)])] });
    const held = report.ports.filter(({ port, state }) => port === number && state === 'held');
    if (held.length > 0) return await showPorts(context, config, report, held);
    if (kind === 'port' || watched) return await showFree(context, config, report, number);
  }
  return await showProcess(context, config, await createLooker({ config, cli: true })(), number);
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

async function showPorts(
  context: Context,
  config: Config,
  report: Report,
  ports: readonly ReportedPort[],
): Promise<number> {
  const { terminal, options } = context;
  const explainer = new Explainer(config);
  const listed = await listedFor(context, config);
  const explanations: Explanation[] = [];
  for (const port of ports) {
    const pids = new Set(port.listeners.flatMap((listener) => listener.holders));
    const holders = report.processes.filter(({ pid }) => pids.has(pid));
    const processes: Explained[] = [];
    for (const holder of holders) processes.push(await explainer.explain(holder, report));
    explanations.push({
      port,
      connections: port.protocol === 'tcp' ? Object.fromEntries(countConnections(proc, port.port)) : {},
      waiting: waitingFor(port.port, holders, listed, Date.now()),
      publishers: publishersOf(port, holders, listed) ?? null,
      processes,
    });
  }
  if (options['json'] === true) terminal.out(jsonText(explanations));
  else {
    for (const explanation of explanations) terminal.out(explainPort(explanation, report, terminal));
    for (const text of limits(report, true, terminal)) terminal.out(text);
  }
  return 0;
}

async function showFree(context: Context, config: Config, report: Report, number: number): Promise<number> {
  const { terminal, options } = context;
  const port = report.ports.find((each) => each.port === number);
  const name = port === undefined ? '' : ` (${port.service})`;
  if (options['json'] === true) {
    terminal.out(jsonText([]));
    return 1;
  }
  terminal.out(`${terminal.sign('ok')} Nothing is there: port ${number}${name} is free`);
  for (const waiting of waitingFor(number, [], await listedFor(context, config), Date.now())) {
    terminal.out(waitingElsewhere(waiting, terminal));
  }
  if (new Explainer(config).chain(number).length > 0) {
    terminal.err(`There is a process with that number: orphand explain pid ${number}`);
  }
  return 1;
}

async function showProcess(context: Context, config: Config, report: Report, pid: number): Promise<number> {
  const { terminal, options } = context;
  const process = report.processes.find((one) => one.pid === pid);
  const json = options['json'] === true;
  const explainer = new Explainer(config);
  if (process !== undefined) {
    const explained = await explainer.explain(process, report);
    const explanation: Explanation = {
      port: null,
      connections: {},
      waiting: [],
      publishers: null,
      processes: [explained],
    };
    terminal.out(json ? jsonText([explanation]) : explainProcess(explained, report, terminal));
    return 0;
  }
  const chain = explainer.chain(pid);
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
      ? jsonText([{ port: null, connections: {}, waiting: [], publishers: null, processes: [], chain }])
      : explainStranger(chain, terminal),
  );
  return 0;
}

/** What the engines list; which of them did not answer is said. */
async function listedFor({ terminal }: Context, { runtimeTimeoutMs }: Config): Promise<Listed[]> {
  // Three times as long as for a look: podman is slow while it restarts a container again and again.
  const { listed, silent } = await listContainers({ proc, timeoutMs: 3 * runtimeTimeoutMs });
  for (const { runtime, user, reason } of silent) {
    terminal.err(
      `orphand: ${engineText(runtime, user.name)} was not asked who waits for the port: ${escape(reason)}`,
    );
  }
  return listed.flatMap(({ engine, containers }) =>
    containers.map((container) => ({ ...container, runtime: engine.runtime, user: engine.user.name })),
  );
}

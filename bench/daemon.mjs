// The daemon's figures: requests per second against a bare fastify, memory after many sweeps, idle processor time, and how
// soon a supervisor's death is looked into. Called by npm run bench, or alone: node bench/daemon.mjs [--quick]
//
// Needs root: like the scan's load, all of it lives in namespaces of its own and ends with them.
import { spawn, spawnSync } from 'node:child_process';
import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { availableParallelism, cpus, loadavg, release, tmpdir, totalmem } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import {
  firstLine,
  median,
  ok,
  processorTime,
  residentMegabytes,
  startDaemon,
  total,
} from './daemon-process.mjs';
import { containersOf } from './podman.mjs';
import { sweepRows, sweeps } from './sweeps.mjs';

const { values: flags } = parseArgs({
  options: { quick: { type: 'boolean', default: false }, inside: { type: 'string' } },
});
const plan = flags.quick
  ? { rounds: 6, seconds: 0.5, sweeps: 200, early: 40, settle: 5, idle: 15, deaths: 3 }
  : { rounds: 36, seconds: 0.5, sweeps: 1000, early: 200, settle: 20, idle: 90, deaths: 20 };
// What an ordinary host has: sockets of connections, descriptors, processes; and one watched port that is held.
const host = { connections: 600, descriptors: 5_000, processes: 200, held: 8080 };
const connections = 16;
const here = import.meta.dirname;

if (flags.inside === undefined) begin();
else await measure(flags.inside);

/** Copies and compiles what is measured, and runs this program again in namespaces of its own. */
function begin() {
  if (process.getuid() !== 0) throw new Error('needs root, for the namespaces that all of this lives in');
  const work = mkdtempSync(join(tmpdir(), 'orphand-bench-'));
  try {
    for (const name of ['load', 'requests', 'nokcmp'])
      succeed('cc', ['-O2', '-o', join(work, name), join(here, `c/${name}.c`)]);
    // A copy, so that a build meanwhile does not take away what runs.
    cpSync(join(here, '../dist'), join(work, 'dist'), { recursive: true });
    symlinkSync(join(here, '../node_modules'), join(work, 'node_modules'));
    raiseLimits(join(work, 'dist'), join(work, 'raised'));
    // bash as pid 1, because it reaps what is reparented to it, as an init does and node does not.
    succeed('unshare', [
      ...['--net', '--pid', '--ipc', '--fork', '--mount-proc', '--kill-child', '--propagation', 'private'],
      ...['bash', '-c', '"$@"; exit $?', 'bash'],
      ...[process.execPath, import.meta.filename, ...process.argv.slice(2), '--inside', work],
    ]);
  } finally {
    removeCgroups(work);
    rmSync(work, { recursive: true });
  }
}

/** The same program with two numbers changed: a caller may ask without end, which is what is measured. */
function raiseLimits(from, to) {
  cpSync(from, to, { recursive: true });
  let changed = 0;
  for (const name of readdirSync(to)) {
    if (!name.endsWith('.mjs')) continue;
    const text = readFileSync(join(to, name), 'utf8');
    const raised = text.replace(/\b(requestsPerMinute|controlPerMinute): [\d_e]+/g, (_all, key) => {
      changed += 1;
      return `${key}: 1e9`;
    });
    if (raised !== text) writeFileSync(join(to, name), raised);
  }
  if (changed !== 2) throw new Error(`the build has ${changed} of the 2 limits that are to be raised`);
}

/** Folders of cgroups are all that outlives the namespaces. */
function removeCgroups(work) {
  let names = [];
  try {
    names = readFileSync(join(work, 'cgroups'), 'utf8').trim().split('\n');
  } catch {
    return;
  }
  for (const name of names) {
    if (!/^libpod-(conmon-)?[0-9a-f]{64}$/.test(name)) continue;
    spawnSync(
      'find',
      ['/sys/fs/cgroup', '-depth', '-type', 'd', '-path', `*/${name}*`, '-exec', 'rmdir', '{}', ';'],
      {
        stdio: 'ignore',
      },
    );
  }
}

function succeed(command, args) {
  const { status, error } = spawnSync(command, args, { stdio: ['ignore', 'inherit', 'inherit'] });
  if (status !== 0) throw error ?? new Error(`${command} ended with ${status}`);
}

async function end(load) {
  const ended = new Promise((resolve) => load.once('exit', resolve));
  load.stdin.end();
  await ended;
}

async function measure(work) {
  succeed('ip', ['link', 'set', 'lo', 'up']);
  succeed('mount', ['-t', 'tmpfs', '-o', 'mode=755', 'tmpfs', '/run']);
  const { connections: sockets, descriptors, processes, held } = host;
  const load = spawn(join(work, 'load'), [sockets, descriptors, processes, held].map(String), {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  await firstLine(load);
  const figures = {};
  for (const [name, part] of Object.entries({ http, memory, idle, deaths, sweeps })) {
    // The sweeps are measured under loads of their own.
    if (part === sweeps) await end(load);
    const before = loadavg();
    process.stderr.write(`${name} …\n`);
    try {
      figures[name] = { ...(await part(work, flags.quick)), load: { before, after: loadavg() } };
    } catch (error) {
      // The other figures stand without this one.
      figures[name] = { failed: error instanceof Error ? error.message : String(error) };
      process.exitCode = 1;
    }
  }
  report(figures);
  process.exit();
}

/** Requests per second, each path of the daemon in turn with a bare route of the same size and type. */
async function http(work) {
  const daemon = await startDaemon(work, 'raised');
  const bare = [];
  const sides = {};
  for (const path of ['/api/v1/status', '/metrics']) {
    const { headers, text } = await ok(daemon.ask(path));
    const bytes = Buffer.byteLength(text);
    const child = spawn(process.execPath, [join(here, 'bare.mjs'), headers['content-type'], String(bytes)], {
      stdio: ['ignore', 'pipe', 'inherit'],
      env: { PATH: process.env.PATH, HOME: '/nonexistent' },
    });
    bare.push(child);
    const port = Number(await firstLine(child));
    sides[path] = {
      bytes,
      daemon: { ...daemon, path, runs: [] },
      bare: { pid: child.pid, port, path: '/', runs: [] },
    };
  }
  // A few rounds more than are counted, for the compiler.
  for (let round = -4; round < plan.rounds; round++)
    for (const pair of Object.values(sides))
      for (const { pid, port, path, runs } of [pair.daemon, pair.bare]) {
        const before = processorTime(pid);
        const args = [port, path, connections, plan.seconds].map(String);
        const { status, stdout, stderr } = spawnSync(join(work, 'requests'), args, { encoding: 'utf8' });
        if (status !== 0) throw new Error(stderr);
        const { answers, seconds } = JSON.parse(stdout);
        const cpu = processorTime(pid) - before;
        if (round >= 0) runs.push({ perSecond: answers / seconds, answers, cpu });
      }
  for (const child of bare) child.kill();
  await daemon.stop();
  const medians = (runs) => ({
    perSecond: median(runs.map((run) => run.perSecond)),
    // In µs for each request; of all runs together, since one is only some dozens of the kernel's steps.
    cpu: (1000 * total(runs, 'cpu')) / total(runs, 'answers'),
    runs,
  });
  const result = (path) => {
    const { bytes, daemon, bare } = sides[path];
    const [ours, theirs] = [medians(daemon.runs), medians(bare.runs)];
    return {
      bytes,
      daemon: ours,
      bare: theirs,
      ratio: ours.perSecond / theirs.perSecond,
      cpuRatio: theirs.cpu / ours.cpu,
    };
  };
  return { status: result('/api/v1/status'), metrics: result('/metrics') };
}

/** Resident memory on the way to the last of many sweeps, each asked for over the unix socket. */
async function memory(work) {
  const daemon = await startDaemon(work, 'raised');
  const rss = {};
  const begin = performance.now();
  for (let sweep = 1; sweep <= plan.sweeps; sweep++) {
    await ok(daemon.ask('/api/v1/scans', 'POST'));
    if (sweep % plan.early === 0) rss[sweep] = residentMegabytes(daemon.pid);
  }
  const seconds = (performance.now() - begin) / 1000;
  await daemon.stop();
  return { rss, seconds };
}

/** Processor time of two daemons that only sweep by their schedule: a watched port of one is held, none of the other's. */
async function idle(work) {
  const daemons = {
    held: await startDaemon(work, 'dist'),
    free: await startDaemon(work, 'dist', { ports: [host.held + 1] }),
  };
  await delay(plan.settle * 1000);
  const results = {};
  for (const [name, daemon] of Object.entries(daemons))
    results[name] = {
      sweeps: await sweepCount(daemon),
      ms: processorTime(daemon.pid),
      begin: performance.now(),
    };
  await delay(plan.idle * 1000);
  for (const [name, daemon] of Object.entries(daemons)) {
    const before = results[name];
    const ms = processorTime(daemon.pid) - before.ms;
    const wall = performance.now() - before.begin;
    const sweeps = (await sweepCount(daemon)) - before.sweeps;
    const rss = residentMegabytes(daemon.pid);
    results[name] = { ms, wall, percent: (ms / wall) * 100, sweeps, rss };
    await daemon.stop();
  }
  return results;
}

async function sweepCount(daemon) {
  const { text } = await ok(daemon.ask('/metrics'));
  const counts = [...text.matchAll(/^orphand_sweeps_total\{.*\} (\d+)$/gm)];
  if (counts.length === 0) throw new Error('no orphand_sweeps_total in /metrics');
  return counts.reduce((sum, [, count]) => sum + Number(count), 0);
}

/** From the kill of a real container's conmon to the look that follows it: when it began, and when it had finished. */
async function deaths(work) {
  const port = 18_091;
  const containers = containersOf(work);
  // No sweep by the clock gets in between: the one that is measured is the one that the death brings.
  const daemon = await startDaemon(work, 'dist', { ports: [port], sweep: { schedule: '0 0 0 1 1 *' } });
  const rounds = [];
  for (let round = 0; round < plan.deaths; round++) {
    const { conmon, end } = containers.start(port);
    const { text } = await ok(daemon.ask('/api/v1/scans', 'POST'));
    const known = JSON.parse(text).processes.some(({ supervisor }) => supervisor?.pid === conmon);
    if (!known) throw new Error(`the container's conmon ${conmon} is nobody's supervisor: ${text}`);
    // Two of these sweeps are never closer than a second, and the control limit is 30 a minute.
    await delay(1_100);
    const killedAt = Date.now();
    process.kill(conmon, 'SIGKILL');
    rounds.push(await lookAfter(daemon, killedAt));
    end();
  }
  await daemon.stop();
  return {
    rounds,
    began: median(rounds.map(({ began }) => began)),
    finished: median(rounds.map(({ finished }) => finished)),
    longest: Math.max(...rounds.map(({ finished }) => finished)),
  };
}

async function lookAfter(daemon, killedAt) {
  for (let tries = 0; tries < 100; tries++) {
    await delay(200);
    const { lastSweep } = JSON.parse((await ok(daemon.ask('/api/v1/status'))).text);
    const began = Date.parse(lastSweep.at) - killedAt;
    if (lastSweep.trigger === 'supervisor-death' && began >= 0)
      return { began, finished: began + lastSweep.durationMs };
  }
  throw new Error('20 s after a kill of conmon the daemon had not looked');
}

function report(figures) {
  const { http, memory, idle, deaths } = figures;
  const rows = [];
  const add = (what, target, part, measure) => {
    if (part.failed !== undefined)
      rows.push({ what, target, figure: `not measured: ${part.failed.split('\n')[0]}` });
    else {
      const { figure, met } = measure(part);
      rows.push({ what, target, figure, met, load: part.load.before[0] });
    }
  };
  for (const [key, path, target] of [
    ['status', '/api/v1/status', 0.6],
    ['metrics', '/metrics', 0.3],
  ])
    add(
      `requests per second of ${path}, over a bare fastify route of the same size`,
      `at least ${target} ×`,
      http,
      (part) => {
        const { bytes, daemon, bare, ratio, cpuRatio } = part[key];
        const perSecond = `${daemon.perSecond.toFixed(0)} of ${bare.perSecond.toFixed(0)} a second`;
        return {
          figure: `${ratio.toFixed(2)} × (${perSecond}, ${bytes} bytes; by processor time ${cpuRatio.toFixed(2)} ×)`,
          met: ratio >= target,
        };
      },
    );
  const { early, sweeps: last } = plan;
  add(`resident memory after ${last} sweeps`, 'under 110 MB', memory, ({ rss }) => ({
    figure: `${rss[last].toFixed(1)} MB`,
    met: rss[last] < 110,
  }));
  add(`the same, over that after ${early}`, 'not growing (at most 1.02 ×)', memory, ({ rss }) => ({
    figure: `${(rss[last] / rss[early]).toFixed(3)} × (${Object.entries(rss)
      .map(([count, megabytes]) => `${count}: ${megabytes.toFixed(1)}`)
      .join(', ')} MB)`,
    met: rss[last] / rss[early] <= 1.02,
  }));
  for (const [key, what] of [
    ['held', 'idle processor time, a sweep every 15 s, a watched port held'],
    ['free', 'the same, no watched port held'],
  ])
    add(what, 'under 0.2 % of a core', idle, (part) => {
      const { ms, wall, percent, sweeps: during } = part[key];
      return {
        figure: `${percent.toFixed(3)} % (${ms} ms in ${(wall / 1000).toFixed(0)} s, ${during} sweeps)`,
        met: percent < 0.2,
      };
    });
  add(
    `from the death of a container's conmon to the daemon's first look, median of ${plan.deaths}`,
    'at most 50 ms',
    deaths,
    ({ began, finished, longest }) => ({
      figure: `${began.toFixed(1)} ms until it began, ${finished.toFixed(1)} ms until it had finished (at most ${longest.toFixed(1)})`,
      // By the later of the two: before that the daemon knows nothing.
      met: finished <= 50,
    }),
  );
  for (const { what, target, measure } of sweepRows) add(what, target, figures.sweeps, measure);

  const load = Object.entries(figures)
    .filter(([, part]) => part.load !== undefined)
    .map(([name, part]) => `${name} ${part.load.before[0].toFixed(1)} to ${part.load.after[0].toFixed(1)}`);
  const cpu = cpus()[0]?.model ?? 'unknown processor';
  const text = [
    `# orphand bench, the daemon, ${new Date().toISOString()}${flags.quick ? ' (--quick: whether it runs, not how fast)' : ''}`,
    '',
    `${host.processes} processes with ${host.descriptors} descriptors, a watched port held; ${plan.rounds} interleaved rounds of ${plan.seconds} s over ${connections} kept connections.`,
    `Linux ${release()}, node ${process.version}, ${availableParallelism()} cores (${cpu}), ${(totalmem() / 2 ** 30).toFixed(0)} GB.`,
    `Load average of one minute, before and after each part: ${load.join('; ')}.`,
    '',
    '| what | target | measured | |',
    '| --- | --- | --- | --- |',
    ...rows.map(
      ({ what, target, figure, met }) =>
        `| ${what} | ${target} | ${figure} | ${met === undefined ? '–' : met ? 'met' : 'missed'} |`,
    ),
    '',
  ].join('\n');
  const folder = join(here, 'results');
  mkdirSync(folder, { recursive: true });
  const name = join(folder, flags.quick ? 'daemon-quick' : 'daemon');
  writeFileSync(`${name}.md`, text);
  const machine = {
    kernel: release(),
    node: process.version,
    cores: availableParallelism(),
    cpu,
    memory: totalmem(),
  };
  writeFileSync(`${name}.json`, `${JSON.stringify({ machine, host, plan, figures, rows }, null, 2)}\n`);
  console.log(text);
}

// npm run bench: measures a scan against the system's own tools on a made load, as ratios of medians of interleaved runs.
// Then daemon.mjs measures the daemon.
//
//   --connections N  sockets of TCP connections, two to a connection (60000)     --rounds N  of every command (9)
//   --descriptors N  open descriptors in all (80000)                             --quick     a tenth of the load, 3 rounds
//   --processes N    that hold them (200)
//
// Needs root: the load has network and pid namespaces of its own, so that it disturbs nobody and ends with them.
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { availableParallelism, loadavg, release, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { buildSync } from 'esbuild';

const { values: flags } = parseArgs({
  options: {
    connections: { type: 'string' },
    descriptors: { type: 'string' },
    processes: { type: 'string', default: '200' },
    rounds: { type: 'string' },
    quick: { type: 'boolean', default: false },
    inside: { type: 'string' },
  },
});
const connections = Number(flags.connections ?? (flags.quick ? 6_000 : 60_000));
const descriptors = Number(flags.descriptors ?? (flags.quick ? 10_000 : 80_000));
const processes = Number(flags.processes);
const rounds = Number(flags.rounds ?? (flags.quick ? 3 : 9));
const here = import.meta.dirname;
const orphand = join(here, '../dist/bin.js');
const ports = [8091, 8791, 8092, 8094, 3001, 8098, 6333, 8080, 5432, 6379, 47334];
const held = 8080;
// Beside this file, where koffi is found; not in dist/, which every build empties.
const walkBundle = join(here, '.walk.cjs');

if (flags.inside === undefined) begin();
else await measure(flags.inside);

/** Compiles what is in C, and runs this program again in namespaces of its own. */
function begin() {
  if (process.getuid() !== 0) throw new Error('needs root, for the namespaces that the load lives in');
  const work = mkdtempSync(join(tmpdir(), 'orphand-bench-'));
  try {
    for (const name of ['load', 'readlinks', 'timed'])
      succeed('cc', ['-O2', '-o', join(work, name), join(here, `c/${name}.c`)]);
    buildSync({
      entryPoints: [join(here, 'walk.ts')],
      outfile: walkBundle,
      bundle: true,
      platform: 'node',
      format: 'cjs',
      external: ['koffi'],
      define: { 'import.meta.url': '__filename' },
    });
    const args = ['--net', '--pid', '--fork', '--mount-proc', '--kill-child', process.execPath];
    succeed('unshare', [...args, import.meta.filename, ...process.argv.slice(2), '--inside', work]);
    succeed(process.execPath, [join(here, 'daemon.mjs'), ...(flags.quick ? ['--quick'] : [])]);
  } finally {
    rmSync(work, { recursive: true });
    rmSync(walkBundle, { force: true });
  }
}

function succeed(command, args) {
  const { status, error } = spawnSync(command, args, { stdio: 'inherit' });
  if (status !== 0) throw error ?? new Error(`${command} ended with ${status}`);
}

function output(command, args) {
  const { status, stdout, stderr } = spawnSync(command, args, { encoding: 'utf8' });
  if (status !== 0) throw new Error(`${command} ${args.join(' ')}: ${stderr}`);
  return stdout;
}

async function measure(work) {
  succeed('ip', ['link', 'set', 'lo', 'up']);
  const timed = (command) => JSON.parse(output(join(work, 'timed'), command));
  const state = join(work, 'state');
  mkdirSync(state);
  process.env.STATE_DIRECTORY = state;
  const node = [process.execPath, '-e', '0'];
  const scan = [process.execPath, orphand, 'scan'];
  const loop = ports.map((port) => `lsof -ti:${port}`).join('; ');

  const idle = await startLoad(work, 0);
  const unheld = interleave(rounds * 2, timed, {
    node,
    scan,
    boot: [process.execPath, orphand, 'boot'],
  });
  idle.stdin.end();
  await new Promise((resolve) => idle.once('exit', resolve));

  await startLoad(work, held);
  // Without CAP_PERFMON, CAP_BPF, and CAP_SYS_ADMIN, which stands for both: the kernel can't be asked at once.
  const unprivileged = ['setpriv', '--bounding-set', '-perfmon,-bpf,-sys_admin'];
  const walk = (which) => [
    ...(which === 'comparing' ? unprivileged : []),
    process.execPath,
    walkBundle,
    String(held),
    which === 'plain' ? 'plain' : 'fast',
  ];
  const busy = interleave(rounds, timed, {
    node,
    scan,
    comparing: [...unprivileged, ...scan],
    ss: ['ss', '-tlnp'],
    lsof: ['lsof', '-nP', '-iTCP', '-sTCP:LISTEN'],
    fuser: ['fuser', ...ports.map((port) => `${port}/tcp`)],
    loop: ['sh', '-c', loop],
    readlinks: [join(work, 'readlinks'), '/proc', '1'],
  });
  const walks = { fast: [], comparing: [], plain: [] };
  for (let round = 0; round < rounds; round++)
    for (const which of Object.keys(walks)) {
      const [command, ...args] = walk(which);
      walks[which].push(Number(output(command, args)));
    }
  report({
    unheld,
    busy,
    walks: Object.fromEntries(Object.entries(walks).map(([which, runs]) => [which, median(runs)])),
  });
  process.exit();
}

/** Starts the load and waits until all of it is there. It ends with this process, at the latest. */
async function startLoad(work, port) {
  const child = spawn(join(work, 'load'), [connections, descriptors, processes, port].map(String), {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  await new Promise((resolve, reject) => {
    child.stdout.once('data', resolve);
    child.once('exit', (code) => reject(new Error(`the load ended with ${code}`)));
  });
  return child;
}

/** Medians of each command's runs, one of each at a time. */
function interleave(count, timed, commands) {
  const runs = Object.fromEntries(Object.keys(commands).map((name) => [name, []]));
  for (let round = 0; round < count; round++)
    for (const [name, command] of Object.entries(commands)) {
      // 11 runs of lsof take as long as everything else together.
      if (name !== 'loop' || round < 3) runs[name].push(timed(command));
    }
  return Object.fromEntries(
    Object.entries(runs).map(([name, each]) => [
      name,
      Object.fromEntries(['wall', 'cpu', 'rss'].map((key) => [key, median(each.map((run) => run[key]))])),
    ]),
  );
}

function median(numbers) {
  const sorted = [...numbers].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

function report({ unheld, busy, walks }) {
  const ratio = (what, against, target, a, b) => ({
    what,
    against,
    target,
    wall: a.wall / b.wall,
    cpu: a.cpu / b.cpu,
    met: target === undefined ? undefined : a.wall / b.wall <= target && a.cpu / b.cpu <= target,
  });
  const rows = [
    ratio('scan, a watched port held', 'ss -tlnp', 0.5, busy.scan, busy.ss),
    ratio('the same', 'lsof -nP -iTCP -sTCP:LISTEN', 0.2, busy.scan, busy.lsof),
    ratio('the same', 'fuser, 11 ports', 0.6, busy.scan, busy.fuser),
    ratio('the same', 'a loop of lsof -ti:PORT, 11 ports', 0.03, busy.scan, busy.loop),
    ratio('the same, without CAP_BPF', 'ss -tlnp', undefined, busy.comparing, busy.ss),
    ratio('the same, without CAP_BPF', 'fuser, 11 ports', undefined, busy.comparing, busy.fuser),
    ratio('scan, no watched port held', 'node -e 0', 1.6, unheld.scan, unheld.node),
    ratio('boot, nothing to do', 'node -e 0', 2, unheld.boot, unheld.node),
    {
      what: 'the walk (processor time)',
      against: 'readlinkat in C, one thread',
      target: 0.9,
      cpu: walks.fast / busy.readlinks.cpu,
      met: walks.fast / busy.readlinks.cpu <= 0.9,
    },
  ];
  const memory = (busy.scan.rss - busy.node.rss) / 1024;
  const verdict = (met) => (met === undefined ? '–' : met ? 'met' : 'missed');
  const figure = (number) => (number === undefined ? '–' : `${number.toFixed(3)} ×`);
  const text = [
    `# orphand bench, ${new Date().toISOString()}`,
    '',
    `${connections} sockets of connections, ${descriptors} descriptors, ${processes} processes; medians of ${rounds} interleaved runs.`,
    `Linux ${release()}, node ${process.version}, ${availableParallelism()} cores, load average ${loadavg()
      .map((each) => each.toFixed(1))
      .join(' ')}.`,
    '',
    '| what | against | at most | wall clock | processor time | |',
    '| --- | --- | --- | --- | --- | --- |',
    ...rows.map(
      ({ what, against, target, wall, cpu, met }) =>
        `| ${what} | ${against} | ${target === undefined ? '–' : `${target} ×`} | ${figure(wall)} | ${figure(cpu)} | ${verdict(met)} |`,
    ),
    `| memory of a scan above an idle node | – | 25 MB | ${memory.toFixed(1)} MB | | ${verdict(memory <= 25)} |`,
    '',
    `The walk: ${walks.fast.toFixed(0)} ms by the kernel's own search, ${walks.comparing.toFixed(0)} ms by comparing open files, ${walks.plain.toFixed(0)} ms by reading every link from node, ${busy.readlinks.cpu.toFixed(0)} ms in C (processor time).`,
    '',
  ].join('\n');
  const folder = join(here, 'results');
  if (!existsSync(folder)) mkdirSync(folder);
  const name = join(folder, flags.quick ? 'quick' : 'latest');
  writeFileSync(`${name}.md`, text);
  const raw = {
    connections,
    descriptors,
    processes,
    rounds,
    load: loadavg(),
    unheld,
    busy,
    walks,
    rows,
    memory,
  };
  writeFileSync(`${name}.json`, `${JSON.stringify(raw, null, 2)}\n`);
  console.log(readFileSync(`${name}.md`, 'utf8'));
}

// What a sweep costs that finds nothing changed, over one that reads everything; how long a sweep keeps the event loop;
// and how long HTTP waits meanwhile. Part of daemon.mjs.
import { spawn } from 'node:child_process';
import { readFileSync, rmSync } from 'node:fs';
import { Agent, request } from 'node:http';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { firstLine, median, ok, startDaemon } from './daemon-process.mjs';

const held = 8080;
const few = 600;

/** Medians in ms, by the number of connections and by whether kcmp(2) is refused, as the daemon's unit does. */
export async function sweeps(work, quick) {
  const many = quick ? 6_000 : 60_000;
  const descriptors = quick ? 10_000 : 80_000;
  const rounds = quick ? 3 : 20;
  const figures = { many, descriptors };
  for (const connections of [many, few]) {
    const load = spawn(join(work, 'load'), [connections, descriptors, 200, held].map(String), {
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    await firstLine(load);
    const sides = { unit: [join(work, 'nokcmp')], plain: [] };
    for (const [side, before] of Object.entries(sides)) {
      const name = `${side}${connections === few ? 'Few' : ''}`;
      figures[name] = await sweepsOf(work, before, rounds);
    }
    const ended = new Promise((resolve) => load.once('exit', resolve));
    load.stdin.end();
    await ended;
  }
  return figures;
}

async function sweepsOf(work, before, rounds) {
  const file = join(work, 'delay.json');
  // Loops of sweeps by the clock; only what is asked for reads everything.
  const sweep = { schedule: '* * * * * *', fullScanEvery: 100_000 };
  const daemon = await startDaemon(
    work,
    'raised',
    { sweep },
    {
      before,
      options: ['--import', join(import.meta.dirname, 'delay.mjs')],
      env: { DELAY_FILE: file },
    },
  );
  const delays = async () => {
    rmSync(file, { force: true });
    process.kill(daemon.pid, 'SIGUSR2');
    for (;;) {
      await delay(20);
      try {
        return JSON.parse(readFileSync(file, 'utf8'));
      } catch {
        // Not written yet.
      }
    }
  };
  const scan = () => ok(daemon.ask('/api/v1/scans', 'POST'));
  const records = await sweepRecords(daemon.port);
  const durations = (trigger, count) =>
    records
      .filter((each) => each.trigger === trigger && each.result === 'ok')
      .slice(-count)
      .map(({ durationMs }) => durationMs);
  // For the compiler, and until nothing on the host is young.
  for (let round = 0; round < 5; round++) await scan();
  await delay(5_000);
  await delays();
  await delay(rounds * 1_000);
  const steady = durations('schedule', rounds - 1);
  const steadyDelay = await delays();
  // Other sweeps come in between: what is asked for joins one that runs.
  const scans = async () => {
    for (let round = 0; round < rounds; round++) {
      await scan();
      await delay(50);
    }
  };
  await scans();
  const whole = durations('request', rounds);
  const wholeDelay = await delays();
  // Once more with somebody who asks meanwhile, whose answers take their part of the time.
  const waits = new Waits(daemon.port);
  await scans();
  const latencies = await waits.stop();
  const askedDelay = await delays();
  await daemon.stop();
  return {
    steady: median(steady),
    whole: median(whole),
    steadyDelay: steadyDelay.longest,
    wholeDelay: Math.max(wholeDelay.longest, askedDelay.longest),
    p99: latencies[Math.floor(latencies.length * 0.99)],
    requests: latencies.length,
  };
}

/** The records of all sweeps from now on, as the daemon tells of them. */
async function sweepRecords(port) {
  const records = [];
  const response = await new Promise((resolve, reject) => {
    request({ host: '127.0.0.1', port, path: '/api/v1/events' }, resolve).once('error', reject).end();
  });
  let rest = '';
  response.setEncoding('utf8').on('data', (text) => {
    const events = (rest + text).split('\n\n');
    rest = events.pop();
    for (const event of events)
      if (/^event: sweep$/m.test(event)) records.push(JSON.parse(/^data: (.*)$/m.exec(event)[1]));
  });
  // The daemon ends it.
  response.on('error', () => undefined);
  return records;
}

/** One caller who asks for the status again and again over a kept connection, and how long each answer took, ms. */
class Waits {
  #stopped = false;
  #done;

  constructor(port) {
    this.#done = this.#ask(port);
  }

  async stop() {
    this.#stopped = true;
    return (await this.#done).sort((a, b) => a - b);
  }

  async #ask(port) {
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    const taken = [];
    while (!this.#stopped) {
      const began = performance.now();
      await new Promise((resolve, reject) => {
        const asked = request({ host: '127.0.0.1', port, agent, path: '/api/v1/status' }, (response) => {
          response.resume().once('end', resolve);
        });
        asked.once('error', reject).end();
      });
      taken.push(performance.now() - began);
      await delay(1);
    }
    agent.destroy();
    return taken;
  }
}

export const sweepRows = [
  {
    what: "a sweep that finds nothing changed, over one that reads everything, with the unit's system calls",
    target: 'at most 0.01 ×',
    measure: ({ unit }) => over(unit.steady, unit.whole, 0.01),
  },
  {
    what: 'the same, where kcmp(2) is allowed and reading everything takes a fifth',
    target: '–',
    measure: ({ plain }) => ({ ...over(plain.steady, plain.whole, 0.01), met: undefined }),
  },
  {
    what: 'a sweep that finds nothing changed, with many connections over 600',
    target: 'at most 1.3 ×',
    measure: ({ unit, unitFew }) => over(unit.steady, unitFew.steady, 1.3),
  },
  {
    what: 'longest that a sweep which reads everything keeps the event loop',
    target: 'at most 20 ms',
    measure: ({ unit, plain }) => ({
      figure: `${unit.wholeDelay.toFixed(1)} ms (${plain.wholeDelay.toFixed(1)} with kcmp; ${unit.steadyDelay.toFixed(1)} while nothing changes)`,
      met: Math.max(unit.wholeDelay, plain.wholeDelay) <= 20,
    }),
  },
  {
    what: '99 of 100 answers of /api/v1/status, while everything is read',
    target: 'within 10 ms',
    measure: ({ unit, plain }) => ({
      figure: `${unit.p99.toFixed(1)} ms (${plain.p99.toFixed(1)} with kcmp; ${unit.requests} requests)`,
      met: Math.max(unit.p99, plain.p99) < 10,
    }),
  },
];

function over(a, b, target) {
  return { figure: `${(a / b).toFixed(4)} × (${a.toFixed(2)} of ${b.toFixed(1)} ms)`, met: a / b <= target };
}

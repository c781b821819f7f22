// Loaded into the daemon beside its own code: at SIGUSR2 writes to DELAY_FILE how long its event loop was kept busy at a
// time since the last one, in ms, and begins anew.
import { writeFileSync } from 'node:fs';
import { monitorEventLoopDelay } from 'node:perf_hooks';

// The delay of a timer that is due each ms: one that comes after 5 ms was kept waiting for 4.
const resolution = 1;
const delays = monitorEventLoopDelay({ resolution });
delays.enable();
process.on('SIGUSR2', () => {
  const ms = (ns) => ns / 1e6 - resolution;
  const seen = { longest: ms(delays.max), p99: ms(delays.percentile(99)), count: delays.count };
  delays.reset();
  writeFileSync(process.env.DELAY_FILE, `${JSON.stringify(seen)}\n`);
});

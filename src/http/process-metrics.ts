import { readFileSync, readdirSync } from 'node:fs';
import { Counter, Gauge, type Registry } from 'prom-client';

/**
 * The daemon's own figures under their usual names (proc(5), /proc/self). prom-client's default set has 60 more series
 * and an event loop monitor that wakes the process 100 times a second.
 */
export function processMetrics(registry: Registry): void {
  const registers = [registry];
  new Counter({
    name: 'process_cpu_seconds_total',
    help: 'Processor time that the daemon used, user and system.',
    registers,
    collect() {
      const { user, system } = process.cpuUsage();
      this.reset();
      this.inc((user + system) / 1e6);
    },
  });
  new Gauge({
    name: 'process_resident_memory_bytes',
    help: 'Resident memory of the daemon.',
    registers,
    collect() {
      this.set(process.memoryUsage.rss());
    },
  });
  new Gauge({
    name: 'process_start_time_seconds',
    help: 'When the daemon started (Unix time).',
    registers,
  }).set(Math.round(Date.now() / 1000 - process.uptime()));
  new Gauge({
    name: 'process_open_fds',
    help: 'Open file descriptors of the daemon.',
    registers,
    collect() {
      this.set(readdirSync('/proc/self/fd').length);
    },
  });
  const limit = openFilesLimit();
  if (limit !== undefined) {
    new Gauge({ name: 'process_max_fds', help: 'How many the daemon may open.', registers }).set(limit);
  }
  new Gauge({
    name: 'nodejs_heap_size_used_bytes',
    help: 'Heap of the daemon that is in use.',
    registers,
    collect() {
      this.set(process.memoryUsage().heapUsed);
    },
  });
}

function openFilesLimit(): number | undefined {
  const row = /^Max open files\s+(\d+)/m.exec(readFileSync('/proc/self/limits', 'utf8'));
  return row?.[1] === undefined ? undefined : Number(row[1]);
}

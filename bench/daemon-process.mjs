// What the daemon's benchmarks have in common: starting one, asking it, and what proc(5) says of it.
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { Agent, request } from 'node:http';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

const tick = 10;

/** Starts the built daemon (`before`: a command that runs it, `options`: node's), with everything of it in a folder of its own, and waits until it is ready. */
export async function startDaemon(work, build, config = {}, { before = [], options = [], env = {} } = {}) {
  const folder = mkdtempSync(join(work, 'daemon-'));
  const socket = join(folder, 'orphand.sock');
  const file = join(folder, 'config.yaml');
  const http = { listen: '127.0.0.1:0', socket, socketGroup: '' };
  // JSON is YAML. All else is as it is by default: the stack's 11 ports and its patterns, a sweep every 15 s, report only.
  writeFileSync(file, JSON.stringify({ stateDirectory: join(folder, 'state'), ...config, http }));
  const serve = [join(work, build, 'bin.js'), 'serve', '--config', file];
  const [command, ...args] = [...before, process.execPath, ...options, ...serve];
  const child = spawn(command, args, {
    env: { PATH: process.env.PATH, HOME: '/nonexistent', ...env },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let port;
  let rest = '';
  child.stdout.setEncoding('utf8').on('data', (text) => {
    const lines = (rest + text).split('\n');
    rest = lines.pop();
    for (const line of lines) port ??= /"127\.0\.0\.1:(\d+)"/.exec(line)?.[1];
  });
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  const ask = (path, method = 'GET') =>
    answer({ socketPath: socket, agent, path, method, headers: { host: 'orphand' } });
  for (let tries = 0; ; tries++) {
    await delay(50);
    if (child.exitCode !== null || tries > 200) throw new Error(`no daemon: ${child.exitCode}`);
    const ready = await ask('/readyz').catch(() => undefined);
    if (ready?.status === 200 && port !== undefined) break;
  }
  return {
    pid: child.pid,
    port: Number(port),
    ask,
    async stop() {
      agent.destroy();
      const ended = new Promise((resolve) => child.once('exit', resolve));
      child.kill('SIGTERM');
      await ended;
    },
  };
}

function answer(options) {
  return new Promise((resolve, reject) => {
    const asked = request(options, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (part) => (text += part));
      response.on('end', () => resolve({ status: response.statusCode, headers: response.headers, text }));
      response.on('error', reject);
    });
    asked.on('error', reject);
    asked.end();
  });
}

export async function ok(answering) {
  const { status, headers, text } = await answering;
  if (status !== 200) throw new Error(`answered ${status}: ${text}`);
  return { headers, text };
}

export function firstLine(child) {
  return new Promise((resolve, reject) => {
    child.stdout.once('data', (data) => resolve(String(data).trim()));
    child.once('exit', (code) => reject(new Error(`ended with ${code}`)));
  });
}

/** User and system time of all of a process's threads, in ms: proc(5), fields 14 and 15 of stat. */
export function processorTime(pid) {
  const text = readFileSync(`/proc/${pid}/stat`, 'utf8');
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) * tick;
}

export function residentMegabytes(pid) {
  return Number(/^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) / 1024;
}

export function total(runs, key) {
  return runs.reduce((sum, run) => sum + run[key], 0);
}

export function median(numbers) {
  const sorted = [...numbers].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

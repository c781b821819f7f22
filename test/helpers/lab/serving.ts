import type { Host } from './host.ts';
import { until } from './wait.ts';

/** Whether an HTTP request to a port of a host is answered. */
export async function serves(host: Host, port: number, address = '127.0.0.1'): Promise<boolean> {
  const target = `http://${address.includes(':') ? `[${address}]` : address}:${port}/index.html`;
  const { code, stdout } = await host.run([
    'busybox',
    'timeout',
    '3',
    'busybox',
    'wget',
    '-q',
    '-O',
    '-',
    target,
  ]);
  return code === 0 && stdout === 'ok\n';
}

/** Waits until a port is answered. */
export async function served(host: Host, ...ports: number[]): Promise<void> {
  for (const port of ports) await until(`port ${port} to be served`, () => serves(host, port));
}

import type { LabServer } from './processes.ts';

/** Flags and command of a container that runs serve.py as `python3 /app/server.py ARGS…`; see serve.py for what it can do. */
export function pythonServer(
  lab: LabServer,
  args: readonly string[] = [],
): { flags: string[]; command: string[] } {
  const env = `LAB=${JSON.stringify({ ...lab, ready: '/tmp/ready' })}`;
  return {
    flags: ['--volume', '/usr:/usr:ro', '--env', env],
    command: ['/usr/bin/python3', '-u', '/app/server.py', ...args],
  };
}

/** Command of a container with busybox's web server on a port. */
export const httpd = (port: number): string[] => ['httpd', '-f', '-p', `${port}`, '-h', '/app'];

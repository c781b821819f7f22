import { execFileSync } from 'node:child_process';
import type { Test } from 'tap';

const probes = {
  root: () => process.getuid?.() === 0,
  podman: () => has('podman') && has('conmon') && has('busybox'),
  docker: () => has('dockerd') && has('docker'),
  runc: () => has('runc'),
  systemd: () => has('systemd-analyze'),
  nspawn: () => has('systemd-nspawn') && has('debootstrap'),
  chromium: () => has('chromium'),
  prometheus: () => has('prometheus') && has('promtool'),
  nix: () => has('nix-instantiate'),
  tmux: () => has('tmux'),
  unshare: () => has('unshare'),
  strace: () => has('strace'),
  man: () => has('man') && has('mandoc'),
  fish: () => has('fish'),
  zsh: () => has('zsh'),
} satisfies Record<string, () => boolean>;

function has(program: string): boolean {
  try {
    execFileSync('sh', ['-c', 'command -v "$1"', 'sh', program], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

/** True when this machine has what a test needs; otherwise the test is skipped with the reason, or fails where CI is set. */
export function needs(t: Test, ...kinds: (keyof typeof probes)[]): boolean {
  const missing = kinds.filter((kind) => !probes[kind]());
  if (missing.length === 0) return true;
  const reason = `needs ${missing.join(', ')}`;
  if (process.env['CI'] === undefined) t.plan(0, reason);
  else t.fail(`${reason}, which CI must have`);
  return false;
}

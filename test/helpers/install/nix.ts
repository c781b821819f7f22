import { spawnSync } from 'node:child_process';
import { join } from 'node:path';

const repository = join(import.meta.dirname, '../../..');

/** Evaluates a Nix expression (paths relative to the repository) without a store. Throws with Nix's message. */
export function evaluate(expression: string): unknown {
  const { status, stdout, stderr } = spawnSync(
    'nix-instantiate',
    ['--eval', '--store', 'dummy://', '--strict', '--json', '--expr', expression],
    { cwd: repository, encoding: 'utf8' },
  );
  if (status !== 0) throw new Error(stderr.replaceAll(/\u001B\[[0-9;]*m/g, ''));
  return JSON.parse(stdout);
}

/** What Nix says against a file's syntax; empty: nothing. */
export function parseProblem(file: string): string {
  const { status, stderr } = spawnSync('nix-instantiate', ['--parse', file], {
    cwd: repository,
    encoding: 'utf8',
  });
  return status === 0 ? '' : stderr;
}

type Settings = Record<string, unknown>;
interface UnitDefinition extends Settings {
  serviceConfig: Settings;
  socketConfig: Settings;
  timerConfig: Settings;
}

/** What fixtures/nix/eval.nix shows of a NixOS with the module. */
export interface Evaluated {
  orphand: Settings;
  failed: string[];
  warnings: string[];
  services: Record<string, UnitDefinition>;
  sockets: Record<string, UnitDefinition>;
  timers: Record<string, UnitDefinition>;
  tmpfiles: string[];
  users: Record<string, Settings>;
  file: string | null;
}

/** A NixOS with the module and this configuration, such as `services.orphand.enable = true;`. */
export function nixos(configuration: string): Evaluated {
  return evaluate(`import ./test/fixtures/nix/eval.nix [ { ${configuration} } ]`) as Evaluated;
}

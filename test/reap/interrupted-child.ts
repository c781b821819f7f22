// Begins a clean-up of the process in argv[2] with the state directory in argv[3], to be ended within the grace period.
import { cleanup } from '../../src/reap/cleanup.ts';
import { lookAt, proc } from './world.ts';

const [pid, stateDirectory = ''] = process.argv.slice(2);
await cleanup(
  {
    look: lookAt(() => [{ pid: Number(pid), ports: [8091] }]),
    proc,
    gracePeriodMs: 60_000,
    maxTargets: 64,
    stateDirectory,
  },
  { trigger: 'boot', dryRun: false, suspects: false, confirmAfterMs: 0, force: false },
);

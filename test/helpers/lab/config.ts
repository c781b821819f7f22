import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ConfigFile } from '../../../src/config/schema.ts';
import type { Host } from './host.ts';

let count = 0;

/**
 * Writes a configuration file for a test and returns its path: nothing of the default stack, a state directory of the
 * test's own, and short waits.
 */
export function writeConfig(host: Host, config: ConfigFile): string {
  const effective: ConfigFile = {
    ports: [],
    patterns: [],
    containers: { names: [], labels: [], projects: [] },
    gracePeriod: '1s',
    clean: { confirmAfter: '500ms' },
    stateDirectory: join(host.dir, 'state'),
    ...config,
  };
  const file = join(host.dir, `config-${++count}.yaml`);
  // JSON is YAML.
  writeFileSync(file, JSON.stringify(effective, undefined, 2));
  return file;
}

import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { stringify } from 'yaml';
import type { Config } from '../../src/config/config.ts';
import { defaultConfig } from '../../src/config/defaults.ts';
import { loadConfig } from '../../src/config/load.ts';
import { leafKeys, variableOf } from '../../src/config/overrides.ts';
import { jsonSchema, toFile } from '../../src/config/render.ts';

const unlike: Config = {
  ports: [
    { port: 1, protocol: 'udp', service: 'one' },
    { port: 1, protocol: 'tcp', service: 'uno' },
  ],
  patterns: ['a: b', "it's\\.py", '# no comment', '\\u202e'],
  containers: { names: ['*'], labels: ['a=b'], projects: ['null'] },
  protocols: ['tcp', 'udp'],
  gracePeriodMs: 0,
  maxTargets: 1,
  runtimeTimeoutMs: 1_234,
  stateDirectory: '/s p a c e',
  clean: { clean: 'suspects', confirmAfterMs: 501 },
  sweep: { clean: 'orphans', confirmAfterMs: 60_000, schedule: '0 * * * *', fullScanEvery: 1 },
  boot: { clean: 'off', confirmAfterMs: 3_600_000, timeoutMs: 7 },
  stop: { clean: 'off', confirmAfterMs: 999 },
  preflight: { clean: 'off', confirmAfterMs: 1_000, waitMs: 30_000 },
  http: { listen: '', socket: '', socketGroup: 'wheel', tokenFile: '/t', allowRemote: true },
  log: { level: 'silent' },
};

t.test('a configuration written to a file and loaded again is the same, whatever is in it', async (t) => {
  for (const config of [defaultConfig({ env: {}, uid: 0 }), unlike]) {
    const path = join(t.testdir(), 'config.yaml');
    writeFileSync(path, stringify(toFile(config)));
    t.same((await loadConfig({ path, env: {}, uid: 0 })).config, config);
  }
});

t.test('the written file has every key of the schema', (t) => {
  const file = toFile(unlike) as Record<string, unknown>;
  for (const { key } of leafKeys()) {
    const [outer = '', inner] = key.split('.');
    const value = file[outer];
    t.not(inner === undefined ? value : (value as Record<string, unknown>)[inner], undefined, key);
  }
  t.end();
});

t.test('every key is described, and has a variable of its own', (t) => {
  const names = leafKeys().map(({ key }) => variableOf(key));
  t.equal(new Set(names).size, names.length);
  t.ok(names.includes('ORPHAND_SWEEP_CONFIRM_AFTER') && names.includes('ORPHAND_PORTS'));
  for (const { key, node } of leafKeys()) t.match(node.description, /\.$/, key);
  t.end();
});

t.test(
  'docs/config.schema.json is current (else: node dist/bin.js config schema | npx prettier --parser json > docs/config.schema.json)',
  (t) => {
    const published: unknown = JSON.parse(readFileSync('docs/config.schema.json', 'utf8'));
    t.same(JSON.parse(JSON.stringify(jsonSchema())), published);
    t.end();
  },
);

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { configText } from '../../../src/cli/init/config-text.ts';
import { emptyLearned } from '../../../src/cli/init/learned.ts';
import { defaultConfig } from '../../../src/config/defaults.ts';
import { loadConfig } from '../../../src/config/load.ts';
import { leafKeys } from '../../../src/config/overrides.ts';

const around = { env: {}, uid: 0 };
const usual = defaultConfig(around);

t.test('what was learned and what is not the default is in effect, hostile text included', async (t) => {
  const evil = 'a\n- b: "c" # \u001b[2J\u202e\'';
  const settings = {
    ...usual,
    gracePeriodMs: 7_000,
    protocols: ['tcp' as const, 'udp' as const],
    sweep: { ...usual.sweep, clean: 'orphans' as const },
    http: { ...usual.http, tokenFile: '/etc/orphand/a b: #c' },
  };
  const learned = {
    ports: [
      { value: { port: 8091, protocol: 'tcp' as const, service: 'aidb' }, from: evil },
      { value: { port: 5353, protocol: 'udp' as const, service: 'true' }, from: '' },
    ],
    patterns: [{ value: '/app/server\\.py --x=\'"#:', from: evil }],
    names: [{ value: 'null', from: '' }],
    labels: [{ value: evil, from: '' }],
    projects: [{ value: '8', from: '' }],
    remarks: [],
  };
  const text = configText(settings, learned, [evil]);
  t.notMatch(text, /[\u001b\u202e]/u);
  const path = join(t.testdir(), 'config.yaml');
  writeFileSync(path, text);
  const { config } = await loadConfig({ path, ...around });
  t.strictSame(config, {
    ...settings,
    ports: [
      { port: 8091, service: 'aidb', protocol: 'tcp' },
      { port: 8091, service: 'aidb', protocol: 'udp' },
      { port: 5353, service: 'true', protocol: 'udp' },
    ],
    patterns: ['/app/server\\.py --x=\'"#:'],
    containers: { names: ['null'], labels: [evil], projects: ['8'] },
  });
});

t.test('every key is there, with what it is for; a default only as a comment', (t) => {
  const text = configText(usual, emptyLearned(), ['head']);
  for (const { key } of leafKeys()) {
    const name = key.split('.').at(-1)!;
    t.match(text, new RegExp(`^ *#?${name}:`, 'm'), key);
  }
  t.notMatch(text, /^ *gracePeriod:/m);
  t.match(text, /^# Between SIGTERM and SIGKILL\.\n#gracePeriod: 5s$/m);
  t.match(text, /^ports:\n\n/m);
  t.end();
});

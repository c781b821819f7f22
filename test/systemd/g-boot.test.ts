import t from 'tap';
import { existsSync, writeFileSync } from 'node:fs';
import { debianRoot, copyPackage } from '../helpers/booted/root.ts';
import { bootedHost } from '../helpers/booted/host.ts';
import { installInto, put, dropIn, plantAtBoot } from '../helpers/booted/installed.ts';
import { setTimeout as delay } from 'node:timers/promises';
const config = `
ports: [8091, 8092, 8094, 3001, 6333]
gracePeriod: 1s
sweep: { schedule: '*/2 * * * * *', clean: orphans, confirmAfter: 2s }
boot: { clean: orphans, confirmAfter: 1s }
`;
t.test('boot', async (t) => {
  const root = debianRoot(t);
  t.setTimeout(3_000_000);
  const program = copyPackage(root);
  put(root, '/etc/orphand/config.yaml', config);
  installInto(root, program, ['boot', 'daemon']);
  dropIn(root, 'orphand.service', ['[Service]', 'WatchdogSec=3s', '[Unit]', 'StartLimitBurst=50']);
  plantAtBoot(root, 'orphand-boot.service', { port: 8091 });
  const host = await bootedHost(t, root, program);
  writeFileSync('/tmp/g/init', (host.path('/').match(/\d+/) ?? [''])[0]);
  writeFileSync('/tmp/g/hostroot', root);
  while (!existsSync('/tmp/g/stop')) await delay(500);
});

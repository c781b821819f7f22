import { hostname, release } from 'node:os';
import t from 'tap';
import { createHostInfo } from '../../src/daemon/host.ts';
import { exactly } from '../helpers/exactly.ts';

t.test('the machine is told as it is, once it was asked', async (t) => {
  const host = createHostInfo();
  await host.refresh();
  const status = host.current();
  t.match(status, { name: hostname(), kernel: release(), load: exactly(Number, Number, Number) });
  const { uptimeSeconds = 0, memory } = status ?? {};
  t.ok(Number.isInteger(uptimeSeconds) && uptimeSeconds > 0);
  t.ok(memory !== undefined && memory.totalBytes > memory.availableBytes && memory.availableBytes > 0);
});

t.test('before the first answer there is none, and asking brings it', async (t) => {
  const host = createHostInfo();
  t.equal(host.current(), null);
  await host.refresh();
  t.not(host.current(), null);
});

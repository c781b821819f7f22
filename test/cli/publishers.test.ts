import t from 'tap';
import { publishersOf } from '../../src/cli/publishers.ts';
import { parseListed } from '../../src/container/runtimes/listed.ts';
import { liveProcess, sampleReport } from '../helpers/sample-report.ts';

const forwarder = { ...liveProcess(7, 'rootlessport', [8091]), verdict: 'helper' as const };
const port = sampleReport([forwarder]).ports[0]!;

function listed(inside: string, status = 'running') {
  const [container] = parseListed([
    {
      Id: 'b'.repeat(64),
      Name: 'web',
      State: { Status: status },
      HostConfig: { PortBindings: { [inside]: [{ HostPort: '8091' }] } },
    },
  ])!;
  return [{ ...container!, runtime: 'docker', user: 'root' }];
}

t.test('who publishes a port that a forwarder holds', (t) => {
  t.strictSame(publishersOf(port, [forwarder], listed('80/tcp')), [
    { runtime: 'docker', user: 'root', name: 'web' },
  ]);
  t.strictSame(publishersOf(port, [forwarder], listed('80/udp')), [], 'another protocol');
  t.strictSame(publishersOf(port, [forwarder], listed('80/tcp', 'exited')), [], 'one that does not run');
  t.equal(publishersOf(port, [liveProcess(8, 'aidb', [8091])], listed('80/tcp')), undefined, 'no forwarder');
  t.end();
});

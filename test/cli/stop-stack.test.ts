import t from 'tap';
import { stoppedAgain, type StoppedContainer } from '../../src/cli/stop-stack.ts';

const container = (id: string, outcome: StoppedContainer['outcome']): StoppedContainer => ({
  ...{ runtime: 'podman', user: 'root', id, name: id, outcome, detail: null },
});

t.test('of a container that was stopped twice, the second time counts', (t) => {
  const first = {
    containers: [container('a', 'failed'), container('b', 'stopped')],
    silent: [{ runtime: 'docker', user: 'root', reason: 'busy' }],
  };
  t.same(stoppedAgain(first, { containers: [container('a', 'stopped')], silent: [] }), {
    containers: [container('b', 'stopped'), container('a', 'stopped')],
    silent: [],
  });
  t.same(stoppedAgain(first, { containers: [], silent: [] }).containers, first.containers);
  t.end();
});

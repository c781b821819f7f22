import t from 'tap';
import { fromRunning } from '../../../src/cli/init/from-running.ts';

const running = [
  {
    container: {
      id: 'a'.repeat(64),
      name: 'local-ai-aidb',
      labels: {
        'io.podman.compose.project': 'ai',
        'com.docker.compose.service': 'aidb',
        stack: 'ai',
        tier: '1',
      },
    },
    ports: [
      { port: 8791, protocol: 'tcp' as const },
      { port: 8091, protocol: 'tcp' as const },
    ],
    commands: [
      ['/bin/sh', '/app/start.sh'],
      ['python3', '-u', '/app/server.py', '--config', 'x'],
      ['python3', '-u', '/app/server.py', '--config', 'x'],
      ['sleep', '5'],
    ],
  },
  {
    container: {
      id: 'b'.repeat(64),
      name: 'a b:c',
      labels: { stack: 'ai', tier: '2', 'org.opencontainers.image.title': 'x' },
    },
    ports: [{ port: 5353, protocol: 'udp' as const }],
    commands: [],
  },
  { container: { id: 'c'.repeat(64), name: undefined, labels: { stack: 'ai' } }, ports: [], commands: [] },
];

t.test('ports, patterns, names, projects and the label that all have', (t) => {
  t.same(fromRunning(running), {
    ports: [
      { value: { port: 5353, protocol: 'udp', service: 'a-b-c' }, from: 'a b:c' },
      { value: { port: 8091, protocol: 'tcp', service: 'aidb' }, from: 'local-ai-aidb' },
      { value: { port: 8791, protocol: 'tcp', service: 'aidb' }, from: 'local-ai-aidb' },
    ],
    patterns: [
      { value: '/app/start\\.sh', from: 'local-ai-aidb' },
      { value: '/app/server\\.py', from: 'local-ai-aidb' },
    ],
    names: [
      { value: 'local-ai-aidb', from: '' },
      { value: 'a b:c', from: '' },
    ],
    labels: [{ value: 'stack=ai', from: 'on each of them' }],
    projects: [{ value: 'ai', from: 'a compose project' }],
    remarks: ['cccccccccccc: it listens on no port now'],
  });
  t.end();
});

t.test('of one container alone no label is taken for its stack’s', (t) => {
  t.same(fromRunning(running.slice(0, 1)).labels, []);
  t.end();
});

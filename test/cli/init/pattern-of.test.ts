import t from 'tap';
import { patternOf } from '../../../src/cli/init/pattern-of.ts';

const cases: [command: string[], pattern: string | undefined][] = [
  [['python3', '-u', '/app/server.py', '--config', '/app/config.yaml'], '/app/server\\.py'],
  [['python3', '-u', 'server.py', '--config', 'x'], 'server\\.py --config'],
  [
    ['/usr/local/bin/python3', '-m', 'uvicorn', 'open_webui.main:app', '--port', '3001'],
    'uvicorn open_webui\\.main:app',
  ],
  [['node', '--max-old-space-size=1', '/srv/a (1).js'], '/srv/a \\(1\\)\\.js'],
  [['/bin/sh', '/app/start_with_discovery.sh'], '/app/start_with_discovery\\.sh'],
  [['java', '-Xmx1g', '-jar', '/app/x.jar'], '/app/x\\.jar'],
  [['python3', 'server.py'], undefined],
  [['python3', '-c', 'import x'], undefined],
  [['sh', '-c', 'exec /app/server --port 1'], undefined],
  [['redis-server', '*:6379'], undefined],
  [['/qdrant/qdrant'], undefined],
  [['python3'], undefined],
  [[], undefined],
];

t.test('a pattern names one program, or there is none', (t) => {
  for (const [command, pattern] of cases) t.equal(patternOf(command), pattern, command.join(' '));
  t.end();
});

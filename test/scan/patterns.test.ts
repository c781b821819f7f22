import t from 'tap';
import { defaultPatterns } from '../../src/config/defaults.ts';
import { compilePattern, matchingPatterns } from '../../src/scan/patterns.ts';

const patterns = new Map(defaultPatterns.map((pattern) => [pattern, compilePattern(pattern)]));

const table: [string, string[], string | undefined][] = [
  [
    'the reference server',
    ['python3', '-u', '/app/server.py', '--config', '/app/config/config.yaml'],
    'server\\.py --config',
  ],
  [
    'the reference web interface as a module',
    ['/usr/local/bin/python3', '-m', 'uvicorn', 'open_webui.main:app', '--host', '0.0.0.0', '--port', '3001'],
    'uvicorn.*open_webui\\.main:app.*3001',
  ],
  [
    'a script started through its interpreter line',
    ['/usr/local/bin/python3', '/usr/local/bin/uvicorn', 'open_webui.main:app', '--port', '3001'],
    'uvicorn.*open_webui\\.main:app.*3001',
  ],
  ['a program of its own', ['/opt/ralph-wiggum/server.py'], 'ralph.*server\\.py'],
  [
    'options with a value before the script',
    ['python3.11', '-X', 'dev', '-W', 'ignore', '/app/self_healing_daemon.py'],
    'self_healing_daemon\\.py',
  ],
  [
    'options of a shell before the script',
    ['bash', '-e', '-o', 'pipefail', '/app/start_with_discovery.sh'],
    'start_with_discovery\\.sh',
  ],
  ['a shell through busybox', ['busybox', 'sh', '/app/start_with_learning.sh'], 'start_with_learning\\.sh'],
  [
    'the first command of a shell text',
    ['sh', '-c', 'python3 /app/server.py --config /etc/x; sleep 1'],
    'server\\.py --config',
  ],
  ['a title written as one string', ['python3 -u /app/server.py --config x'], 'server\\.py --config'],
  ['a script behind --', ['python3', '--', 'tool_discovery_daemon.py'], 'tool_discovery_daemon\\.py'],
  [
    'node with a preloaded module',
    ['node', '--require', './x.js', '/srv/ralph/server.py'],
    'ralph.*server\\.py',
  ],
  ['tail on a log of that name', ['tail', '-f', 'self_healing_daemon.py'], undefined],
  ['an editor on the file', ['vim', '/app/server.py', '--config'], undefined],
  [
    'podman exec of a stack container',
    ['podman', 'exec', 'aidb', 'python3', 'server.py', '--config'],
    undefined,
  ],
  ['grep for the pattern', ['grep', '-r', 'server.py --config', '.'], undefined],
  ['tail in a shell text', ['sh', '-c', 'tail -f self_healing_daemon.py'], undefined],
  ['a second command of a shell text', ['sh', '-c', 'echo; python3 self_healing_daemon.py'], undefined],
  ['tail with a title written as one string', ['tail -f self_healing_daemon.py'], undefined],
  ['program text that mentions the name', ['python3', '-c', 'open("server.py --config")'], undefined],
  ['an argument of another script', ['python3', 'lint.py', 'self_healing_daemon.py'], undefined],
  ['the value of an option', ['python3', '-X', 'self_healing_daemon.py', 'other.py'], undefined],
  ['a script without the rest of the pattern', ['python3', '/app/server.py', '--port', '1'], undefined],
  ['a process without a command line', [], undefined],
  ['an empty argv[0]', [''], undefined],
];

for (const [name, cmdline, expected] of table) {
  t.test(`${expected === undefined ? "is not the stack's" : "is the stack's"}: ${name}`, (t) => {
    t.strictSame(matchingPatterns(cmdline, patterns), expected === undefined ? [] : [expected]);
    t.end();
  });
}

t.test('a command line past the limit is cut, not matched for minutes', (t) => {
  const hostile = ['uvicorn'.repeat(30_000), 'open_webui.main:app'.repeat(3_000)];
  t.strictSame(matchingPatterns(hostile, patterns), []);
  t.end();
});

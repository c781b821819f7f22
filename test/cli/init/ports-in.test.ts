import t from 'tap';
import { portsInCommand, portsInEnvironment, portsInHealthCheck } from '../../../src/cli/init/ports-in.ts';

const environments: [env: Record<string, string>, ports: number[]][] = [
  [{ PORT: '8091' }, [8091]],
  [{ AIDB_HTTP_PORT: '8091', aidb_port: '8092' }, [8091, 8092]],
  [
    { LISTEN: '0.0.0.0:8091', BIND: ':8092', LISTEN_ADDR: 'http://localhost:8093/', ADDRESS: '[::]:8094' },
    [8091, 8092, 8093, 8094],
  ],
  [{ LISTEN: '8091', ADDR: 'db.example.org:5432' }, []],
  [{ DB_HOST: 'db.example.org', DB_PORT: '5432' }, []],
  [{ DB_HOST: 'localhost', DB_PORT: '5432' }, [5432]],
  [{ SUPPORT: '7', PORTS: '80', EXPORT: '1', PORT_NAME: '9' }, []],
  [{ PORT: '0', A_PORT: '70000', B_PORT: 'http', C_PORT: '' }, []],
];

const commands: [words: string[], ports: number[]][] = [
  [['uvicorn', 'main:app', '--host', '0.0.0.0', '--port', '3001'], [3001]],
  [['qdrant', '--http-port=6333'], [6333]],
  [['httpd', '-f', '-p', '8091'], [8091]],
  [
    ['x', '--bind', '0.0.0.0:8080', '--listen', ':8081', '--address=[::]:8082'],
    [8080, 8081, 8082],
  ],
  [['x', '--listen-address', '10.0.0.1:8080'], []],
  [['x', '--report', '8091', '--support-port-forwarding', 'on'], []],
  [['x', '--port'], []],
];

const checks: [words: string[], ports: number[]][] = [
  [['CMD', 'curl', '-f', 'http://localhost:8091/health'], [8091]],
  [['CMD-SHELL', 'wget -q -O - http://127.0.0.1:3001/ || exit 1'], [3001]],
  [['CMD', 'curl', 'http://[::1]:8092/'], [8092]],
  [['CMD', 'curl', 'http://db.example.org:5432/'], []],
  [['CMD', 'curl', 'http://localhost/health'], []],
  [['CMD', 'nc', '-z', 'localhost', '6379'], [6379]],
  [['CMD-SHELL', 'pg_isready -U x -p 5432'], [5432]],
  [['NONE'], []],
];

t.test('ports that settings name', (t) => {
  const numbers = (found: { port: number }[]): number[] => found.map(({ port }) => port);
  for (const [env, ports] of environments)
    t.strictSame(numbers(portsInEnvironment(env)), ports, JSON.stringify(env));
  for (const [words, ports] of commands) t.strictSame(numbers(portsInCommand(words)), ports, words.join(' '));
  for (const [words, ports] of checks)
    t.strictSame(numbers(portsInHealthCheck(words)), ports, words.join(' '));
  t.end();
});

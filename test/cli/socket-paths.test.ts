import t from 'tap';
import { socketPaths } from '../../src/cli/socket-paths.ts';
import { defaultConfig } from '../../src/config/defaults.ts';

const { http } = defaultConfig({ env: {}, uid: 0 });
const cases: [name: string, socket: string, env: Record<string, string>, paths: string[]][] = [
  [
    'the default has a second place for a user',
    http.socket,
    { XDG_RUNTIME_DIR: '/run/user/7' },
    [http.socket, '/run/user/7/orphand/orphand.sock'],
  ],
  ['without that variable it has none', http.socket, {}, [http.socket]],
  [
    'a relative one is none (XDG Base Directory Specification)',
    http.socket,
    { XDG_RUNTIME_DIR: 'x' },
    [http.socket],
  ],
  ['a configured one is the only one', '/srv/o.sock', { XDG_RUNTIME_DIR: '/run/user/7' }, ['/srv/o.sock']],
  ['an empty one is none', '', { XDG_RUNTIME_DIR: '/run/user/7' }, []],
];
for (const [name, socket, env, paths] of cases) {
  t.test(name, (t) => {
    t.same(socketPaths({ http: { ...http, socket } }, env), paths);
    t.end();
  });
}

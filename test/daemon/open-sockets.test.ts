import t from 'tap';
import { openSockets, refuseRemote } from '../../src/daemon/open-sockets.ts';
import { type Bound, type Endpoint, ListenError } from '../../src/http/listen.ts';
import { exactly } from '../helpers/exactly.ts';

const control = {
  kind: 'control' as const,
  places: [
    { path: '/run/a', group: '' },
    { path: '/run/b', group: '' },
  ],
};
const http = { kind: 'http' as const, places: [{ host: '127.0.0.1', port: 9713 }] };

/** Listens everywhere but where a place has an error. */
function listening(errors: Record<string, string>) {
  return (endpoint: Endpoint): Promise<Bound> => {
    const name = 'path' in endpoint ? endpoint.path : 'fd' in endpoint ? `fd ${endpoint.fd}` : endpoint.host;
    const code = errors[name];
    if (code !== undefined) return Promise.reject(new ListenError(`can't listen on ${name} (${code})`, code));
    return Promise.resolve({
      via: 'path' in endpoint ? 'unix' : 'tcp',
      address: name,
      port: undefined,
      warning: undefined,
    });
  };
}
const addresses = ({ bounds }: { bounds: Bound[] }) => bounds.map(({ address }) => address);

t.test('the first place that can be had is the only one', async (t) => {
  const opened = await openSockets(listening({}), [control, http]);
  t.same(addresses(opened), ['/run/a', '127.0.0.1']);
  t.same(opened.warnings, []);
});

t.test('a place that this user may not write gives way to the next', async (t) => {
  const opened = await openSockets(listening({ '/run/a': 'EACCES' }), [control, http]);
  t.same(addresses(opened), ['/run/b', '127.0.0.1']);
  t.same(opened.warnings, []);
});

t.test('no place at all is a warning that names each, while TCP is there', async (t) => {
  const opened = await openSockets(listening({ '/run/a': 'EACCES', '/run/b': 'EROFS' }), [control, http]);
  t.same(addresses(opened), ['127.0.0.1']);
  t.match(opened.warnings, exactly(/^no control socket: .*\/run\/a \(EACCES\); .*\/run\/b \(EROFS\)$/));
});

t.test('no place and nothing else is an error', async (t) => {
  await t.rejects(openSockets(listening({ '/run/a': 'EACCES', '/run/b': 'EACCES' }), [control]), {
    code: 'EACCES',
  });
});

t.test('a socket that another process answers is never given up for the next place', async (t) => {
  const said = /^\/run\/a is in use: another orphand may be running \(orphand status\)$/;
  await t.rejects(openSockets(listening({ '/run/a': 'EADDRINUSE' }), [control, http]), { message: said });
});

t.test('a TCP address in use is an error that names it', async (t) => {
  const said = /^127\.0\.0\.1:9713 is in use/;
  await t.rejects(openSockets(listening({ '127.0.0.1': 'EADDRINUSE' }), [control, http]), { message: said });
});

t.test('a TCP address that may not be bound is an error, whatever else is there', async (t) => {
  await t.rejects(openSockets(listening({ '127.0.0.1': 'EACCES' }), [control, http]), { code: 'EACCES' });
});

t.test('another address than loopback needs both the setting and a token', (t) => {
  for (const [allowRemote, hasToken, says] of [
    [false, false, /set http\.allowRemote: true and http\.tokenFile/],
    [false, true, /set http\.allowRemote: true and http\.tokenFile/],
    [true, false, /set http\.tokenFile/],
  ] as const) {
    t.throws(
      () => {
        refuseRemote('0.0.0.0:9713', allowRemote, hasToken);
      },
      { name: 'Error', message: says },
    );
  }
  t.doesNotThrow(() => {
    refuseRemote('0.0.0.0:9713', true, true);
  });
  t.doesNotThrow(() => {
    refuseRemote('[::1]:9713', false, false);
  });
  t.end();
});

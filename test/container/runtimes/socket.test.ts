import { writeFileSync } from 'node:fs';
import { createServer, type RequestListener } from 'node:http';
import { createServer as createNetServer, type Server } from 'node:net';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { inspectOverSocket } from '../../../src/container/runtimes/socket.ts';
import { hexId, shortDirectory } from '../../helpers/host-tree.ts';

const id = hexId('a');

async function listen(t: Test, server: Server): Promise<string> {
  const path = join(shortDirectory(t), 's');
  await new Promise<void>((resolve) => server.listen(path, resolve));
  t.teardown(() => server.close());
  return path;
}

const inspection = { Id: id, Name: '/web', State: { Status: 'running', Pid: 12 }, Config: { Labels: {} } };

const cases: { name: string; answer: RequestListener; expected: object }[] = [
  {
    name: '200 with an inspection',
    answer: (request, response) => {
      response.end(JSON.stringify({ ...inspection, Name: request.url }));
    },
    expected: {
      result: 'known',
      inspection: { id, state: 'running', pid: 12, name: `containers/${id}/json` },
    },
  },
  {
    name: 'the engine’s own 404',
    answer: (_, response) => {
      response.statusCode = 404;
      response.end(JSON.stringify({ message: `No such container: ${id}` }));
    },
    expected: { result: 'absent' },
  },
  {
    name: 'a 404 of something else on that socket',
    answer: (_, response) => {
      response.statusCode = 404;
      response.end('<h1>Not Found</h1>');
    },
    expected: { result: 'silent' },
  },
  {
    name: 'an error',
    answer: (_, response) => {
      response.statusCode = 500;
      response.end('{"message":"no such container"}');
    },
    expected: { result: 'silent', reason: 'HTTP 500' },
  },
  {
    name: '200 with nothing that is an inspection',
    answer: (_, response) => {
      response.end('{}');
    },
    expected: { result: 'silent' },
  },
  {
    name: 'an answer that is cut off',
    answer: (_, response) => {
      response.writeHead(200, { 'content-length': 1000 });
      response.write('{"Id":');
      setImmediate(() => response.destroy());
    },
    expected: { result: 'silent' },
  },
  {
    name: 'an answer without end',
    answer: (_, response) => {
      const more = (): void => {
        while (!response.destroyed && response.write('x'.repeat(1024 * 1024)));
      };
      response.on('drain', more);
      more();
    },
    expected: { result: 'silent' },
  },
];

for (const { name, answer, expected } of cases) {
  t.test(name, async (t) => {
    const path = await listen(t, createServer(answer));
    t.match(await inspectOverSocket(path, id, 5_000), expected);
  });
}

t.test('an engine that accepts and says nothing has not answered', async (t) => {
  const open = new Set<{ destroy(): void }>();
  const path = await listen(
    t,
    createNetServer((socket) => {
      open.add(socket);
      socket.on('error', () => undefined);
    }),
  );
  t.match(await inspectOverSocket(path, id, 50), { result: 'silent', reason: 'no answer within 50 ms' });
  for (const socket of open) socket.destroy();
});

t.test('an engine that drips has not answered', async (t) => {
  let timer: NodeJS.Timeout | undefined;
  const path = await listen(
    t,
    createServer((_, response) => {
      response.writeHead(200);
      timer = setInterval(() => response.write(' '), 10);
    }),
  );
  t.match(await inspectOverSocket(path, id, 100), { result: 'silent', reason: 'no answer within 100 ms' });
  clearInterval(timer);
});

t.test('a socket that nobody listens on, or that is none, is no answer', async (t) => {
  const dir = shortDirectory(t);
  writeFileSync(join(dir, 'file'), '');
  t.match(await inspectOverSocket(join(dir, 'none'), id, 1_000), { result: 'silent', reason: 'ENOENT' });
  t.match(await inspectOverSocket(join(dir, 'file'), id, 1_000), {
    result: 'silent',
    reason: 'ECONNREFUSED',
  });
});

t.test('a path that is too long for a socket is not asked, rather than another one', async (t) => {
  const path = `/tmp/${'x'.repeat(110)}`;
  t.strictSame(await inspectOverSocket(path, id, 1_000), { result: 'silent', reason: 'ENAMETOOLONG' });
});

t.test('an id is never part of the path', async (t) => {
  let url: string | undefined;
  const path = await listen(
    t,
    createServer((request, response) => {
      url = request.url;
      response.end('{}');
    }),
  );
  await inspectOverSocket(path, '../x?force=1', 1_000);
  t.equal(url, '/containers/..%2Fx%3Fforce%3D1/json');
});

import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import t from 'tap';
import { parse } from 'yaml';
import { buildHttp } from '../../src/http/app.ts';
import { openApiYaml } from '../../src/http/openapi.ts';
import { problems } from '../../src/http/problem.ts';
import { fakeEngine } from '../helpers/fake-engine.ts';
import { ask, serve } from '../helpers/http-client.ts';

const root = new URL('../../', import.meta.url);
const file = readFileSync(new URL('openapi.yaml', root), 'utf8');
const { version } = JSON.parse(readFileSync(new URL('package.json', root), 'utf8')) as { version: string };

interface Answer {
  description?: string;
  content?: Record<string, unknown>;
  $ref?: string;
}
interface Operation {
  operationId?: string;
  summary?: string;
  description?: string;
  tags?: string[];
  security?: object[];
  responses: Record<string, Answer>;
}
interface Document {
  openapi: string;
  paths: Record<string, Record<string, Operation>>;
  components: { schemas: Record<string, { examples?: unknown[] }>; responses: Record<string, Answer> };
}
const document = parse(file) as Document;

t.test('openapi.yaml is what the routes say (npm run openapi writes it)', async (t) => {
  const side = await buildHttp({ engine: fakeEngine(), access: { group: '', token: undefined }, version });
  t.equal(file, openApiYaml(side.app));
  await side.close();
});

t.test('/openapi.json is the same, and /docs shows it from this origin alone', async (t) => {
  const { port } = await serve(t, { version });
  t.same((await ask({ to: port, path: '/openapi.json' })).json, document);
  const docs = await ask({ to: port, path: '/docs/' });
  t.equal(docs.status, 200);
  t.notMatch(docs.body, /(src|href)="(https?:)?\/\//);
  t.match(
    docs.headers['content-security-policy'],
    /^default-src 'none'; script-src 'self'; .*frame-ancestors 'none'/,
  );
});

t.test('it has every route, each described in full', (t) => {
  t.equal(document.openapi, '3.1.0');
  const routes = Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.keys(methods).map((method) => `${method} ${path}`),
  );
  t.same(routes.sort(), [
    'get /',
    'get /api/v1/cleanups',
    'get /api/v1/cleanups/{id}',
    'get /api/v1/events',
    'get /api/v1/ports',
    'get /api/v1/ports/{port}',
    'get /api/v1/processes',
    'get /api/v1/processes/{pid}',
    'get /api/v1/scan',
    'get /api/v1/status',
    'get /healthz',
    'get /metrics',
    'get /readyz',
    'post /api/v1/cleanups',
    'post /api/v1/scans',
  ]);
  for (const [path, methods] of Object.entries(document.paths)) {
    for (const [method, operation] of Object.entries(methods)) {
      const name = `${method} ${path}`;
      t.ok(
        operation.operationId && operation.summary && operation.description && operation.tags?.length === 1,
        name,
      );
      t.equal(
        method === 'post',
        operation.security !== undefined,
        `${name} asks for credentials if it does something`,
      );
      for (const [status, answer] of Object.entries(operation.responses)) {
        const resolved =
          answer.$ref === undefined ? answer : document.components.responses[answer.$ref.split('/').at(-1)!]!;
        t.ok(
          resolved.description && resolved.description !== 'Default Response',
          `${name} ${status} is described`,
        );
        if (Number(status) >= 400)
          t.same(Object.keys(resolved.content ?? {}), ['application/problem+json'], `${name} ${status}`);
      }
    }
  }
  t.end();
});

t.test('every problem that a route can have is in it, and nothing else is a code', (t) => {
  // Answered where there is no route.
  const nowhere = ['not-found', 'method-not-allowed', 'url-too-long'];
  for (const code of Object.keys(problems)) {
    t.equal(file.includes(`code: ${code}\n`), !nowhere.includes(code), code);
  }
  for (const name of ['Report', 'Process', 'CleanReport', 'Cleanup', 'Status', 'Sweep']) {
    t.equal(document.components.schemas[name]?.examples?.length, 1, `${name} has an example`);
  }
  t.end();
});

t.test('redocly finds nothing to say, offline', (t) => {
  const output = execFileSync(
    process.execPath,
    ['node_modules/@redocly/cli/bin/cli.js', 'lint', 'openapi.yaml', '--format=json'],
    {
      cwd: root,
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
      env: { PATH: process.env['PATH'], REDOCLY_TELEMETRY: 'off', REDOCLY_SUPPRESS_UPDATE_NOTICE: 'true' },
    },
  );
  const { totals, problems: found } = JSON.parse(output) as {
    totals: { errors: number; warnings: number };
    problems: unknown[];
  };
  t.same({ errors: totals.errors, warnings: totals.warnings, found }, { errors: 0, warnings: 0, found: [] });
  t.end();
});

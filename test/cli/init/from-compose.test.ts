import t from 'tap';
import { parseDocument } from 'yaml';
import { ComposeError, fromCompose } from '../../../src/cli/init/from-compose.ts';

/** Of the shape that real projects have: anchors, lists and maps, defaults, services off the host's network. */
const compose = `
name: \${NAME:-ai-stack}
x-common: &common
  network_mode: host
  restart: unless-stopped
services:
  aidb:
    <<: *common
    container_name: local-ai-aidb
    labels: { stack: ai, com.docker.x: y, only: here }
    environment:
      AIDB_PORT: \${AIDB_PORT:-8091}
      DB_HOST: db.example.org
      DB_PORT: 5433
    command: python3 -u /app/server.py --config "/app/config file.yaml"
    healthcheck:
      test: [CMD, curl, -f, "http://localhost:8091/health"]
  open-webui:
    <<: *common
    container_name: local-ai-open-webui
    labels: [stack=ai]
    environment: [HOST=0.0.0.0, EMPTY]
    entrypoint: [/usr/local/bin/python3, -m]
    command: [uvicorn, "open_webui.main:app", --port, 3001]
  qdrant:
    <<: *common
    labels: { stack: ai }
    ports: ["6333:6333", { target: 6334, published: 1 }, "127.0.0.1:9000-9001:9000-9001"]
    expose: [6335]
  silent:
    <<: *common
    labels: { stack: ai }
    extends: { file: other.yaml, service: x }
  bridged:
    environment: { PORT: 1234 }
`;

const parse = (text: string): unknown => parseDocument(text, { merge: true }).toJS();

t.test('services of the host’s network are learned, the others are not', (t) => {
  const learned = fromCompose(parse(compose), { AIDB_PORT: '18091' }, '/srv/AI Stack');
  t.same(learned, {
    ports: [
      { value: { port: 3001, protocol: 'tcp', service: 'open-webui' }, from: 'open-webui: command' },
      { value: { port: 6333, protocol: 'tcp', service: 'qdrant' }, from: 'qdrant: ports' },
      { value: { port: 6334, protocol: 'tcp', service: 'qdrant' }, from: 'qdrant: ports' },
      { value: { port: 6335, protocol: 'tcp', service: 'qdrant' }, from: 'qdrant: ports' },
      { value: { port: 8091, protocol: 'tcp', service: 'aidb' }, from: 'aidb: health check' },
      { value: { port: 18091, protocol: 'tcp', service: 'aidb' }, from: 'aidb: environment AIDB_PORT' },
    ],
    patterns: [
      { value: '/app/server\\.py', from: 'aidb' },
      { value: 'uvicorn open_webui\\.main:app', from: 'open-webui' },
    ],
    names: [
      { value: 'local-ai-aidb', from: 'aidb' },
      { value: 'local-ai-open-webui', from: 'open-webui' },
    ],
    labels: [{ value: 'stack=ai', from: 'on each of them' }],
    projects: [{ value: 'ai-stack', from: 'the compose project' }],
    remarks: [
      'silent: no port is named in it, add those that it listens on',
      'silent: what it extends was not read',
    ],
  });
  t.end();
});

t.test('the project is named as compose names it', (t) => {
  const file = { services: { a: { network_mode: 'host', environment: ['PORT=1'] } } };
  const project = (variables: Record<string, string>, directory: string) =>
    fromCompose(file, variables, directory).projects[0]?.value;
  t.equal(project({}, '/srv/AI Stack.1'), 'aistack1');
  t.equal(project({ COMPOSE_PROJECT_NAME: 'mine' }, '/srv/x'), 'mine');
  t.equal(project({}, '/srv/-_-'), 'default');
  t.end();
});

t.test('what is no compose file, or has nothing to learn, says so', (t) => {
  for (const file of [null, 'x', [], {}, { services: null }, { services: [] }])
    t.throws(() => fromCompose(file, {}, '/x'), new ComposeError('no compose file: it has no `services:`'));
  t.throws(
    () => fromCompose({ services: { a: null, b: { image: 'x' } } }, {}, '/x'),
    new ComposeError('no service in it has `network_mode: host`'),
  );
  t.end();
});

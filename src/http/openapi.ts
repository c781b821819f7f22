/** The OpenAPI 3.1 document, made from the routes' schemas, and the pages that show it. */
import swagger from '@fastify/swagger';
import swaggerUi from '@fastify/swagger-ui';
import { stringify } from 'yaml';
import type { App } from './routes/deps.ts';
import { withExamples, withNullableNames, withSharedAnswers } from './openapi-shape.ts';

const description = [
  "orphand finds processes that outlived their container and still hold the host's ports, proves it, and ends exactly those.",
  'Everyone who can connect may read. Control (`POST`) is for the unix socket, where the kernel says who connected (root, the ' +
    'user of the daemon, members of the configured group), and for whoever has the bearer token.',
  'Every error is an `application/problem+json` (RFC 9457) with a stable `code`. There is no CORS: requests made by pages of ' +
    'other sites are refused.',
].join('\n\n');

// Swagger UI styles itself inline; it has no script of its own in the page.
const docsPolicy =
  "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; connect-src 'self'; " +
  "base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/** Collects the routes that are added after it, and serves what they say at /openapi.json and /docs. */
export async function addDocs(app: App, version: string): Promise<void> {
  await app.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: {
        title: 'orphand',
        version,
        summary: 'Orphaned container processes: who holds which port, why, and the end of it.',
        description,
        license: { name: 'MIT', identifier: 'MIT' },
      } as never,
      servers: [
        {
          url: 'http://127.0.0.1:9713',
          description: 'The default TCP socket of this host (read-only without the token).',
        },
      ],
      tags: [
        { name: 'report', description: 'What was seen: reads only.' },
        { name: 'control', description: 'Fresh scans and clean-ups: needs the unix socket or the token.' },
        { name: 'health', description: 'For machines that watch machines.' },
        { name: 'page', description: 'For people.' },
      ],
      components: {
        securitySchemes: {
          bearer: { type: 'http', scheme: 'bearer', description: 'The content of `http.tokenFile`.' },
          unixPeer: {
            type: 'http',
            scheme: 'peer',
            description: 'No header at all: on the unix socket the kernel names the peer (SO_PEERCRED).',
          },
        },
      },
      security: [],
    },
    refResolver: {
      buildLocalReference: ({ $id }, _base, _fragment, index) =>
        typeof $id === 'string' ? $id : `def-${index}`,
    },
    convertConstToEnum: false,
    transformObject: (given) =>
      withExamples(
        withSharedAnswers(
          withNullableNames('openapiObject' in given ? given.openapiObject : given.swaggerObject),
        ),
      ),
  });
  app.get('/openapi.json', { schema: { hide: true } }, () => app.swagger());
  await app.register(swaggerUi, {
    routePrefix: '/docs',
    staticCSP: docsPolicy,
    uiConfig: {
      deepLinking: false,
      docExpansion: 'list',
      validatorUrl: null,
      supportedSubmitMethods: ['get'],
    },
  });
}

/** The document as YAML, the way openapi.yaml at the root of the project holds it. */
export function openApiYaml(app: App): string {
  return `# Generated from the routes by \`npm run openapi\`; a test compares.\n${stringify(app.swagger(), { lineWidth: 120, aliasDuplicateObjects: false })}`;
}

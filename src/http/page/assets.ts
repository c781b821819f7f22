/** The page's style and script: files of their own beside this one, in src/http/page and, copied by build.mjs, in dist. */
import type { FastifyHelmetOptions } from '@fastify/helmet';
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';

/** Inlined in the page. */
export const pageStyle = read('page.css');

/** Inlined in the page. */
export const pageScript = read('page.client.js');

/** What the page may do: exactly these two texts, and calls to its own origin; no HTML from strings in scripts. */
export const pageHelmet = {
  contentSecurityPolicy: {
    useDefaults: false,
    directives: {
      defaultSrc: ["'none'"],
      scriptSrc: [sourceOf(pageScript)],
      styleSrc: [sourceOf(pageStyle)],
      connectSrc: ["'self'"],
      imgSrc: ['data:'],
      baseUri: ["'none'"],
      formAction: ["'none'"],
      frameAncestors: ["'none'"],
      requireTrustedTypesFor: ["'script'"],
      trustedTypes: ["'none'"],
    },
  },
  // Plain HTTP on loopback.
  strictTransportSecurity: false,
  referrerPolicy: { policy: 'same-origin' },
  xFrameOptions: { action: 'deny' },
} as const satisfies FastifyHelmetOptions;

function read(name: string): string {
  return readFileSync(new URL(`./${name}`, import.meta.url), 'utf8');
}

function sourceOf(text: string): string {
  return `'sha256-${createHash('sha256').update(text).digest('base64')}'`;
}

// Bundles src/ into dist/: one small file for the commands that must start fast, and chunks that are
// loaded when a command needs them (the daemon's HTTP side, the YAML reader).
import { build } from 'esbuild';
import { chmod, cp, readFile, rm } from 'node:fs/promises';

const { version } = JSON.parse(await readFile(new URL('package.json', import.meta.url), 'utf8'));
await rm(new URL('dist', import.meta.url), { recursive: true, force: true });
await build({
  entryPoints: ['src/bin.ts'],
  outdir: 'dist',
  bundle: true,
  splitting: true,
  format: 'esm',
  platform: 'node',
  target: 'node20.19',
  // Left to node_modules: koffi has a native part, the daemon's side loads once in a long life. What a command line
  // reads its configuration with is bundled: yaml and typebox as they come took 150 ms longer to load.
  external: [
    'koffi',
    'fastify',
    '@fastify/*',
    'node-cron',
    'pino',
    'pino-pretty',
    'prom-client',
    'systeminformation',
  ],
  alias: { yaml: './node_modules/yaml/browser/index.js' },
  define: { ORPHAND_VERSION: JSON.stringify(version) },
  logLevel: 'warning',
});
// Inlined in the status page when the daemon starts (src/http/page/assets.ts reads them from beside its own file).
for (const asset of ['page.css', 'page.client.js']) {
  await cp(new URL(`src/http/page/${asset}`, import.meta.url), new URL(`dist/${asset}`, import.meta.url));
}
await chmod(new URL('dist/bin.js', import.meta.url), 0o755);

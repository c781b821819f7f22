// Bundles src/ into dist/: one small file for the commands that must start fast, and chunks that are
// loaded when a command needs them (the daemon's HTTP side, the YAML reader).
import { build } from 'esbuild';
import { chmod, readFile, rm } from 'node:fs/promises';

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
  // Left to node_modules: koffi has a native part, the HTTP side loads once in a long life.
  packages: 'external',
  define: { ORPHAND_VERSION: JSON.stringify(version) },
  banner: { js: '' },
  logLevel: 'warning',
});
await chmod(new URL('dist/bin.js', import.meta.url), 0o755);

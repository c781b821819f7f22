// npm run docs: writes docs/man/orphand.1 and docs/man/orphand.yaml.5 from the commands' table and the schema.
import { build } from 'esbuild';
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';

const root = new URL('../', import.meta.url);
const { version } = JSON.parse(await readFile(new URL('package.json', root), 'utf8'));
// Below node_modules, so that what the bundle imports is found from there.
const work = new URL('node_modules/.cache/orphand-docs/', root);
await mkdir(work, { recursive: true });
await build({
  stdin: {
    contents: "export * from './man-command.ts'; export * from './man-config.ts';",
    resolveDir: fileURLToPath(new URL('src/cli', root)),
    loader: 'ts',
  },
  outfile: fileURLToPath(new URL('man.mjs', work)),
  bundle: true,
  format: 'esm',
  platform: 'node',
  packages: 'external',
  logLevel: 'warning',
});
const { commandPage, configPage } = await import(new URL('man.mjs', work).href);
await mkdir(new URL('docs/man/', root), { recursive: true });
await writeFile(new URL('docs/man/orphand.1', root), commandPage(version));
await writeFile(new URL('docs/man/orphand.yaml.5', root), configPage(version));
await rm(work, { recursive: true });

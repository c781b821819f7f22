// Writes openapi.yaml from the routes: node scripts/openapi.mjs [FILE]
import { build } from 'esbuild';
import { cp, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';

const root = new URL('../', import.meta.url);
const { version } = JSON.parse(await readFile(new URL('package.json', root), 'utf8'));
// Below node_modules, so that what the bundle imports is found from there.
const work = new URL('node_modules/.cache/orphand-openapi/', root);
await mkdir(work, { recursive: true });
// The routes need an engine to be built, and never call it here: the tests' one will do.
const entry = `
  import { buildHttp } from './src/http/app.ts';
  import { openApiYaml } from './src/http/openapi.ts';
  import { fakeEngine } from './test/helpers/fake-engine.ts';
  export async function document(version) {
    const http = await buildHttp({ engine: fakeEngine(), access: { group: '', token: undefined }, version });
    const text = openApiYaml(http.app);
    await http.close();
    return text;
  }`;
await build({
  stdin: { contents: entry, resolveDir: fileURLToPath(root), loader: 'ts' },
  outfile: fileURLToPath(new URL('openapi.mjs', work)),
  bundle: true,
  format: 'esm',
  platform: 'node',
  target: 'node20.19',
  packages: 'external',
  logLevel: 'warning',
});
for (const asset of ['page.css', 'page.client.js']) {
  await cp(new URL(`src/http/page/${asset}`, root), new URL(asset, work));
}
const { document } = await import(new URL('openapi.mjs', work).href);
await writeFile(process.argv[2] ?? new URL('openapi.yaml', root), await document(version));
await rm(work, { recursive: true });

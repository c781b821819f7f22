// Bundles src/bin.ts three times into dist/, because a command line must start fast and a daemon need not:
//
//   bin.js         `scan`, what is asked most often, in one CommonJS file: it takes 1.5 × the time of an empty node with
//                  it, and 1.9 × with modules in chunks, of which it loads 14 (bench/README.md)
//   quick.js       the other commands that scripts and units call, in one file
//   libraries.js   what reads a configuration file, for those commands, loaded where there is one
//   full.mjs       the whole program again, in chunks
//
// bin.js hands over to quick.js or full.mjs for a command that is theirs.
import { build } from 'esbuild';
import { chmod, cp, readFile, rm, writeFile } from 'node:fs/promises';
import { basename } from 'node:path';

const { version } = JSON.parse(await readFile(new URL('package.json', import.meta.url), 'utf8'));
const first = ['scan', 'show-version', 'help'];
const quick = ['clean', 'boot', 'preflight'];

const common = {
  bundle: true,
  platform: 'node',
  target: 'node20.19',
  define: { ORPHAND_VERSION: JSON.stringify(version) },
  logLevel: 'warning',
};
// yaml and typebox are bundled: as they come they took 150 ms longer to load.
const yaml = { yaml: './node_modules/yaml/browser/index.js' };

/** Keeps these commands, leaves the others to quick.js and full.mjs, and YAML and schema to libraries.js. */
const handOver = (commands) => ({
  name: 'hand-over',
  setup({ onResolve, onLoad }) {
    onResolve({ filter: /^\./ }, ({ path, kind, importer }) => {
      const command = basename(path, '.ts');
      if (kind !== 'dynamic-import' || basename(importer) !== 'bin.ts') return undefined;
      if (commands.includes(command)) return undefined;
      return { path: quick.includes(command) ? './quick.js' : './full.mjs', namespace: 'other' };
    });
    // It reads the command line anew, and ends the process when it is done. Not import() for both: that would go through
    // a CommonJS file once more in search of its names.
    onLoad({ filter: /./, namespace: 'other' }, ({ path }) => ({
      contents: path.endsWith('.mjs')
        ? `export const run = () => new Promise((_, fail) => import('${path}').catch(fail));`
        : `export const run = () => new Promise(() => require('${path}'));`,
      resolveDir: import.meta.dirname,
    }));
    onResolve({ filter: /./, namespace: 'other' }, ({ path }) => ({ path, external: true }));
    onResolve({ filter: /^(yaml|typebox|typebox\/value)$/ }, ({ path }) => ({ path, namespace: 'library' }));
    onLoad({ filter: /./, namespace: 'library' }, ({ path }) => ({
      contents: `module.exports = require('./libraries.js')[${JSON.stringify(path)}];`,
      resolveDir: import.meta.dirname,
    }));
    onResolve({ filter: /^\.\/libraries\.js$/, namespace: 'library' }, ({ path }) => ({
      path,
      external: true,
    }));
  },
});

/** The program with these commands in one file. */
const inOneFile = (outfile, commands) =>
  build({
    ...common,
    entryPoints: ['src/bin.ts'],
    outfile,
    format: 'cjs',
    minifyWhitespace: true,
    minifySyntax: true,
    external: ['koffi', 'node-cron'],
    // For createRequire alone, which takes a path as well.
    define: { ...common.define, 'import.meta.url': '__filename' },
    plugins: [handOver(commands)],
  });

await rm(new URL('dist', import.meta.url), { recursive: true, force: true });
await Promise.all([
  inOneFile('dist/bin.js', first),
  inOneFile('dist/quick.js', [...first, ...quick]),
  build({
    ...common,
    stdin: {
      contents: `
        export * as yaml from 'yaml';
        export * as typebox from 'typebox';
        export * as 'typebox/value' from 'typebox/value';`,
      resolveDir: import.meta.dirname,
    },
    outfile: 'dist/libraries.js',
    format: 'cjs',
    minify: true,
    alias: yaml,
  }),
  build({
    ...common,
    entryPoints: [{ in: 'src/bin.ts', out: 'full' }],
    outdir: 'dist',
    outExtension: { '.js': '.mjs' },
    format: 'esm',
    splitting: true,
    // Left to node_modules: koffi has a native part, the daemon's side loads once in a long life.
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
    alias: yaml,
  }),
]);
await writeFile(new URL('dist/package.json', import.meta.url), '{ "type": "commonjs" }\n');
// Inlined in the status page when the daemon starts (src/http/page/assets.ts reads them from beside its own file).
for (const asset of ['page.css', 'page.client.js']) {
  await cp(new URL(`src/http/page/${asset}`, import.meta.url), new URL(`dist/${asset}`, import.meta.url));
}
await chmod(new URL('dist/bin.js', import.meta.url), 0o755);

// npm run deb: a Debian package of what `npm run build` made and the production dependencies in node_modules.
// orphand_VERSION_ARCH.deb appears in the current folder, or in the one that is given.
import { build } from 'esbuild';
import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const repository = fileURLToPath(new URL('..', import.meta.url));
const target = resolve(process.argv[2] ?? '.');
const home = '/usr/lib/orphand';
const run = (command, ...args) => execFileSync(command, args, { cwd: repository, encoding: 'utf8' });

const stage = mkdtempSync(join(tmpdir(), 'orphand-deb-'));
process.on('exit', () => rmSync(stage, { recursive: true, force: true }));
const put = (path, text, mode = 0o644) => {
  mkdirSync(dirname(join(stage, path)), { recursive: true });
  writeFileSync(join(stage, path), text);
  chmodSync(join(stage, path), mode);
};
const ours = (name) => readFileSync(join(repository, name), 'utf8');
const part = (name) => ours(`scripts/deb/${name}`);

// The program: what npm would pack, and what it needs to run.
const [packed] = JSON.parse(run('npm', 'pack', '--dry-run', '--json', '--ignore-scripts'));
for (const { path } of packed.files) cpSync(join(repository, path), join(stage, home, path));
const dependencies = run('npm', 'ls', '--omit=dev', '--all', '--parseable').trim().split('\n').slice(1);
const wanted = (path) => !/\.(d\.[cm]?ts|map|md|markdown)$/.test(path);
for (const folder of dependencies) {
  cpSync(folder, join(stage, home, relative(repository, folder)), {
    recursive: true,
    filter: (path) => wanted(path) && !(path !== folder && basename(path) === 'node_modules'),
  });
}
put('/usr/bin/orphand', part('launcher'), 0o755);

// The units, as `orphand install` would write them for a program that is there.
const bundled = await build({
  stdin: {
    contents: "export * from './files.ts'; export { contents } from './parts.ts';",
    resolveDir: join(repository, 'src/cli/install'),
  },
  bundle: true,
  format: 'esm',
  write: false,
});
const { plannedFiles, contents } = await import(
  `data:text/javascript,${encodeURIComponent(bundled.outputFiles[0].text)}`
);
const libraries = { x64: '/usr/lib/x86_64-linux-gnu', arm64: '/usr/lib/aarch64-linux-gnu' }[process.arch];
if (libraries === undefined)
  throw new Error(`no package for ${process.arch}: koffi's native part is not known there`);
const program = {
  node: `${home}/node`,
  bin: `${home}/dist/bin.js`,
  execPaths: [`${home}/node`, libraries, `${home}/node_modules/@koromix/koffi-linux-${process.arch}`],
};
const template = (name) => ours(`systemd/${name}`);
for (const { path, text, vendor } of plannedFiles(Object.keys(contents), template, program)) {
  if (path.endsWith('/full-root.conf')) put('/usr/share/doc/orphand/examples/full-root.conf', text);
  else put(vendor ?? path, text);
}
put('/usr/share/doc/orphand/copyright', ours('LICENSE'));
const manuals = join(repository, 'docs/man');
for (const name of existsSync(manuals) ? readdirSync(manuals) : []) {
  put(`/usr/share/man/man${name.at(-1)}/${name}`, ours(`docs/man/${name}`));
}
const completions = {
  bash: '/usr/share/bash-completion/completions/orphand',
  zsh: '/usr/share/zsh/vendor-completions/_orphand',
  fish: '/usr/share/fish/vendor_completions.d/orphand.fish',
};
for (const [shell, path] of Object.entries(completions)) {
  put(path, run(process.execPath, 'dist/bin.js', 'completion', shell));
}

// dpkg's own.
const { version } = JSON.parse(ours('package.json'));
const architecture = run('dpkg', '--print-architecture').trim();
const size = run('du', '-sk', '--apparent-size', stage).split('\t')[0];
put(
  '/DEBIAN/control',
  part('control')
    .replace('@VERSION@', version)
    .replace('@ARCHITECTURE@', architecture)
    .replace('@SIZE@', size),
);
put('/DEBIAN/conffiles', '/etc/orphand/config.yaml\n');
put('/DEBIAN/triggers', part('triggers'));
for (const name of ['postinst', 'prerm', 'postrm']) put(`/DEBIAN/${name}`, part(name), 0o755);
run('chmod', '-R', 'go-w,a+rX', stage);
const file = join(target, `orphand_${version}_${architecture}.deb`);
run('dpkg-deb', '--root-owner-group', '--build', stage, file);
console.log(file);

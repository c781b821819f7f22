import { readFileSync, realpathSync, statSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Program, Template } from './files.ts';

/** The folder of this package: where its package.json is, above this file in src/ as in dist/. */
export function packageRoot(): string {
  let folder = dirname(fileURLToPath(import.meta.url));
  while (!isOrphand(join(folder, 'package.json'))) {
    const parent = dirname(folder);
    if (parent === folder)
      throw new Error(`no package.json of orphand above ${fileURLToPath(import.meta.url)}`);
    folder = parent;
  }
  return folder;
}

function isOrphand(path: string): boolean {
  try {
    return (JSON.parse(readFileSync(path, 'utf8')) as { name?: unknown }).name === 'orphand';
  } catch {
    return false;
  }
}

/** Reads from the package's systemd/ folder. */
export function packageTemplate(root: string): Template {
  return (name) => readFileSync(join(root, 'systemd', name), 'utf8');
}

/** The folders of the shared libraries that this process has loaded, symbolic links resolved. */
function libraryFolders(): string[] {
  // Network interfaces are looked up by name otherwise (node 20.13 and newer).
  (process.report as { excludeNetwork?: boolean }).excludeNetwork = true;
  const { sharedObjects } = process.report.getReport() as unknown as { sharedObjects: string[] };
  return sharedObjects.filter((path) => path.startsWith('/')).map((path) => dirname(realpathSync(path)));
}

/** Where koffi has its native part: mapping it executable is an exec to NoExecPaths=. */
function koffiFolder(bin: string): string {
  const koffi = createRequire(bin).resolve('koffi');
  return dirname(createRequire(koffi).resolve(`@koromix/koffi-linux-${process.arch}`));
}

/** Every path of a program that its units need. */
export function pathsOf({ node, bin, execPaths }: Program): string[] {
  return [...new Set([node, bin, ...execPaths])];
}

/** The program that runs now, with the paths that its units need. */
export function thisProgram(root: string): Program {
  const bin = join(root, 'dist', 'bin.js');
  return {
    node: process.execPath,
    bin,
    execPaths: [...new Set([process.execPath, ...libraryFolders(), koffiFolder(bin)])],
  };
}

/** The same program as a system in `root` sees it: run from inside that root, the root is no part of its paths. */
export function programIn(root: string, program: Program): Program {
  const inside = (path: string): string => (path.startsWith(`${root}/`) ? path.slice(root.length) : path);
  return { node: inside(program.node), bin: inside(program.bin), execPaths: program.execPaths.map(inside) };
}

/** Why no unit can name this program, in one line; undefined when one can. */
export function unnameable(program: Program): string | undefined {
  // Quotes and escapes mean one thing in ExecStart= and another in ExecPaths=, `$` a variable in the first.
  const odd = pathsOf(program).find((path) => /["'\\$;\x00-\x1f]/.test(path));
  if (odd === undefined) return undefined;
  return `${JSON.stringify(odd)}: a unit file can't name such a path; install orphand elsewhere`;
}

/** Why the units would not see this program, in one line; undefined when they will. */
export function hidden(program: Program): string | undefined {
  const path = pathsOf(program).find((one) => /^\/(var\/)?tmp\//.test(one));
  if (path === undefined) return undefined;
  return `${path}: the units have a /tmp of their own; install orphand elsewhere`;
}

/** Parts of the program, or folders above it, that someone other than root can write: they would act with the units' capabilities. */
export function writableByOthers(program: Program): string[] {
  const found = new Set<string>();
  for (const path of pathsOf(program)) {
    for (let at = path; at !== dirname(at); at = dirname(at)) {
      const stat = statSync(at, { throwIfNoEntry: false });
      const sticky = stat !== undefined && (stat.mode & 0o1000) !== 0;
      if (stat !== undefined && (stat.uid !== 0 || ((stat.mode & 0o022) !== 0 && !sticky))) found.add(at);
    }
  }
  return [...found].sort();
}

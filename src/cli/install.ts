import { lstatSync } from 'node:fs';
import { join } from 'node:path';
import { UsageError } from './command.ts';
import type { Context } from './command.ts';
import { escape } from './escape.ts';
import {
  CommandFailedError,
  execute,
  hasAccount,
  missingDirectories,
  present,
  write,
} from './install/apply.ts';
import { installCommands } from './install/commands.ts';
import { plannedFiles } from './install/files.ts';
import type { PlannedFile, Program } from './install/files.ts';
import { emptyManifest, manifestPath, mergeManifests, readManifest, sha256 } from './install/manifest.ts';
import type { Manifest } from './install/manifest.ts';
import { chooseParts, contents } from './install/parts.ts';
import type { Part } from './install/parts.ts';
import {
  hidden,
  packageRoot,
  packageTemplate,
  pathsOf,
  programIn,
  thisProgram,
  unnameable,
  writableByOthers,
} from './install/program.ts';
import { chooseTarget, rootOf } from './install/target.ts';
import { version } from './version.ts';

/** What is to become of one file. */
interface Step extends PlannedFile {
  action: 'write' | 'unchanged' | 'keep' | 'packaged';
}

/** `orphand install`: units with this installation's paths, configuration, user; idempotent. */
export function run(context: Context): Promise<number> {
  const { options, terminal } = context;
  const chosen = (Object.keys(contents) as Part[]).filter((part) => options[part] === true);
  const choice = chooseParts(chosen);
  if ('problem' in choice) throw new UsageError(choice.problem);
  const { parts } = choice;
  const target = chooseTarget(context);
  const root = rootOf(target);
  const folder = packageRoot();
  const program = programIn(root, thisProgram(folder));
  const problem = unnameable(program) ?? (target.live ? hidden(program) : undefined);
  if (problem !== undefined) throw new UsageError(problem);

  const earlier = readManifest(root);
  const steps = plannedFiles(parts, packageTemplate(folder), program).map((file) => ({
    ...file,
    action: actionFor(root, file, earlier),
  }));
  const commands = installCommands(parts, target);
  for (const remark of remarks(root, target.live, program, parts, earlier)) {
    terminal.err(`${terminal.sign('warn')} ${escape(remark)}`);
  }

  if (options['dry-run'] === true) {
    for (const step of steps) {
      terminal.out(`==> ${step.path} (${said[step.action]}) <==`);
      if (step.action === 'write') terminal.out(step.text);
    }
    terminal.out('==> commands <==');
    for (const command of commands) terminal.out(command.join(' '));
    return Promise.resolve(0);
  }

  try {
    writeAll(root, steps, parts, earlier);
    for (const step of steps) {
      const sign = step.action === 'write' ? 'ok' : 'info';
      terminal.out(`${terminal.sign(sign)} ${step.path}: ${said[step.action]}`);
    }
    for (const command of commands) {
      execute(command);
      terminal.out(`${terminal.sign('ok')} ${command.join(' ')}`);
    }
  } catch (error) {
    if (!(error instanceof CommandFailedError)) throw error;
    terminal.err(`${terminal.sign('fail')} ${escape(error.message)}`);
    return Promise.resolve(1);
  }
  return Promise.resolve(0);
}

const said = {
  write: 'written',
  unchanged: 'unchanged',
  keep: 'kept as it is',
  packaged: "the package's own is used",
} as const satisfies Record<Step['action'], string>;

function actionFor(root: string, file: PlannedFile, earlier: Manifest | undefined): Step['action'] {
  if (file.vendor !== undefined && present(root, file.vendor) !== undefined) return 'packaged';
  const there = present(root, file.path);
  if (there === undefined) return 'write';
  if (file.keep) return 'keep';
  if (there === file.text) return 'unchanged';
  const ours = earlier?.files.some((one) => one.path === file.path && one.sha256 === sha256(there)) === true;
  if (ours) return 'write';
  throw new UsageError(
    `${file.path} is there and not as orphand wrote it: move it away (changes belong into a drop-in: systemctl edit)`,
  );
}

/** The manifest first: whatever happens then, `uninstall` knows of every file. */
function writeAll(
  root: string,
  steps: readonly Step[],
  parts: readonly Part[],
  earlier: Manifest | undefined,
): void {
  const written = steps.filter((step) => step.action === 'write');
  // One that is there already and the same was written by an install whose manifest was lost.
  const owned = steps.filter((step) => step.action === 'write' || step.action === 'unchanged');
  const manifest = mergeManifests(earlier ?? emptyManifest(version), {
    schema: 1,
    version,
    files: owned.map(({ path, text }) => ({ path, sha256: sha256(text) })),
    directories: [...written.map(({ path }) => path), manifestPath].flatMap((path) =>
      missingDirectories(root, path),
    ),
    units: parts.flatMap((part) => contents[part].enable),
    userCreated: !hasAccount(root, '/etc/passwd'),
  });
  write(root, manifestPath, `${JSON.stringify(manifest, null, 2)}\n`);
  for (const { path, text } of written) write(root, path, text);
}

/** What an operator should know although it is no reason to refuse. */
function remarks(
  root: string,
  live: boolean,
  program: Program,
  parts: readonly Part[],
  earlier: Manifest | undefined,
): string[] {
  const found: string[] = [];
  const absent = pathsOf(program).filter(
    (path) => lstatSync(join(root, path), { throwIfNoEntry: false }) === undefined,
  );
  if (absent.length > 0) found.push(`the units will need ${absent.join(', ')}, not there below ${root}`);
  const unseen = live ? undefined : hidden(program);
  if (unseen !== undefined) found.push(unseen);
  const writable = live ? writableByOthers(program) : [];
  if (writable.length > 0) {
    found.push(
      `others than root can change ${writable.join(', ')}, and so what the units run: npm install -g as root`,
    );
  }
  const had = (unit: string): boolean => earlier?.units.includes(unit) === true;
  if (
    (parts.includes('timer') && had('orphand.service')) ||
    (parts.includes('daemon') && had('orphand-sweep.timer'))
  ) {
    found.push(
      'daemon and timer are both installed and both sweep: `orphand uninstall` first if only one is meant',
    );
  }
  return found;
}

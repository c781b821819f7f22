/** A process as far as its name goes. */
export interface Named {
  comm: string;
  cmdline: string[];
  /** The target of /proc/PID/exe; undefined where it could not be read. */
  exe: string | undefined;
}

/** Programs that are many in one file and go by the name that they were called by (k3s has its own containerd in it). */
const multiCall = new Set(['k3s', 'rke2', 'k0s', 'balena-engine', 'balenad']);

/**
 * The name of the program that a process runs. The executable decides where it is readable: comm and arguments are the
 * process's own to choose, and one inside a container may call itself conmon.
 */
export function programOf({ comm, cmdline, exe }: Named): string {
  const called = baseName(cmdline[0] ?? '') || comm;
  if (exe === undefined || exe === '') return called;
  const file = exe.replace(/ \(deleted\)$/, '');
  // runc and crun run from a sealed copy of themselves: /memfd:runc_cloned:/proc/self/exe.
  const cloned = /^\/memfd:(runc|crun|youki)/.exec(file)?.[1];
  if (cloned !== undefined) return cloned;
  // NixOS wraps programs: /nix/store/…/bin/.conmon-wrapped.
  const name = baseName(file).replace(/^\.(.+)-wrapped$/, '$1');
  if (multiCall.has(name)) return called;
  // Started through the dynamic linker (AppImage, nix-bundle): its argument is the program.
  if (/^ld-(?:linux|musl)/.test(name))
    return baseName(cmdline.slice(1).find((arg) => arg.startsWith('/')) ?? '') || name;
  return name;
}

function baseName(path: string): string {
  // `[lxc monitor] /var/lib/lxc web` is a title in one argument, no path.
  if (path.startsWith('[')) return path;
  return path.slice(path.lastIndexOf('/') + 1);
}

/** The value of an option, `-c ID`, `--cid ID` or `--cid=ID`; values of other options are not mistaken for one. */
export function optionValue(args: readonly string[], names: readonly string[]): string | undefined {
  for (const [index, arg] of args.entries()) {
    // conmon: what follows is another program's argument, which may well be `-c`.
    if (quoting.has(args[index - 1] ?? '')) continue;
    if (names.includes(arg)) return args[index + 1];
    const name = names.find((each) => each.startsWith('--') && arg.startsWith(`${each}=`));
    if (name !== undefined) return arg.slice(name.length + 1);
  }
  return undefined;
}

/** Options of conmon whose value is an argument for another program. */
const quoting = new Set(['--exit-command', '--exit-command-arg', '--runtime-arg', '--runtime-opt']);

/** Whether an option of this prefix is among the arguments, values of quoting options left out. */
export function hasOption(args: readonly string[], prefix: string): boolean {
  return args.some((arg, index) => !quoting.has(args[index - 1] ?? '') && arg.startsWith(prefix));
}

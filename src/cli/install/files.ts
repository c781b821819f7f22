import { contents } from './parts.ts';
import type { Part } from './parts.ts';

/** Where this installation's program is, as the units name it. */
export interface Program {
  /** The node binary. */
  node: string;
  /** dist/bin.js */
  bin: string;
  /** What a process of this program must be able to execute or map executable: node, its libraries, koffi. */
  execPaths: readonly string[];
}

/** A file to write; paths are absolute in the target root. */
export interface PlannedFile {
  path: string;
  text: string;
  /** The operator's once it is there: an existing one stays as it is. */
  keep: boolean;
  /** Where a package of the distribution would have put the same file. */
  vendor: string | undefined;
}

/** Reads a file of the package's systemd/ folder. */
export type Template = (name: string) => string;

/** A path as one word of a unit file, where `%` begins a specifier and a blank ends the word (systemd.service(5)). */
export function unitWord(path: string): string {
  const text = path.replaceAll('%', '%%');
  return /\s/.test(text) ? `"${text}"` : text;
}

/** The text of a unit in which the placeholders (@NODE@, @ORPHAND@, @EXEC_PATHS@, @HARDENING@) are filled in. */
export function renderUnit(text: string, hardening: string, program: Program): string {
  return text
    .replaceAll('@HARDENING@', () => hardening.trimEnd())
    .replaceAll('@EXEC_PATHS@', () => program.execPaths.map(unitWord).join(' '))
    .replaceAll('@NODE@', () => unitWord(program.node))
    .replaceAll('@ORPHAND@', () => unitWord(program.bin));
}

/** Every file of the given parts. Pure: what is there already is the caller's business. */
export function plannedFiles(parts: readonly Part[], template: Template, program: Program): PlannedFile[] {
  const hardening = template('hardening.conf');
  const units = parts
    .flatMap((part) => contents[part].units)
    .map((name) => ({
      path: `/etc/systemd/system/${name}`,
      text: renderUnit(template(name), hardening, program),
      keep: false,
      vendor: name.includes('/') ? undefined : `/usr/lib/systemd/system/${name}`,
    }));
  const shared = ['sysusers.d/orphand.conf', 'tmpfiles.d/orphand.conf'].map((name) => ({
    path: `/etc/${name}`,
    text: template(name),
    keep: false,
    vendor: `/usr/lib/${name}`,
  }));
  const config = {
    path: '/etc/orphand/config.yaml',
    text: template('config.yaml'),
    keep: true,
    vendor: undefined,
  };
  return [...units, ...shared, config];
}

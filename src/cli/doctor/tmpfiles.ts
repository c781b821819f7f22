import { matchesGlob } from '../../scan/stack-match.ts';

/** One line of tmpfiles.d(5), as far as removal by age goes. */
export interface TmpfilesRule {
  /** The type's letter, without modifiers. */
  type: string;
  path: string;
  /** undefined: nothing here is removed by age. */
  age: string | undefined;
  /** `/usr/lib/tmpfiles.d/tmp.conf:11` */
  source: string;
}

/** Types whose directory is emptied of what is older than their age. */
const emptied = new Set(['d', 'D', 'e', 'v', 'q', 'Q', 'C']);

/** The rules in a file; comments, malformed lines and lines with specifiers (`%t`) are left out. */
export function parseTmpfiles(text: string, file: string): TmpfilesRule[] {
  return text.split('\n').flatMap((line, index) => {
    const fields = line.trim().split(/\s+/);
    const [type = '', path = '', , , , age] = fields;
    if (!/^[a-zA-Z][-+!=~^$]*$/.test(type) || !path.startsWith('/') || path.includes('%')) return [];
    return [
      {
        type: type.charAt(0),
        path: path.length > 1 ? path.replace(/\/+$/, '') : path,
        age: age === undefined || age === '-' ? undefined : age,
        source: `${file}:${index + 1}`,
      },
    ];
  });
}

/**
 * The rule by which systemd-tmpfiles removes a file once it is old; undefined where none does. The nearest directory that
 * has a line of its own decides, because a clean-up from further above stops there (dir_cleanup in systemd's tmpfiles.c).
 */
export function agingRule(path: string, rules: readonly TmpfilesRule[]): TmpfilesRule | undefined {
  for (let at = path; ; at = parentOf(at)) {
    const here = rules.filter((rule) => rule.path === at || matchesPath(at, rule.path));
    // `X` keeps a directory and not what is in it.
    const own = here.filter(({ type }) => type !== 'X' || at === path);
    if (own.length > 0) {
      return at === path ? undefined : own.find(({ type, age }) => emptied.has(type) && age !== undefined);
    }
    if (at === '/') return undefined;
  }
}

function parentOf(path: string): string {
  return path.slice(0, path.lastIndexOf('/')) || '/';
}

/** A glob of a path: `*` stops at a slash. */
function matchesPath(path: string, glob: string): boolean {
  const [parts, globs] = [path.split('/'), glob.split('/')];
  return (
    /[*?[]/.test(glob) &&
    parts.length === globs.length &&
    parts.every((part, index) => matchesGlob(part, globs[index] ?? ''))
  );
}

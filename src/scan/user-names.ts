import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** Makes the function that names a uid by /etc/passwd (passwd(5)); a uid without a name (a container's subuid) stays a number. */
export function userNames(hostRoot: string): (uid: number) => string {
  let names: Map<number, string> | undefined;
  return (uid) => {
    names ??= readNames(join(hostRoot, 'etc/passwd'));
    return names.get(uid) ?? String(uid);
  };
}

function readNames(file: string): Map<number, string> {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch {
    return new Map();
  }
  return new Map(
    text.split('\n').flatMap((line) => {
      const [name, , uid] = line.split(':');
      return name === undefined || uid === undefined ? [] : [[Number(uid), name] as const];
    }),
  );
}

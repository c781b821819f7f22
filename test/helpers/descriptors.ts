import { readdirSync, readlinkSync } from 'node:fs';

/** What this process has open, each as its number and what that is: `5 socket:[4711]`. */
export function openDescriptors(): Set<string> {
  const open = readdirSync('/proc/self/fd').flatMap((fd) => {
    try {
      return `${fd} ${readlinkSync(`/proc/self/fd/${fd}`)}`;
    } catch {
      // That of readdir itself.
      return [];
    }
  });
  return new Set(open);
}

/** What is open that was not: others, of children that have ended, may be closed meanwhile. */
export function openedSince(before: ReadonlySet<string>): string[] {
  return [...openDescriptors()].filter((each) => !before.has(each));
}

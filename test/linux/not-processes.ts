/** A pid that no process has: above the kernel's most (PID_MAX_LIMIT). */
export const GONE = 2 ** 22 + 1;

/** Numbers that name no process, and would name one if they were handed to the kernel as they are. */
export const notProcesses: readonly [name: string, pid: number][] = [
  ['a pid that no process has', GONE],
  ['0, which would be the own process group', 0],
  ['-1, which would be everyone', -1],
  ['a fraction', 1.5],
  ['not a number', NaN],
  ['infinity', Infinity],
  ['a number whose low 32 bits are pid 1', 2 ** 32 + 1],
  ['a number whose low 32 bits are this process', 2 ** 32 + process.pid],
];

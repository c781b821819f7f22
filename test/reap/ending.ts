import type { Action, Report } from '../../src/model.ts';
import type { DeadTree } from '../../src/reap/dead-tree.ts';
import type { Progress } from '../../src/reap/progress.ts';
import { terminate, type TerminateOptions } from '../../src/reap/terminate.ts';
import { lookAt, type Said } from './world.ts';

export interface Run {
  report: Report;
  /** pids that were taken in, before and during. */
  adopted: number[];
  progress: Progress[];
  actions: Map<number, Action>;
}

/** Ends a dead tree, with short times, while every look says what `look` says. */
export async function end(
  tree: DeadTree,
  look: () => readonly Said[],
  options: Partial<TerminateOptions> = {},
): Promise<Run> {
  const adopted: number[] = [];
  const progress: Progress[] = [];
  const take = (members: readonly { pid: number }[]): void => {
    adopted.push(...members.map(({ pid }) => pid));
  };
  const report = await terminate(tree, {
    look: lookAt(look),
    onReady: take,
    release: () => Promise.resolve(),
    gracePeriodMs: 300,
    killTimeoutMs: 10_000,
    maxRounds: 50,
    confirmAfterMs: 0,
    onAdopt: take,
    onProgress: (each) => progress.push(each),
    ...options,
  });
  const actions = new Map(tree.actions().map((action) => [action.pid, action]));
  return { report, adopted, progress, actions };
}

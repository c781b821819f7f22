import type { Report } from '../model.ts';

export type RefusalCode =
  /** More processes than `maxTargets`, and no `--force`. */
  | 'too-many-targets'
  /** Another clean-up holds the lock. */
  | 'locked'
  /** The state directory takes no journal and no lock. */
  | 'no-journal';

/** A clean-up that was not begun: nothing was signalled. */
export class CleanupRefusedError extends Error {
  override readonly name = 'CleanupRefusedError';
  readonly code: RefusalCode;
  /** The look that the clean-up would have acted on, for who wants to show it. */
  report: Report | undefined;

  constructor(code: RefusalCode, message: string) {
    super(message);
    this.code = code;
  }
}

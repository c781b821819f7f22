import type { CommandSpec } from './command.ts';
import { json } from './common-options.ts';

/** The operator's day: what starts, stops and looks back on a stack (part of the table in commands.ts). */
export const historyCommand = {
  name: 'history',
  summary: 'show the clean-ups on record, newest first',
  details: [
    'The journal in stateDirectory: who was ended, why, by which signals, and what came of it. A clean-up that its orphand did not live to finish is shown as interrupted.',
  ],
  args: '',
  arity: [0, 0],
  options: [
    { name: 'since', value: 'WHEN', help: 'Only from then on: 2h, 7d, 2026-11-25, 2026-11-25T08:00:00Z.' },
    json,
  ],
  exit: [
    [0, 'shown, or there is none'],
    [1, 'the journal may not be read'],
  ],
} as const satisfies CommandSpec;

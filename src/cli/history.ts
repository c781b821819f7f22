import type { JournalEntry } from '../reap/journal-format.ts';
import { readJournal } from '../reap/journal-read.ts';
import { UsageError } from './command.ts';
import type { Context } from './command.ts';
import { cut, escape, jsonText } from './escape.ts';
import { line } from './format.ts';
import { historyText } from './history-text.ts';
import { parseSince } from './since.ts';

/** `orphand history`: the journal, newest first. Exit code 1 only where it may not be read. */
export async function run({ load, options, terminal }: Context): Promise<number> {
  const since = sinceOf(options['since']);
  const { config } = await load();
  const { stateDirectory } = config;
  let entries: JournalEntry[];
  try {
    entries = readJournal(stateDirectory, { root: '/proc' });
  } catch (error) {
    const { code, syscall } = error as NodeJS.ErrnoException;
    if (code === undefined || syscall === undefined) throw error;
    const cure = code === 'EACCES' ? ': run with sudo' : '';
    terminal.err(`orphand: the journal in ${escape(stateDirectory)} could not be read (${code})${cure}`);
    return 1;
  }
  const wanted = entries.filter(({ at }) => since === undefined || Date.parse(at) >= since);
  if (options['json'] === true) {
    const cleanups = wanted.map((entry) => ({ ...entry, outcome: entry.outcome ?? null }));
    terminal.out(jsonText({ schema: 1, cleanups }));
  } else if (wanted.length > 0) terminal.out(historyText(wanted, terminal));
  else {
    const when = since === undefined ? '' : ` since ${new Date(since).toISOString()}`;
    terminal.out(line('info', `No clean-up${when} is on record in ${escape(stateDirectory)}`, terminal));
  }
  return 0;
}

function sinceOf(text: string | true | undefined): number | undefined {
  if (typeof text !== 'string') return undefined;
  const since = parseSince(text, Date.now());
  if (since !== undefined) return since;
  throw new UsageError(
    `--since: ${JSON.stringify(cut(text, 60))} is no time (such as 2h, 7d, 2026-11-25, 2026-11-25T08:00:00Z)`,
  );
}

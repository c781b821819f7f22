import { chmodSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { makeDirectory } from '../linux/make-directory.ts';
import type { CleanReport, Outcome, Verdict } from '../model.ts';

/** What a boot's clean-up came to, as /run/orphand/boot.json has it. */
export interface BootRecord {
  schema: 1;
  /** RFC 3339, UTC. */
  startedAt: string;
  durationMs: number;
  /** No orphan is left. */
  ok: boolean;
  /** Why it was not begun or not finished; null when it was. */
  error: string | null;
  cleanup: CleanReport | null;
}

/** Where node_exporter reads text files: Debian's package, and the path of its documentation. */
export const textfileDirectories: readonly string[] = [
  '/var/lib/prometheus/node-exporter',
  '/var/lib/node_exporter/textfile_collector',
];

const outcomes: readonly Outcome[] = ['terminated', 'killed', 'gone', 'survived', 'refused'];
const verdicts: readonly Verdict[] = ['orphan', 'suspect', 'unknown'];

/** Writes the record, and the metrics into each directory that is there. Answers what could not be written, one line each. */
export function writeBootRecord(
  record: BootRecord,
  directory: string,
  textfiles: readonly string[] = textfileDirectories,
): string[] {
  const files: [path: string, text: string][] = [
    [join(directory, 'boot.json'), `${JSON.stringify(record)}\n`],
    ...textfiles
      .filter(isDirectory)
      .map((each): [string, string] => [join(each, 'orphand_boot.prom'), bootMetrics(record)]),
  ];
  return files.flatMap(([path, text]) => {
    try {
      replaceFile(path, text);
      return [];
    } catch (error) {
      return [`${path} could not be written (${(error as NodeJS.ErrnoException).code ?? String(error)})`];
    }
  });
}

/** The record as Prometheus exposition text. */
export function bootMetrics({ startedAt, durationMs, ok, cleanup }: BootRecord): string {
  const ended = outcomes.map((outcome) => {
    const count = cleanup?.actions.filter((action) => action.outcome === outcome).length ?? 0;
    return `orphand_boot_processes{outcome="${outcome}"} ${count}`;
  });
  const left = verdicts.map((verdict) => {
    const count = cleanup?.remaining.filter((process) => process.verdict === verdict).length ?? 0;
    return `orphand_boot_remaining{verdict="${verdict}"} ${count}`;
  });
  return [
    '# HELP orphand_boot_success Whether the clean-up at boot left no orphan (1) or failed (0).',
    '# TYPE orphand_boot_success gauge',
    `orphand_boot_success ${ok ? 1 : 0}`,
    '# HELP orphand_boot_timestamp_seconds When the clean-up at boot began (Unix time).',
    '# TYPE orphand_boot_timestamp_seconds gauge',
    `orphand_boot_timestamp_seconds ${Date.parse(startedAt) / 1000}`,
    '# HELP orphand_boot_duration_seconds How long the clean-up at boot took.',
    '# TYPE orphand_boot_duration_seconds gauge',
    `orphand_boot_duration_seconds ${durationMs / 1000}`,
    '# HELP orphand_boot_processes Processes that the clean-up at boot was to end, by what became of them.',
    '# TYPE orphand_boot_processes gauge',
    ...ended,
    '# HELP orphand_boot_remaining Processes that the clean-up at boot left, by verdict.',
    '# TYPE orphand_boot_remaining gauge',
    ...left,
    '',
  ].join('\n');
}

/** By a new file and rename(2): a reader sees the old text or the new one. */
function replaceFile(path: string, text: string): void {
  makeDirectory(dirname(path), 0o755);
  // node_exporter reads *.prom only, and nothing follows a link that was put here: the file must be new.
  const draft = `${path}.${process.pid}.tmp`;
  rmSync(draft, { force: true });
  try {
    writeFileSync(draft, text, { flag: 'wx', mode: 0o644 });
    // The unit's umask keeps others out; who reads the metrics is another user.
    chmodSync(draft, 0o644);
    renameSync(draft, path);
  } catch (error) {
    rmSync(draft, { force: true });
    throw error;
  }
}

function isDirectory(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;
}

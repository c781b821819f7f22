const CONTEXT = 3;

interface Edit {
  sign: ' ' | '-' | '+';
  text: string;
}

/** Two texts as a unified diff, the way of diff(1) -u; empty where they are the same. */
export function unifiedDiff(
  before: string,
  after: string,
  names: readonly [before: string, after: string],
): string[] {
  const edits = compare(linesOf(before), linesOf(after));
  const changed = edits.flatMap(({ sign }, index) => (sign === ' ' ? [] : [index]));
  const hunks: [start: number, end: number][] = [];
  for (const index of changed) {
    const last = hunks.at(-1);
    const [start, end] = [Math.max(0, index - CONTEXT), Math.min(edits.length, index + CONTEXT + 1)];
    if (last !== undefined && start <= last[1]) last[1] = end;
    else hunks.push([start, end]);
  }
  if (hunks.length === 0) return [];
  return [
    `--- ${names[0]}`,
    `+++ ${names[1]}`,
    ...hunks.flatMap(([start, end]) => [
      header(edits, start, end),
      ...edits.slice(start, end).map(({ sign, text }) => `${sign}${text}`),
    ]),
  ];
}

function header(edits: readonly Edit[], start: number, end: number): string {
  const range = (other: '+' | '-'): string => {
    const lines = (part: readonly Edit[]): number => part.filter(({ sign }) => sign !== other).length;
    const [first, count] = [lines(edits.slice(0, start)), lines(edits.slice(start, end))];
    // An empty side is named by the line before it.
    return `${count === 0 ? first : first + 1},${count}`;
  };
  return `@@ -${range('+')} +${range('-')} @@`;
}

function linesOf(text: string): string[] {
  return text === '' ? [] : text.replace(/\n$/, '').split('\n');
}

/** The longest common subsequence, by the table of its lengths: files of a few hundred lines. */
function compare(before: readonly string[], after: readonly string[]): Edit[] {
  const lengths = Array.from({ length: before.length + 1 }, () => new Uint32Array(after.length + 1));
  const at = (i: number, j: number): number => lengths[i]?.[j] ?? 0;
  for (let i = before.length - 1; i >= 0; i--) {
    const row = lengths[i];
    for (let j = after.length - 1; j >= 0 && row !== undefined; j--) {
      row[j] = before[i] === after[j] ? at(i + 1, j + 1) + 1 : Math.max(at(i + 1, j), at(i, j + 1));
    }
  }
  const edits: Edit[] = [];
  let [i, j] = [0, 0];
  while (i < before.length || j < after.length) {
    const [old, now] = [before[i], after[j]];
    if (old !== undefined && old === now) {
      edits.push({ sign: ' ', text: old });
      i += 1;
      j += 1;
    } else if (old !== undefined && (now === undefined || at(i + 1, j) >= at(i, j + 1))) {
      edits.push({ sign: '-', text: old });
      i += 1;
    } else {
      edits.push({ sign: '+', text: now ?? '' });
      j += 1;
    }
  }
  return edits;
}

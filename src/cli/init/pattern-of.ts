import { compilePattern, matchingPatterns, scriptOf } from '../../scan/patterns.ts';

/**
 * A pattern for a command line, so that a process of it is known when it has lost its container; undefined where it would
 * be another's too. Only scripts and modules of interpreters say enough: `redis-server` may be anybody's.
 */
export function patternOf(command: readonly string[]): string | undefined {
  const script = scriptOf(command);
  const [first = '', ...rest] = script ?? [];
  if (script === undefined || first === '') return undefined;
  const words = [first];
  // A path names a program, a bare name needs the words that follow: `server.py --config`, `uvicorn open_webui.main:app`.
  if (!first.includes('/')) words.push(...rest.slice(0, 1));
  if (words.length === 1 && !first.includes('/')) return undefined;
  const pattern = words.map(literal).join(' ');
  return matchingPatterns(command, new Map([[pattern, compilePattern(pattern)]])).length > 0
    ? pattern
    : undefined;
}

function literal(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&');
}

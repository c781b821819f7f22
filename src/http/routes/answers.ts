import type { ProblemCode } from '../problem.ts';
import { problemAnswers } from '../schemas/problem.ts';

/**
 * The answers of a route: its own by status, and the problems that it can have. The type names the former only:
 * problems are thrown, never returned by a handler.
 */
export function answers<A extends Record<number, unknown>>(own: A, ...codes: ProblemCode[]): A {
  return { ...problemAnswers(...codes), ...own };
}

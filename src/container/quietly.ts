import { MalformedError, UnreadableError } from '../procfs/fs.ts';

/** A reading whose failure may be left out of account, because whoever asks has other ways to know: undefined then. */
export function quietly<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    if (error instanceof UnreadableError || error instanceof MalformedError) return undefined;
    throw error;
  }
}

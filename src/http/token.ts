/** The bearer token that allows control over TCP: 32 random bytes in a file that only its owner reads. */
import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import { closeSync, constants, fstatSync, openSync, readFileSync, writeSync } from 'node:fs';

/** The token file is not one that may be trusted; the message is one line for the log. */
export class TokenFileError extends Error {
  readonly file: string;

  constructor(file: string, what: string) {
    super(`${file}: ${what}`);
    this.name = 'TokenFileError';
    this.file = file;
  }
}

/** A token, kept as its digest. */
export interface BearerToken {
  /** Whether the presented text is the token; the time it takes says nothing about either. */
  matches(presented: string): boolean;
}

/** What is compared where no token is configured, so that the answer takes as long as elsewhere. */
export const noToken: BearerToken = (() => {
  const digest = digestOf(randomBytes(32).toString('base64url'));
  return {
    matches(presented) {
      timingSafeEqual(digestOf(presented), digest);
      return false;
    },
  };
})();

/** A token from its text. */
export function bearerToken(text: string): BearerToken {
  const digest = digestOf(text);
  return { matches: (presented) => timingSafeEqual(digestOf(presented), digest) };
}

/**
 * Opens the token file, creating it where it is missing. Throws TokenFileError if it is not a plain file of this user
 * or root, if group or others may read or write it, or if what it holds is too short to be a secret.
 */
export function openTokenFile(file: string): BearerToken {
  const text = create(file) ?? read(file);
  // 32 bytes are 43 characters of base64url or 64 of hex; anything shorter was made by hand.
  if (!/^[\w+/=.~-]{43,512}$/.test(text)) {
    throw new TokenFileError(file, 'holds no token of at least 43 letters and digits');
  }
  return bearerToken(text);
}

function digestOf(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}

function create(file: string): string | undefined {
  const flags = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW;
  let fd: number;
  try {
    fd = openSync(file, flags, 0o600);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return undefined;
    throw new TokenFileError(file, `can't be created (${codeOf(error)})`);
  }
  try {
    const text = randomBytes(32).toString('base64url');
    writeSync(fd, `${text}\n`);
    return text;
  } finally {
    closeSync(fd);
  }
}

function read(file: string): string {
  let fd: number;
  try {
    // O_NONBLOCK: a FIFO in its place must not stop the daemon.
    fd = openSync(file, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  } catch (error) {
    throw new TokenFileError(file, `can't be read (${codeOf(error)})`);
  }
  try {
    // Of the descriptor, not of the path: what is checked is what is read.
    const stat = fstatSync(fd);
    if (!stat.isFile()) throw new TokenFileError(file, 'is not a plain file');
    if ((stat.mode & 0o077) !== 0) {
      throw new TokenFileError(
        file,
        `may be read by others (mode ${(stat.mode & 0o777).toString(8)}); chmod 600 it`,
      );
    }
    if (stat.uid !== 0 && stat.uid !== process.geteuid?.()) {
      throw new TokenFileError(file, `belongs to uid ${stat.uid}`);
    }
    if (stat.size > 4096) throw new TokenFileError(file, 'is too large for a token');
    return readFileSync(fd, 'utf8').trim();
  } finally {
    closeSync(fd);
  }
}

function codeOf(error: unknown): string {
  return (error as NodeJS.ErrnoException).code ?? 'unknown error';
}

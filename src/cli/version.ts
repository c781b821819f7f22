// Replaced by the build (build.mjs); absent where the sources run as they are.
declare const ORPHAND_VERSION: string | undefined;

/** The version in package.json. */
export const version: string = typeof ORPHAND_VERSION === 'string' ? ORPHAND_VERSION : '0.0.0-source';

import type { Config } from '../config/config.ts';

const usual = '/run/orphand/orphand.sock';

/**
 * Where the control socket may be, the first one first: as configured, and for an ordinary user, who may not write
 * /run/orphand, in $XDG_RUNTIME_DIR. Only the default has that second place.
 */
export function socketPaths(
  { http }: Pick<Config, 'http'>,
  env: Readonly<Record<string, string | undefined>>,
): string[] {
  if (http.socket === '') return [];
  const own = env['XDG_RUNTIME_DIR'];
  return http.socket === usual && own?.startsWith('/') === true
    ? [http.socket, `${own}/orphand/orphand.sock`]
    : [http.socket];
}

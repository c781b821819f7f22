/** Variables by name. */
export type Variables = Readonly<Record<string, string | undefined>>;

/**
 * A text of a compose file with its variables filled in (docs.docker.com, "Interpolation"): `$NAME`, `${NAME}`,
 * `${NAME:-default}`, `${NAME-default}`, `${NAME:+other}`, `${NAME+other}`; `$$` is a dollar. An unset one is empty.
 */
export function interpolate(text: string, variables: Variables): string {
  return text.replace(
    /\$(?:(\$)|(\w+)|\{(\w+)(?:(:?[-+?])((?:[^{}]|\$\{[^{}]*\})*))?\})/g,
    (_, dollar?: string, plain?: string, name?: string, operator?: string, word?: string) => {
      if (dollar !== undefined) return '$';
      const value = variables[plain ?? name ?? ''];
      // With the colon an empty value counts as none.
      const set = value !== undefined && !(operator?.startsWith(':') === true && value === '');
      const other = interpolate(word ?? '', variables);
      if (operator?.endsWith('-') === true) return set ? value : other;
      if (operator?.endsWith('+') === true) return set ? other : '';
      return value ?? '';
    },
  );
}

/** The variables of a .env file: `NAME=value`, quotes and comments as compose has them. */
export function parseEnv(text: string): Record<string, string> {
  return Object.fromEntries(
    text.split('\n').flatMap((line) => {
      const [, name, raw] = /^\s*(?:export\s+)?([A-Za-z_]\w*)\s*=\s*(.*?)\s*$/.exec(line) ?? [];
      if (name === undefined || raw === undefined) return [];
      const quoted = /^(["'])(.*)\1(?:\s+#.*)?$/.exec(raw)?.[2];
      return [[name, quoted ?? raw.replace(/(^|\s+)#.*$/, '')] as const];
    }),
  );
}

/** A value with every text in it interpolated. */
export function interpolateAll(value: unknown, variables: Variables): unknown {
  if (typeof value === 'string') return interpolate(value, variables);
  if (Array.isArray(value)) return value.map((each: unknown) => interpolateAll(each, variables));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, each]) => [key, interpolateAll(each, variables)]),
  );
}

import type { Protocol } from '../../model.ts';

/** A value for the file, and where it comes from, which becomes its comment. */
export interface Sourced<T> {
  value: T;
  /** `aidb: environment PORT`; empty: nothing to say. */
  from: string;
}

/** What a stack looks like, as far as it could be learned. */
export interface Learned {
  ports: Sourced<{ port: number; protocol: Protocol; service: string }>[];
  patterns: Sourced<string>[];
  names: Sourced<string>[];
  labels: Sourced<string>[];
  projects: Sourced<string>[];
  /** What a person should know of what was left out. */
  remarks: string[];
}

/** Nothing at all. */
export function emptyLearned(): Learned {
  return { ports: [], patterns: [], names: [], labels: [], projects: [], remarks: [] };
}

/** Several lessons as one: each value once, with the first source's service name and every source in its comment. */
export function merge(...all: Learned[]): Learned {
  const values = <T>(of: (learned: Learned) => Sourced<T>[], key: (value: T) => string): Sourced<T>[] => {
    const found = new Map<string, Sourced<T>>();
    for (const { value, from } of all.flatMap(of)) {
      const name = key(value);
      const known = found.get(name);
      if (known === undefined) found.set(name, { value, from });
      else if (from !== '' && !known.from.split('; ').includes(from)) known.from += `; ${from}`;
    }
    return [...found.values()];
  };
  const same = (value: string): string => value;
  const ports = values(
    ({ ports: each }) => each,
    ({ port, protocol }) => `${port}/${protocol}`,
  );
  return {
    ports: ports.sort((one, other) => one.value.port - other.value.port),
    patterns: values(({ patterns }) => patterns, same),
    names: values(({ names }) => names, same),
    labels: values(({ labels }) => labels, same),
    projects: values(({ projects }) => projects, same),
    remarks: [...new Set(all.flatMap(({ remarks }) => remarks))],
  };
}

/** A service name that the configuration takes, made of any text. */
export function serviceName(text: string): string {
  const name = text
    .replace(/[^A-Za-z0-9._-]+/g, '-')
    .replace(/^[^A-Za-z0-9]+/, '')
    .slice(0, 63);
  return name === '' ? 'service' : name;
}

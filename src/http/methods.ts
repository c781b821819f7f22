/** Which methods an address takes, to tell 405 from 404. */
export interface MethodTable {
  /** Notes a route, as Fastify writes its address: `/api/v1/ports/:port`. */
  add(pattern: string, methods: readonly string[]): void;
  /** The methods of the routes that a path fits, sorted; empty: there is no such address. */
  allowed(path: string): string[];
}

/** An empty table. */
export function createMethodTable(): MethodTable {
  const routes: { parts: string[]; methods: readonly string[] }[] = [];
  return {
    add(pattern, methods) {
      routes.push({ parts: pattern.split('/'), methods });
    },
    allowed(path) {
      const parts = path.split('/');
      const fits = routes.filter(
        (route) =>
          route.parts.length === parts.length &&
          route.parts.every(
            (part, index) => part === parts[index] || (part.startsWith(':') && parts[index] !== ''),
          ),
      );
      return [...new Set(fits.flatMap((route) => route.methods))].sort();
    },
  };
}

import type { ContainerQuery } from '../container/runtimes/answer.ts';
import type { ContainerView, Provenance, RuntimeStatus } from '../model.ts';

/** What a scan needs of the container runtimes; container/runtimes/runtimes.ts is the real one. */
export interface RuntimeViews {
  /** @param options recordOnly: read the store's record, ask nobody; labels: ask where the record has none */
  view(query: ContainerQuery, options: { recordOnly?: boolean; labels?: boolean }): Promise<ContainerView>;
  /** Name and labels as far as the records say, without asking anybody. */
  names(provenance: Provenance): { name: string | undefined; labels: Record<string, string> };
  /** @param running the names of all processes */
  statuses(running: () => readonly string[]): RuntimeStatus[];
}

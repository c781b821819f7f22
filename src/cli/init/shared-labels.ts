import type { Sourced } from './learned.ts';

/** Labels that tools put on every container, and images on each of theirs. */
const toolLabels =
  /^(com\.docker\.|io\.podman\.|io\.buildah\.|io\.containers\.|org\.opencontainers\.|org\.label-schema\.|traefik\.|maintainer$|PODMAN_SYSTEMD_UNIT$|vendor$|version$|description$)/i;

/** The labels that each of several containers has with the same value: those of their stack. Of one alone nothing is shared. */
export function sharedLabels(all: readonly Readonly<Record<string, string>>[]): Sourced<string>[] {
  const [first, ...others] = all;
  if (first === undefined || others.length === 0) return [];
  return Object.entries(first)
    .filter(([key, value]) => !toolLabels.test(key) && others.every((labels) => labels[key] === value))
    .map(([key, value]) => ({ value: value === '' ? key : `${key}=${value}`, from: 'on each of them' }));
}

/** Whether a container is one of the stack's, by name or label. */

export interface StackContainers {
  /** Shell-style names: `local-ai-*`. */
  names: readonly string[];
  /** `key` or `key=value`. */
  labels: readonly string[];
  /** Compose project names. */
  projects: readonly string[];
}

const projectLabels = ['com.docker.compose.project', 'io.podman.compose.project'];

/** Matches `*` and `?` as a shell does, everything else to the letter. */
export function matchesGlob(name: string, glob: string): boolean {
  const pattern = glob
    .replace(/[\\^$.|+()[\]{}]/g, '\\$&')
    .replaceAll('*', '.*')
    .replaceAll('?', '.');
  return new RegExp(`^${pattern}$`, 's').test(name);
}

/** True if the name or a label says that a container belongs to the stack. */
export function isStackContainer(
  container: { name: string | undefined; labels: Record<string, string> },
  stack: StackContainers,
): boolean {
  const { name, labels } = container;
  if (name !== undefined && stack.names.some((glob) => matchesGlob(name, glob))) return true;
  if (projectLabels.some((key) => stack.projects.includes(labels[key] ?? ''))) return true;
  return stack.labels.some((wanted) => {
    const [key = '', ...value] = wanted.split('=');
    return value.length === 0 ? key in labels : labels[key] === value.join('=');
  });
}

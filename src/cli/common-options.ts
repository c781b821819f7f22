/** Options that more than one command has; the same word means the same everywhere. */

export const json = { name: 'json', help: 'Write the result as JSON.' } as const;

/** The watched ports, in place of the configured ones. */
export const ports = {
  name: 'ports',
  value: 'PORTS',
  help: 'Only these ports: 8091,8092 or 8000-8010 (ORPHAND_PORTS).',
  key: 'ports',
  list: true,
} as const;

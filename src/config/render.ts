import type { Config } from './config.ts';
import { defaultConfig } from './defaults.ts';
import { formatDuration } from './duration.ts';
import { schema } from './schema.ts';
import type { ConfigFile, SchemaNode } from './schema.ts';

/** The file that says all of a configuration; loading it gives the same configuration again. */
export function toFile(config: Config): Required<ConfigFile> {
  const cleaning = ({ clean, confirmAfterMs }: Config['clean']): NonNullable<ConfigFile['clean']> => ({
    clean,
    confirmAfter: formatDuration(confirmAfterMs),
  });
  return {
    ports: config.ports.map(({ port, service, protocol }) => ({ port, service, protocol })),
    patterns: config.patterns,
    containers: config.containers,
    protocols: config.protocols,
    gracePeriod: formatDuration(config.gracePeriodMs),
    maxTargets: config.maxTargets,
    runtimeTimeout: formatDuration(config.runtimeTimeoutMs),
    stateDirectory: config.stateDirectory,
    clean: cleaning(config.clean),
    sweep: {
      schedule: config.sweep.schedule,
      ...cleaning(config.sweep),
      fullScanEvery: config.sweep.fullScanEvery,
    },
    boot: { ...cleaning(config.boot), timeout: formatDuration(config.boot.timeoutMs) },
    stop: cleaning(config.stop),
    preflight: { ...cleaning(config.preflight), wait: formatDuration(config.preflight.waitMs) },
    http: config.http,
    log: config.log,
  };
}

/** The schema with the defaults of a host's root user in it, as published in docs/config.schema.json. */
export function jsonSchema(): SchemaNode {
  const withDefaults = (node: SchemaNode, value: unknown): SchemaNode =>
    node.properties === undefined
      ? { ...node, default: value }
      : {
          ...node,
          properties: Object.fromEntries(
            Object.entries(node.properties).map(([key, child]) => [
              key,
              withDefaults(child, (value as Record<string, unknown>)[key]),
            ]),
          ),
        };
  const defaults = toFile(defaultConfig({ env: {}, uid: 0 }));
  return {
    ...{ $schema: 'https://json-schema.org/draft/2020-12/schema', title: 'orphand configuration' },
    ...withDefaults(schema as SchemaNode, defaults),
  };
}

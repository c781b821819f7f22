import type { Config } from './config.ts';
import { defaultConfig, surroundings } from './defaults.ts';
import type { Surroundings } from './defaults.ts';
import { ConfigError } from './error.ts';
import { findFile } from './locate.ts';
import type { FoundFile } from './locate.ts';
import type { Override } from './overrides.ts';
import type { KeyPath, Problem } from './problem.ts';
import type { ConfigFile } from './schema.ts';

/** Where a configuration may come from. */
export interface Sources {
  /** `--config`; must exist. */
  path?: string | undefined;
  env: Surroundings['env'];
  /** Values from the command line, which beat everything else. */
  flags?: readonly Override[];
  /** Effective uid; this process's where absent. */
  uid?: number;
}

/** An effective configuration and the file that it was read from, if any. */
export interface Loaded {
  config: Config;
  source: string | undefined;
}

/**
 * The effective configuration: flags beat the environment (ORPHAND_PORTS …), that beats the file, that beats the
 * defaults. Throws a ConfigError. Loads the YAML reader and the schema only where there is something to check.
 */
export async function loadConfig({
  path,
  env,
  flags = [],
  uid = surroundings().uid,
}: Sources): Promise<Loaded> {
  const around = { env, uid };
  const named = path ?? (env['ORPHAND_CONFIG'] === '' ? undefined : env['ORPHAND_CONFIG']);
  const file = findFile(named, around);
  let config = defaultConfig(around);
  // Starting fast is for the host without a file; a variable that is not ours only costs a few milliseconds.
  if (
    file === undefined &&
    flags.length === 0 &&
    !Object.keys(env).some((name) => name.startsWith('ORPHAND_'))
  ) {
    return { config, source: undefined };
  }
  const layers = [
    ...(file === undefined ? [] : [await fileLayer(file)]),
    ...(await overrideLayers(env, flags)),
  ];
  const { resolve } = await import('./resolve.ts');
  for (const layer of layers) config = resolve(layer.data, config);
  await refuseRemote(config, layers);
  return { config, source: file?.path };
}

interface Layer {
  data: ConfigFile;
  /** What begins a message about the value at `path`. */
  where(path: KeyPath): string;
}

/** Checks one layer; problems come in the order of `lineOf`, for a person goes through a file from top to bottom. */
async function checked(
  value: unknown,
  where: Layer['where'],
  lineOf: (path: KeyPath) => number = () => 0,
): Promise<Layer> {
  const { shapeProblems } = await import('./shape.ts');
  const { meaningProblems } = await import('./meaning.ts');
  const lines = (problems: readonly Problem[]): string[] =>
    [...problems]
      .sort((one, other) => lineOf(one.path) - lineOf(other.path))
      .map(({ path, text }) => `${where(path)}: ${text}`);
  const shape = shapeProblems(value);
  if (shape.length > 0) throw new ConfigError(lines(shape));
  const data = value as ConfigFile;
  const meaning = await meaningProblems(data);
  if (meaning.length > 0) throw new ConfigError(lines(meaning));
  return { data, where };
}

async function fileLayer({ path, text }: FoundFile): Promise<Layer> {
  const { parseYaml } = await import('./yaml-file.ts');
  const { pathText } = await import('./problem.ts');
  const file = parseYaml(text, path);
  const { sectionNames } = await import('./schema.ts');
  const where = (at: KeyPath): string => {
    const key = pathText(at);
    return `${path}:${file.lineOf(at)}${key === '' ? '' : `: ${key}`}`;
  };
  return await checked(withoutEmptySections(file.value, sectionNames()), where, file.lineOf);
}

/** A file of comments only, or a section whose keys are all commented out, says nothing. */
function withoutEmptySections(value: unknown, sections: readonly string[]): unknown {
  if (value === undefined) return {};
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  return Object.fromEntries(
    Object.entries(value).filter(([key, inner]) => inner !== null || !sections.includes(key)),
  );
}

async function overrideLayers(env: Sources['env'], flags: readonly Override[]): Promise<Layer[]> {
  const { fromEnvironment, valueOf } = await import('./overrides.ts');
  const layers: Layer[] = [];
  for (const override of [...fromEnvironment(env), ...flags]) {
    let value: unknown;
    try {
      value = valueOf(override);
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
      throw new ConfigError([`${override.label}: ${error.message}`]);
    }
    const [outer = '', inner] = override.key.split('.');
    layers.push(
      await checked(
        inner === undefined ? { [outer]: value } : { [outer]: { [inner]: value } },
        () => override.label,
      ),
    );
  }
  return layers;
}

/** A control interface that the whole network can reach must be asked for in so many words. */
async function refuseRemote({ http }: Config, layers: readonly Layer[]): Promise<void> {
  if (http.listen === '' || http.allowRemote) return;
  const { isIPv4 } = await import('node:net');
  const host = http.listen.slice(0, http.listen.lastIndexOf(':'));
  if (host === 'localhost' || host === '[::1]' || (isIPv4(host) && host.startsWith('127.'))) return;
  const layer = layers.findLast(
    ({ data }) => data.http?.listen !== undefined || data.http?.allowRemote !== undefined,
  );
  const where = layer?.where(['http', 'listen']) ?? 'http.listen';
  throw new ConfigError([
    `${where}: ${http.listen} is not a loopback address: set http.allowRemote: true if others may reach it`,
  ]);
}

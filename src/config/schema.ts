import Type from 'typebox';
import { durationPattern } from './duration.ts';
import { mostPorts } from './port-list.ts';

/** What this module needs to know of a part of the schema; it is plain JSON Schema. */
export interface SchemaNode {
  type?: string;
  description?: string;
  default?: unknown;
  pattern?: string;
  enum?: readonly string[];
  properties?: Record<string, SchemaNode>;
  items?: SchemaNode;
  /**
   * What a value must be, in words: ends the sentence that begins with the value, as in `"yes" is not one of off,
   * orphans, suspects`. Editors show it too (a keyword of the YAML language server).
   */
  errorMessage?: string;
}

const Duration = (description: string) =>
  Type.String({
    description,
    pattern: durationPattern,
    errorMessage: 'is not a duration of at most 24h (such as 500ms, 5s, 2m)',
  });

const Text = (description: string, pattern?: string, errorMessage?: string) =>
  Type.String({
    description,
    maxLength: 4096,
    ...(pattern !== undefined && { pattern }),
    ...(errorMessage !== undefined && { errorMessage }),
  });

const Integer = (description: string, minimum: number, maximum: number, errorMessage: string) =>
  Type.Integer({ description, minimum, maximum, errorMessage });

const Texts = (description: string, errorMessage: string) =>
  Type.Array(Type.String({ minLength: 1, maxLength: 1024, errorMessage }), {
    description,
    maxItems: 1024,
    errorMessage: 'is not a list',
  });

const Section = <P extends Type.TProperties>(description: string, properties: P) =>
  Type.Object(properties, {
    description,
    additionalProperties: false,
    errorMessage: 'is not a section with keys of its own',
  });

const Clean = (trigger: string) =>
  Type.Enum(['off', 'orphans', 'suspects'], {
    description: `What ${trigger} may end: nothing, proven orphans, or suspects too.`,
    errorMessage: 'is not one of off, orphans, suspects',
  });

const ConfirmAfter = () =>
  Duration('How long after the first look the second one comes; only what both saw is ended.');

const PortNumber = (description: string) => Integer(description, 1, 65_535, 'is not a port (1-65535)');

const ProtocolName = (description: string) =>
  Type.Enum(['tcp', 'udp'], { description, errorMessage: 'is not one of tcp, udp' });

const { Optional } = Type;

const Port = Type.Object(
  {
    port: PortNumber('The port number.'),
    service: Optional(
      Text(
        'What people call the service, for messages and metrics.',
        '^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$',
        'is not a service name (letters, digits, dot, dash and underscore, at most 63)',
      ),
    ),
    protocol: Optional(ProtocolName('Watched on this protocol only, whatever `protocols` says.')),
  },
  { additionalProperties: false, errorMessage: 'is neither a port number nor {port, service, protocol}' },
);

/** The configuration file: the one source of its checks, of the environment's variables and of the documentation. */
export const schema = Type.Object(
  {
    ports: Optional(
      Type.Array(Type.Union([PortNumber('A port, watched under a name of its own.'), Port]), {
        description: 'The ports of the stack that are watched.',
        maxItems: mostPorts,
        errorMessage: `is not a list of at most ${mostPorts} ports`,
      }),
    ),
    patterns: Optional(
      Texts(
        "Regular expressions (JavaScript's) that the command lines of the stack's processes match, from the program, script or module on.",
        'is not a regular expression',
      ),
    ),
    containers: Optional(
      Section('Which containers are the stack, besides those that hold a watched port.', {
        names: Optional(Texts('Names, with * and ? as wildcards.', 'is not a container name')),
        labels: Optional(Texts('Labels, as `key` or `key=value`.', 'is not a label (key or key=value)')),
        projects: Optional(Texts('Compose projects.', 'is not a project name')),
      }),
    ),
    protocols: Optional(
      Type.Array(ProtocolName('A protocol.'), {
        description:
          'Which protocols the ports are watched on. UDP has no LISTEN: every bound socket counts.',
        minItems: 1,
        maxItems: 2,
        uniqueItems: true,
        errorMessage: 'is not a list of tcp, udp or both',
      }),
    ),
    gracePeriod: Optional(Duration('Between SIGTERM and SIGKILL.')),
    maxTargets: Optional(
      Integer(
        'A clean-up of more processes than this is refused without --force.',
        1,
        100_000,
        'is not a number of processes (1-100000)',
      ),
    ),
    runtimeTimeout: Optional(Duration('How long one runtime (podman, docker) may take to answer.')),
    stateDirectory: Optional(Text('Where the journal and the lock are.', '^/', 'is not an absolute path')),
    clean: Optional(
      Section('`orphand clean`.', { clean: Optional(Clean('it')), confirmAfter: Optional(ConfirmAfter()) }),
    ),
    sweep: Optional(
      Section('The scheduled sweeps of `orphand serve`.', {
        schedule: Optional(Text('Cron expression, with seconds as the first of six fields.')),
        clean: Optional(Clean('a sweep')),
        confirmAfter: Optional(ConfirmAfter()),
        fullScanEvery: Optional(
          Integer(
            'Every so many sweeps everything is read again, whatever seems unchanged.',
            1,
            100_000,
            'is not a number of sweeps (1-100000)',
          ),
        ),
      }),
    ),
    boot: Optional(
      Section('`orphand boot`, before the runtimes start.', {
        clean: Optional(Clean('it')),
        confirmAfter: Optional(ConfirmAfter()),
        timeout: Optional(Duration('The boot goes on after this, whatever is left.')),
      }),
    ),
    stop: Optional(
      Section('`orphand stop`.', { clean: Optional(Clean('it')), confirmAfter: Optional(ConfirmAfter()) }),
    ),
    preflight: Optional(
      Section('`orphand preflight`.', {
        clean: Optional(Clean('it')),
        confirmAfter: Optional(ConfirmAfter()),
        wait: Optional(Duration('How long to wait for ports that are being let go.')),
      }),
    ),
    http: Optional(
      Section('The HTTP interface of `orphand serve`.', {
        listen: Optional(
          Text(
            'Address and port of the TCP listener; empty for none.',
            '^$|^([^\\s:\\[\\]]+|\\[[0-9A-Fa-f:.]+\\]):[0-9]{1,5}$',
            'is not host:port',
          ),
        ),
        socket: Optional(
          Text('Path of the Unix socket; empty for none.', '^$|^/', 'is not an absolute path'),
        ),
        socketGroup: Optional(Text('Group whose members may control orphand through the Unix socket.')),
        tokenFile: Optional(
          Text(
            'File with the bearer token that allows control over TCP; empty: TCP only reads.',
            '^$|^/',
            'is not an absolute path',
          ),
        ),
        allowRemote: Optional(
          Type.Boolean({
            description: 'Whether `listen` may be an address other than loopback.',
            errorMessage: 'is not true or false',
          }),
        ),
      }),
    ),
    log: Optional(
      Section('The log of `orphand serve`.', {
        level: Optional(
          Type.Enum(['silent', 'fatal', 'error', 'warn', 'info', 'debug', 'trace'], {
            description: 'The least important messages that are written.',
            errorMessage: 'is not one of silent, fatal, error, warn, info, debug, trace',
          }),
        ),
      }),
    ),
  },
  { additionalProperties: false, errorMessage: 'is not a set of keys such as `ports:`' },
);

/** The file as a value: every key may be absent, durations are text. */
export type ConfigFile = Type.Static<typeof schema>;

/** The keys that have keys of their own. */
export function sectionNames(): string[] {
  return Object.entries(schema.properties as Record<string, SchemaNode>)
    .filter(([, node]) => node.properties !== undefined)
    .map(([name]) => name);
}

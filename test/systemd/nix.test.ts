import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { schema } from '../../src/config/schema.ts';
import type { SchemaNode } from '../../src/config/schema.ts';
import { renderUnit } from '../../src/cli/install/files.ts';
import { packageRoot, packageTemplate } from '../../src/cli/install/program.ts';
import { evaluate, nixos, parseProblem } from '../helpers/install/nix.ts';
import { settings } from '../helpers/install/systemd.ts';
import { needs } from '../helpers/needs.ts';
import { exactly } from '../helpers/exactly.ts';

const repository = packageRoot();
const template = packageTemplate(repository);
const on = 'services.orphand.enable = true;';

for (const name of readdirSync(join(repository, 'nix')).filter((one) => one.endsWith('.nix'))) {
  t.test(`nix/${name} parses`, (t) => {
    if (needs(t, 'nix')) t.equal(parseProblem(`nix/${name}`), '');
    t.end();
  });
}

/** Where the paths of the two differ, and what only a manual page is for. */
const differs = /^(Unit\.Documentation|Service\.Exec(Start|Stop|Reload|Paths)|Install\.Also)$/;

/** A section of a unit file as one text per key, whatever way either side writes booleans and lists. */
function comparable(entries: readonly (readonly [string, unknown])[]): Record<string, string> {
  const found: Record<string, string> = {};
  for (const [key, value] of entries.filter(([name]) => !differs.test(name))) {
    const words = [value].flat().map((one) => (one === true ? 'yes' : one === false ? 'no' : String(one)));
    found[key] = [found[key], ...words].filter((one) => one !== undefined).join(' ');
  }
  return found;
}

/** Names that NixOS writes for systemd. */
const unitKeys = {
  description: 'Description',
  requires: 'Requires',
  wants: 'Wants',
  after: 'After',
  before: 'Before',
};

const pairs: {
  file: string;
  kind: 'services' | 'sockets' | 'timers';
  name: string;
  configuration: string;
}[] = [
  { file: 'orphand.service', kind: 'services', name: 'orphand', configuration: 'daemon.enable = true;' },
  { file: 'orphand.socket', kind: 'sockets', name: 'orphand', configuration: 'daemon.enable = true;' },
  {
    file: 'orphand-http.socket',
    kind: 'sockets',
    name: 'orphand-http',
    configuration: 'daemon.enable = true;',
  },
  { file: 'orphand-boot.service', kind: 'services', name: 'orphand-boot', configuration: '' },
  {
    file: 'orphand-shutdown.service',
    kind: 'services',
    name: 'orphand-shutdown',
    configuration: 'onShutdown = true;',
  },
  {
    file: 'orphand-sweep.service',
    kind: 'services',
    name: 'orphand-sweep',
    configuration: 'sweep.enable = true;',
  },
  {
    file: 'orphand-sweep.timer',
    kind: 'timers',
    name: 'orphand-sweep',
    configuration: 'sweep.enable = true;',
  },
];
for (const { file, kind, name, configuration } of pairs) {
  t.test(`the module's ${file} is the one that install writes, hardening included`, (t) => {
    if (!needs(t, 'nix')) return t.end();
    const unit = nixos(`${on} services.orphand = { ${configuration} };`)[kind][name]!;
    const section = { services: 'Service', sockets: 'Socket', timers: 'Timer' }[kind];
    const own = { services: unit.serviceConfig, sockets: unit.socketConfig, timers: unit.timerConfig }[kind];
    const ofModule = comparable([
      ...Object.entries(unitKeys)
        .filter(([key]) => [unit[key] ?? []].flat().length > 0)
        .map(([key, systemd]) => [`Unit.${systemd}`, unit[key]] as const),
      ...Object.entries(unit['unitConfig'] ?? {}).map(([key, value]) => [`Unit.${key}`, value] as const),
      ...Object.entries(own).map(([key, value]) => [`${section}.${key}`, value] as const),
      ...(unit['wantedBy'] === undefined ? [] : [['Install.WantedBy', unit['wantedBy']] as const]),
    ]);
    const program = { node: '/node', bin: '/bin.js', execPaths: ['/node'] };
    const ofFile = comparable(settings(renderUnit(template(file), template('hardening.conf'), program)));
    // It names the interval, which is an option here.
    if (kind === 'timers') ofFile['Unit.Description'] = ofModule['Unit.Description'] ?? '';
    t.strictSame(ofModule, ofFile);
    return t.end();
  });
}

t.test('full root is what the drop-in makes of the daemon', (t) => {
  if (!needs(t, 'nix')) return t.end();
  const { serviceConfig } = nixos(`${on} services.orphand.daemon = { enable = true; fullRoot = true; };`)
    .services['orphand']!;
  const dropIn = settings(template('orphand.service.d/full-root.conf'));
  t.strictSame(dropIn, [
    ['Service.CapabilityBoundingSet', 'CAP_DAC_OVERRIDE'],
    ['Service.AmbientCapabilities', 'CAP_DAC_OVERRIDE'],
    ['Service.ProtectControlGroups', 'no'],
  ]);
  const capabilities = ['CAP_KILL', 'CAP_SYS_PTRACE', 'CAP_DAC_READ_SEARCH', 'CAP_DAC_OVERRIDE'];
  t.strictSame(serviceConfig['CapabilityBoundingSet'], capabilities);
  t.strictSame(serviceConfig['AmbientCapabilities'], capabilities);
  t.equal(serviceConfig['ProtectControlGroups'], false);
  return t.end();
});

t.test('the commands are those of the units, with the node of the package and no shell', (t) => {
  if (!needs(t, 'nix')) return t.end();
  const { services } = nixos(`${on} services.orphand = { daemon.enable = true; onShutdown = true; };`);
  const entry = '/store/orphand/lib/node_modules/orphand/dist/bin.js';
  t.equal(
    services['orphand']?.serviceConfig['ExecStart'],
    `/store/nodejs/bin/node --disable-proto=delete --max-old-space-size=128 ${entry} serve`,
  );
  t.equal(services['orphand-boot']?.serviceConfig['ExecStart'], `/store/nodejs/bin/node ${entry} boot`);
  t.equal(services['orphand-shutdown']?.serviceConfig['ExecStop'], `/store/nodejs/bin/node ${entry} clean`);
  t.notOk('ExecStart' in services['orphand-shutdown']!.serviceConfig);
  return t.end();
});

t.test('enable alone is the clean-up at boot: no daemon, no timer, nothing at shutdown', (t) => {
  if (!needs(t, 'nix')) return t.end();
  const found = nixos(on);
  t.match(found.orphand, {
    onBoot: true,
    onShutdown: false,
    daemon: { enable: false },
    sweep: { enable: false },
  });
  t.strictSame(Object.keys(found.services), ['orphand-boot']);
  t.strictSame([found.sockets, found.timers, found.failed, found.warnings], [{}, {}, [], []]);
  t.match(found.users, { orphand: { isSystemUser: true, group: 'orphand' } });
  t.strictSame(found.tmpfiles, ['d /run/orphand 0755 root root -']);
  t.match(found.file, '{"boot":{"clean":"orphans"},"sweep":{"clean":"orphans"}}');
  t.match(found.file, / --config \S+ \{.*\} config check\n/);
  return t.end();
});

t.test('without enable nothing is there', (t) => {
  if (!needs(t, 'nix')) return t.end();
  t.match(nixos('services.orphand.onShutdown = true;'), {
    services: {},
    users: {},
    failed: exactly(),
    file: null,
  });
  return t.end();
});

t.test('settings become the file, keys that are not set stay out of it', (t) => {
  if (!needs(t, 'nix')) return t.end();
  const { file } = nixos(
    `${on} services.orphand = { checkConfig = false; settings = {
      ports = [ 8091 { port = 3001; service = "open-webui"; } ]; sweep = { clean = "off"; schedule = "*/30 * * * * *"; };
      boot.clean = null; }; };`,
  );
  t.strictSame(JSON.parse((file ?? '').replace('orphand.yaml ', '')), {
    ports: [8091, { port: 3001, service: 'open-webui' }],
    sweep: { clean: 'off', schedule: '*/30 * * * * *' },
  });
  return t.end();
});

t.test('the sockets are where the settings say, and absent where they say none', (t) => {
  if (!needs(t, 'nix')) return t.end();
  const daemon = `${on} services.orphand.daemon.enable = true;`;
  const moved = nixos(
    `${daemon} services.orphand.settings.http = { listen = "[::1]:9000"; socket = "/run/o.sock"; socketGroup = "ops"; };`,
  );
  t.match(moved.sockets, {
    'orphand-http': { socketConfig: { ListenStream: '[::1]:9000' } },
    orphand: { socketConfig: { ListenStream: '/run/o.sock', SocketGroup: 'ops' } },
  });
  t.strictSame(moved.failed, []);
  const none = nixos(`${daemon} services.orphand.settings.http = { listen = ""; socket = ""; };`);
  t.strictSame([none.sockets, none.services['orphand']!['requires'], none.failed], [{}, [], []]);
  return t.end();
});

t.test("the reference's options still work and say their new name", (t) => {
  if (!needs(t, 'nix')) return t.end();
  const old = nixos('services.ai-stack-cleanup = { enable = true; onBoot = false; onShutdown = true; };');
  t.strictSame(Object.keys(old.services), ['orphand-shutdown']);
  t.strictSame(
    old.warnings,
    ['enable', 'onBoot', 'onShutdown'].map(
      (name) =>
        `The option \`services.ai-stack-cleanup.${name}' has been renamed to \`services.orphand.${name}'.`,
    ),
  );
  return t.end();
});

const refused: { name: string; configuration: string; message: RegExp }[] = [
  { name: 'nothing to do', configuration: 'onBoot = false;', message: /enable does nothing by itself/ },
  {
    name: 'two ways to sweep',
    configuration: 'daemon.enable = true; sweep.enable = true;',
    message: /daemon\.enable and sweep\.enable both sweep/,
  },
  {
    name: 'full root of no daemon',
    configuration: 'daemon.fullRoot = true;',
    message: /needs daemon\.enable/,
  },
  {
    name: 'every address without a token',
    configuration: 'settings.http.listen = "0.0.0.0:9713"; settings.http.allowRemote = true;',
    message: /it needs http\.allowRemote and http\.tokenFile/,
  },
  {
    name: 'a name that begins like loopback',
    configuration: 'settings.http.listen = "127.0.0.1.evil.example:9713";',
    message: /is not loopback/,
  },
  {
    name: 'a state directory that the units can not write',
    configuration: 'settings.stateDirectory = "/srv/orphand";',
    message: /may write to \/var\/lib\/orphand only/,
  },
];
for (const { name, configuration, message } of refused) {
  t.test(`an assertion refuses ${name}`, (t) => {
    if (!needs(t, 'nix')) return t.end();
    const { failed } = nixos(`${on} services.orphand = { ${configuration} };`);
    t.equal(failed.length, 1);
    t.match(failed[0], message);
    return t.end();
  });
}
t.test('every address with a token and allowRemote is accepted', (t) => {
  if (!needs(t, 'nix')) return t.end();
  const http = 'listen = "0.0.0.0:9713"; allowRemote = true; tokenFile = "/run/secrets/orphand";';
  t.strictSame(nixos(`${on} services.orphand.settings.http = { ${http} };`).failed, []);
  return t.end();
});

const illTyped: { name: string; configuration: string; message: RegExp }[] = [
  { name: 'an unknown option', configuration: 'onBot = true;', message: /orphand\.onBot' does not exist/ },
  {
    name: 'an unknown setting',
    configuration: 'settings.prots = [];',
    message: /settings\.prots' does not exist/,
  },
  {
    name: 'a port beyond the last',
    configuration: 'settings.ports = [ 70000 ];',
    message: /settings\.ports/,
  },
  {
    name: 'a mode that is none',
    configuration: 'settings.sweep.clean = "all";',
    message: /sweep\.clean' is not of type/,
  },
  {
    name: 'a duration without unit',
    configuration: 'settings.gracePeriod = "5";',
    message: /gracePeriod' is not of type/,
  },
  {
    name: 'text for a switch',
    configuration: 'daemon.enable = "yes";',
    message: /daemon\.enable' is not of type `boolean'/,
  },
];
for (const { name, configuration, message } of illTyped) {
  t.test(`a type refuses ${name}`, (t) => {
    if (!needs(t, 'nix')) return t.end();
    t.throws(() => nixos(`${on} services.orphand = { ${configuration} };`), { message });
    return t.end();
  });
}

/** The keys of the file that are no sections, as `sweep.clean`. */
function leaves(node: SchemaNode, path: string[] = []): string[] {
  if (node.properties === undefined) return [path.join('.')];
  return Object.entries(node.properties).flatMap(([name, child]) => leaves(child, [...path, name]));
}

t.test('settings has the keys of the configuration file, all of them and no others', (t) => {
  if (!needs(t, 'nix')) return t.end();
  const { orphand } = nixos('');
  const options = (value: unknown, path: string[] = []): string[] =>
    typeof value === 'object' && value !== null
      ? Object.entries(value).flatMap(([name, child]) => options(child, [...path, name]))
      : [path.join('.')];
  t.strictSame(options(orphand['settings']).sort(), leaves(schema as SchemaNode).sort());
  return t.end();
});

t.test('the package knows where each dependency of the lock file comes from', (t) => {
  if (!needs(t, 'nix')) return t.end();
  const built = evaluate(`
    let lib = import ./test/fixtures/nix/lib.nix; in
    import ./nix/package.nix {
      inherit lib;
      nodejs = "nodejs";
      npmRegistry = "https://registry.example";
      buildNpmPackage = arguments: removeAttrs arguments [ "src" ];
      importNpmLock = { __functor = _: { npmRoot, packageLock }: packageLock.packages; npmConfigHook = "hook"; };
    }`) as {
    pname: string;
    version: string;
    npmDeps: Record<string, { resolved?: string; integrity?: string }>;
  };
  const { version } = JSON.parse(readFileSync(join(repository, 'package.json'), 'utf8')) as {
    version: string;
  };
  t.match(built, { pname: 'orphand', version });
  const wrong = Object.entries(built.npmDeps).filter(
    ([, { integrity, resolved }]) =>
      integrity !== undefined && !/^https:\/\/[^/]+\/.+\/-\/.+\.tgz$/.test(resolved ?? ''),
  );
  t.strictSame(wrong, []);
  const tarball = (path: string): string =>
    (built.npmDeps[path]?.resolved ?? '').replace(/^https:\/\/[^/]+/, '');
  t.match(tarball('node_modules/fastify'), /^\/fastify\/-\/fastify-[0-9.]+\.tgz$/);
  t.match(tarball('node_modules/@fastify/helmet'), /^\/@fastify\/helmet\/-\/helmet-[0-9.]+\.tgz$/);
  return t.end();
});

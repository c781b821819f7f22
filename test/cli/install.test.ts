import { mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import t from 'tap';
import { parse } from 'yaml';
import { sha256 } from '../../src/cli/install/manifest.ts';
import { directoriesIn, emptyRoot, filesIn, install, uninstall } from '../helpers/install/command.ts';
import { needs } from '../helpers/needs.ts';

/** What systemd-sysusers keeps, which no installation owns. */
const accounts = ['/etc/.pwd.lock', '/etc/group', '/etc/gshadow', '/etc/passwd', '/etc/shadow'].flatMap(
  (path) => [path, `${path}-`],
);

/** The paths below a root but for those of accounts. */
const left = (root: string): string[] => [...filesIn(root).keys()].filter((path) => !accounts.includes(path));

function put(root: string, path: string, text: string): void {
  mkdirSync(dirname(join(root, path)), { recursive: true });
  writeFileSync(join(root, path), text);
}

/** The files of a dry run's output that it says it would write. */
function promised(out: string): Map<string, string> {
  const found = new Map<string, string>();
  for (const part of out.split(/^==> /m).slice(1)) {
    const [, path = '', text = ''] = /^(\S+) \(written\) <==\n([^]*)\n$/.exec(part) ?? [];
    if (path !== '') found.set(path, text);
  }
  return new Map([...found].sort());
}

const units = '/etc/systemd/system';
const boot = `${units}/orphand-boot.service`;
const daemon = ['orphand-http.socket', 'orphand.service', 'orphand.socket'].map((name) => `${units}/${name}`);
const shared = ['/etc/orphand/config.yaml', '/etc/sysusers.d/orphand.conf', '/etc/tmpfiles.d/orphand.conf'];
const bootAndDaemon = [
  'multi-user.target.wants/orphand-boot.service',
  'multi-user.target.wants/orphand.service',
  'sockets.target.wants/orphand-http.socket',
  'sockets.target.wants/orphand.socket',
];

const choices: { name: string; options: Record<string, true>; files: string[]; links: string[] }[] = [
  {
    name: 'no choice is the boot clean-up and the daemon',
    options: {},
    files: [boot, ...daemon, ...shared],
    links: bootAndDaemon,
  },
  {
    name: 'the boot clean-up alone',
    options: { boot: true },
    files: [boot, ...shared],
    links: ['multi-user.target.wants/orphand-boot.service'],
  },
  {
    name: 'a timer instead of the daemon',
    options: { timer: true },
    files: [`${units}/orphand-sweep.service`, `${units}/orphand-sweep.timer`, ...shared],
    links: ['timers.target.wants/orphand-sweep.timer'],
  },
  {
    name: 'the clean-up at shutdown, which is in no other choice',
    options: { shutdown: true },
    files: [`${units}/orphand-shutdown.service`, ...shared],
    links: ['multi-user.target.wants/orphand-shutdown.service'],
  },
  {
    name: 'the drop-in for full root comes with the daemon that it changes',
    options: { 'full-root': true },
    files: [boot, ...daemon, `${units}/orphand.service.d/full-root.conf`, ...shared],
    links: bootAndDaemon,
  },
];

for (const { name, options, files, links } of choices) {
  t.test(`install writes what a dry run prints, and enables it: ${name}`, async (t) => {
    if (!needs(t, 'root', 'systemd')) return;
    const root = emptyRoot(t);
    const dry = await install({ ...options, root, 'dry-run': true });
    t.equal(dry.code, 0);
    t.strictSame([...filesIn(root).keys()], [], 'a dry run writes nothing');
    t.match(dry.out, `\nsystemd-sysusers --root=${root} orphand.conf\n`);

    const { code, err } = await install({ ...options, root });
    t.equal(code, 0, err);
    t.match(readFileSync(join(root, '/etc/passwd'), 'utf8'), /^orphand:/m);
    const written = filesIn(root);
    const enabled = [...written].filter(([, text]) => text === 'link').map(([path]) => path);
    t.strictSame(
      enabled,
      links.map((link) => `${units}/${link}`),
    );
    for (const path of [...enabled, ...accounts]) written.delete(path);
    t.ok(written.delete('/etc/orphand/install.json'));
    t.strictSame([...written.keys()], [...files].sort());
    t.strictSame(promised(dry.out), written);
    for (const path of written.keys()) t.equal(statSync(join(root, path)).mode & 0o7777, 0o644, path);

    const again = await install({ ...options, root });
    t.equal(again.code, 0);
    t.notMatch(again.out, ': written', 'the second time nothing is left to write');

    t.equal((await uninstall({ root })).code, 0);
    t.strictSame(left(root), []);
    t.strictSame(
      directoriesIn(root).filter((path) => path.includes('orphand')),
      [],
    );
    t.notMatch(readFileSync(join(root, '/etc/passwd'), 'utf8'), 'orphand');
    t.notMatch(readFileSync(join(root, '/etc/group'), 'utf8'), 'orphand');
  });
}

t.test('units name the paths of this installation, and no placeholder is left', async (t) => {
  const root = emptyRoot(t);
  const all = { root, 'dry-run': true, boot: true, daemon: true, shutdown: true } as const;
  for (const { out } of [await install(all), await install({ root, 'dry-run': true, timer: true })]) {
    t.notMatch(out, /@[A-Z_]+@/);
  }
  const repository = join(import.meta.dirname, '../..');
  const { out } = await install(all);
  t.match(out, `\nExecStart=${process.execPath} ${repository}/dist/bin.js boot\n`);
  t.match(out, ` ${repository}/node_modules/@koromix/koffi-linux-${process.arch}\n`);
});

t.test('the configuration that comes with it ends orphans, and an existing one stays as it is', async (t) => {
  if (!needs(t, 'root', 'systemd')) return;
  const fresh = emptyRoot(t);
  await install({ root: fresh });
  t.strictSame(parse(readFileSync(join(fresh, '/etc/orphand/config.yaml'), 'utf8')), {
    sweep: { clean: 'orphans' },
    boot: { clean: 'orphans' },
  });

  const used = emptyRoot(t);
  put(used, '/etc/orphand/config.yaml', 'ports: [1234]\n');
  const { out } = await install({ root: used });
  t.match(out, '/etc/orphand/config.yaml: kept as it is');
  await uninstall({ root: used });
  t.equal(readFileSync(join(used, '/etc/orphand/config.yaml'), 'utf8'), 'ports: [1234]\n');
});

t.test('a unit that orphand did not write is not overwritten, and nothing else is written', async (t) => {
  const root = emptyRoot(t);
  put(root, boot, '[Service]\nExecStart=/bin/mine\n');
  await t.rejects(install({ root }), {
    name: 'UsageError',
    message: `${boot} is there and not as orphand wrote it: move it away (changes belong into a drop-in: systemctl edit)`,
  });
  t.strictSame([...filesIn(root).keys()], [boot]);
});

t.test('uninstall leaves what it did not write, and what was changed since', async (t) => {
  if (!needs(t, 'root', 'systemd')) return;
  const root = emptyRoot(t);
  await install({ root, 'full-root': true });
  const foreign = [
    `${units}/orphand.service.d/mine.conf`,
    '/etc/orphand/notes',
    '/var/lib/orphand/journal.jsonl',
  ];
  for (const path of foreign) put(root, path, 'mine\n');
  put(root, '/etc/tmpfiles.d/orphand.conf', '# changed by hand\n');
  const { code, out } = await uninstall({ root });
  t.equal(code, 0);
  t.match(out, '/etc/tmpfiles.d/orphand.conf: kept, it was changed since');
  t.match(out, '/var/lib/orphand: kept, the journal of what was ended');
  t.strictSame(left(root), [...foreign, '/etc/tmpfiles.d/orphand.conf'].sort());
});

t.test('a user that was there before stays', async (t) => {
  if (!needs(t, 'root', 'systemd')) return;
  const root = emptyRoot(t);
  put(root, '/etc/passwd', 'orphand:x:200:200::/var/lib/orphand:/usr/sbin/nologin\n');
  put(root, '/etc/group', 'orphand:x:200:\n');
  await install({ root, boot: true });
  await uninstall({ root });
  t.match(readFileSync(join(root, '/etc/passwd'), 'utf8'), /^orphand:x:200:/);
});

t.test('an upgrade replaces the units that an earlier version wrote', async (t) => {
  if (!needs(t, 'root', 'systemd')) return;
  const root = emptyRoot(t);
  await install({ root, boot: true });
  const current = readFileSync(join(root, boot), 'utf8');
  // As an earlier version would have left it: another text, and its digest in the manifest.
  const manifest = join(root, '/etc/orphand/install.json');
  put(root, boot, '# 0.0.1\n');
  writeFileSync(manifest, readFileSync(manifest, 'utf8').replace(sha256(current), sha256('# 0.0.1\n')));
  t.match((await install({ root, boot: true })).out, `${boot}: written`);
  t.equal(readFileSync(join(root, boot), 'utf8'), current);
});

t.test('two installations add up, and one uninstall takes both back', async (t) => {
  if (!needs(t, 'root', 'systemd')) return;
  const root = emptyRoot(t);
  await install({ root, boot: true });
  await install({ root, shutdown: true });
  t.ok(filesIn(root).has(boot));
  await uninstall({ root });
  t.strictSame(left(root), []);
});

t.test('a timer beside a daemon that is installed already is remarked upon', async (t) => {
  if (!needs(t, 'root', 'systemd')) return;
  const root = emptyRoot(t);
  await install({ root, daemon: true });
  t.match((await install({ root, timer: true })).err, 'daemon and timer are both installed and both sweep');
});

t.test('units that a package brought are enabled, not written a second time', async (t) => {
  if (!needs(t, 'root', 'systemd')) return;
  const root = emptyRoot(t);
  put(root, '/usr/lib/systemd/system/orphand-boot.service', '[Install]\nWantedBy=multi-user.target\n');
  put(root, '/usr/lib/sysusers.d/orphand.conf', 'u orphand\n');
  const { out } = await install({ root, boot: true });
  t.match(out, `${boot}: the package's own is used`);
  const files = filesIn(root);
  t.notOk(files.has(boot));
  t.equal(files.get(`${units}/multi-user.target.wants/orphand-boot.service`), 'link');
});

t.test('uninstall says so when there is nothing, and a dry run of it changes nothing', async (t) => {
  if (!needs(t, 'root', 'systemd')) return;
  const root = emptyRoot(t);
  t.match(await uninstall({ root }), { code: 0, out: /Nothing to remove/ });
  await install({ root });
  const before = filesIn(root);
  const { code, out } = await uninstall({ root, 'dry-run': true });
  t.equal(code, 0);
  t.match(out, `remove ${boot}\n`);
  t.match(out, `run systemctl --root=${root} disable`);
  t.match(out, `run userdel --prefix ${root} orphand`);
  t.strictSame(filesIn(root), before);
});

const wrong: { name: string; options: Record<string, string | true>; message: RegExp }[] = [
  {
    name: 'two ways to sweep',
    options: { timer: true, daemon: true },
    message: /^--timer and --daemon: both sweep/,
  },
  {
    name: 'full root without its daemon',
    options: { 'full-root': true, boot: true },
    message: /^--full-root changes the daemon's unit/,
  },
  {
    name: 'a root that is not there',
    options: { root: '/nonexistent/root' },
    message: /^--root "\/nonexistent\/root": no such directory$/,
  },
  { name: 'a root that is a file', options: { root: import.meta.filename }, message: /: no such directory$/ },
];
for (const { name, options, message } of wrong) {
  t.test(`wrong use is refused in one line, before anything is done: ${name}`, async (t) => {
    const root = emptyRoot(t);
    await t.rejects(install({ root, ...options }), { name: 'UsageError', message });
    t.strictSame([...filesIn(root).keys()], []);
  });
}

t.test('a command that fails is named with what it said, exit 1', async (t) => {
  if (!needs(t, 'root', 'systemd')) return;
  const root = emptyRoot(t);
  // Accounts can't be kept where /etc/group is a directory.
  mkdirSync(join(root, '/etc/group'), { recursive: true });
  const { code, err } = await install({ root, boot: true });
  t.equal(code, 1);
  t.match(err, /systemd-sysusers --root=\S+ orphand\.conf: .*group/);
});

t.test('a file that cannot be written is named with why, exit 1', async (t) => {
  const root = emptyRoot(t);
  mkdirSync(join(root, '/etc/orphand/install.json.orphand-new'), { recursive: true });
  t.match(await install({ root, boot: true }), {
    code: 1,
    err: /\n- \/\S+\/install\.json could not be written \(EISDIR[^\n]+\)$/,
  });
  t.strictSame([...filesIn(root).keys()], []);
  const { code, err } = await install({ root: '/proc/self', boot: true });
  t.equal(code, 1);
  t.match(
    err,
    /- \/proc\/self\/\S+ could not be written \(ENOENT: no directory can be made in \/proc\/self\)$/,
  );
});

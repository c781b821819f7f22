import t from 'tap';
import { accountCommands, installCommands, uninstallCommands } from '../../../src/cli/install/commands.ts';
import { chooseParts, contents } from '../../../src/cli/install/parts.ts';
import type { Part } from '../../../src/cli/install/parts.ts';

const live = { live: true } as const;
const image = { live: false, root: '/srv/image' } as const;
const lines = (commands: readonly (readonly string[])[]): string[] =>
  commands.map((command) => command.join(' '));

t.test('on a running host units are loaded, enabled and put in effect, in that order', (t) => {
  t.strictSame(lines(installCommands(['boot', 'daemon', 'shutdown'], live)), [
    'systemd-sysusers orphand.conf',
    'systemd-tmpfiles --create orphand.conf',
    'systemctl daemon-reload',
    'systemctl enable orphand-boot.service orphand.socket orphand-http.socket orphand.service orphand-shutdown.service',
    'systemctl restart orphand.socket orphand-http.socket orphand.service',
    'systemctl start orphand-shutdown.service',
  ]);
  t.end();
});

t.test('in another root nothing is started', (t) => {
  t.strictSame(lines(installCommands(['boot', 'timer', 'shutdown'], image)), [
    'systemd-sysusers --root=/srv/image orphand.conf',
    'systemctl --root=/srv/image enable orphand-boot.service orphand-sweep.timer orphand-shutdown.service',
  ]);
  const { before, after } = uninstallCommands(['orphand-sweep.timer'], image);
  t.strictSame([lines(before), after], [['systemctl --root=/srv/image disable orphand-sweep.timer'], []]);
  t.strictSame(lines(accountCommands(image).map(({ command }) => command)), [
    'userdel --prefix /srv/image orphand',
    'groupdel --prefix /srv/image orphand',
  ]);
  t.end();
});

t.test(
  'an uninstall never runs the clean-up of a shutdown: its unit is stopped when its file has gone',
  (t) => {
    const { before, after } = uninstallCommands(
      ['orphand.socket', 'orphand.service', 'orphand-shutdown.service'],
      live,
    );
    t.strictSame(lines(before), [
      'systemctl stop orphand.service orphand.socket',
      'systemctl disable orphand.socket orphand.service orphand-shutdown.service',
    ]);
    t.strictSame(lines(after), ['systemctl daemon-reload', 'systemctl stop orphand-shutdown.service']);
    t.end();
  },
);

t.test('of nothing enabled nothing is disabled', (t) => {
  t.strictSame(uninstallCommands([], live).before, []);
  t.strictSame(uninstallCommands([], image).before, []);
  t.end();
});

const choices: { chosen: Part[]; parts: Part[] | RegExp }[] = [
  { chosen: [], parts: ['boot', 'daemon'] },
  { chosen: ['shutdown', 'boot'], parts: ['boot', 'shutdown'] },
  { chosen: ['timer'], parts: ['timer'] },
  { chosen: ['full-root'], parts: ['boot', 'daemon', 'full-root'] },
  { chosen: ['full-root', 'daemon'], parts: ['daemon', 'full-root'] },
  { chosen: ['full-root', 'timer'], parts: /needs --daemon/ },
  { chosen: ['daemon', 'timer'], parts: /both sweep/ },
];
for (const { chosen, parts } of choices) {
  t.test(`the choice of ${chosen.length === 0 ? 'nothing' : chosen.join(' and ')}`, (t) => {
    const choice = chooseParts(chosen);
    if (parts instanceof RegExp) t.match(choice, { problem: parts });
    else t.strictSame(choice, { parts });
    t.end();
  });
}

t.test('only what is started at once is restarted at once', (t) => {
  t.equal(contents.boot.run, 'at-boot', 'the boot clean-up is for the next boot');
  t.equal(contents.shutdown.run, 'start', 'a restart would run its ExecStop=');
  t.end();
});

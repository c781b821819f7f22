import t from 'tap';
import { lastSetting, startsContainers } from '../../../src/cli/doctor/units.ts';

t.test('the last word on a setting is that of the last file', (t) => {
  const unit = '[Service]\nKillMode=none\n# KillMode=mixed\n';
  t.equal(lastSetting([unit], 'KillMode'), 'none');
  t.equal(lastSetting([unit, '[Service]\n KillMode = mixed\n'], 'KillMode'), 'mixed');
  t.equal(lastSetting(['[Service]\nExecStart=/bin/x KillMode=none\n'], 'KillMode'), undefined);
  t.equal(lastSetting([], 'KillMode'), undefined);
  t.end();
});

t.test('a unit that starts containers is known by its command', (t) => {
  const commands: [string, boolean][] = [
    ['/usr/bin/podman start local-ai-aidb', true],
    ['-+/usr/bin/docker run x', true],
    ['/usr/bin/env PODMAN_SYSTEMD_UNIT=%n \\\n  /usr/bin/podman run -d x', true],
    ['podman-compose up', true],
    ['/usr/bin/docker-proxy-check', false],
    ['/usr/bin/nginx -c /etc/podman/nginx.conf', false],
    ['/bin/true', false],
  ];
  for (const [command, starts] of commands)
    t.equal(startsContainers([`[Service]\nExecStart=${command}\n`]), starts, command);
  t.notOk(startsContainers(['[Service]\nExecStop=/usr/bin/podman stop x\n']));
  t.end();
});

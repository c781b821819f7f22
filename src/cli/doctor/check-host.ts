import type { DoctorFacts } from './facts.ts';
import { limit, note, ok } from './finding.ts';
import type { Finding } from './finding.ts';

// Before it was written no clock that is right has shown it.
const WRITTEN = Date.UTC(2025, 0, 1);
const TOLERANCE_MS = 60_000;

/** Engines that are in use and do not answer. */
export function engines({ engines: found }: DoctorFacts): Finding[] {
  if (found.length === 0) return [ok('runtimes', 'no podman or docker has a container here')];
  return found.map(({ runtime, user, answered, reason }) => {
    const who = `${runtime} of ${user}`;
    if (answered) return ok('runtime', `${who} answers`);
    const cure =
      runtime === 'docker'
        ? 'systemctl start docker; what its containers left behind is a suspect until it answers'
        : `see why: ${user === 'root' ? '' : `sudo -iu ${user} `}podman ps; what its containers left behind is a suspect until it answers`;
    return limit('runtime-silent', `${who} does not answer: ${reason}`, cure);
  });
}

/** Podmans that will forget what runs. */
export function forgotten({ forgotten: found }: DoctorFacts): Finding[] {
  return found.map(({ user, conmons }) =>
    limit(
      'alive-lost',
      `podman of ${user} lost its alive file while ${conmons} of its containers run: its next call takes this for a reboot and forgets them`,
      'restart them when they may: podman restart NAME, then orphand clean',
    ),
  );
}

/** Alive files that systemd-tmpfiles will remove. */
export function aging({ aging: found }: DoctorFacts): Finding[] {
  return found.map(({ file, rule }) =>
    limit(
      'alive-aging',
      `systemd-tmpfiles removes ${file} when it is old (${rule}): podman then takes its next call for a reboot and forgets what runs`,
      `echo 'x ${file}*' | sudo tee /etc/tmpfiles.d/podman-alive.conf`,
    ),
  );
}

/** Users whose logout makes a crash loop. */
export function lingering({ rootless }: DoctorFacts): Finding[] {
  return rootless
    .filter(({ linger }) => !linger)
    .map(({ user, containers }) =>
      limit(
        'no-linger',
        `${user} has ${containers} container${containers === 1 ? '' : 's'} and no linger: a logout removes /run/user/…, and the next start makes a crash loop of what still runs`,
        `sudo loginctl enable-linger ${user}`,
      ),
    );
}

/** Units that leave containers behind. */
export function leaving({ leaving: found }: DoctorFacts): Finding[] {
  return found.map(({ unit, file, user }) => {
    const systemctl = user === undefined ? 'sudo systemctl' : `as ${user}: systemctl --user`;
    return limit(
      'kill-mode-none',
      `${unit} has KillMode=none (${file}): what it started runs on when it stops`,
      `${systemctl} edit ${unit}: [Service] KillMode=mixed; or generate it again (podman generate systemd --new, Quadlet)`,
    );
  });
}

/** orphand's own units. */
export function units({ units: found }: DoctorFacts): Finding[] {
  if (found === undefined) return [];
  const installed = found.filter((unit) => unit.installed);
  if (installed.length === 0) {
    return [
      note(
        'units',
        'none of its units is installed: nothing cleans up at boot, and nothing watches',
        'sudo orphand install',
      ),
    ];
  }
  return installed.map(({ name, enabled }) =>
    enabled
      ? ok('unit', `${name} is enabled`)
      : limit('unit-disabled', `${name} is installed and not enabled`, `sudo systemctl enable --now ${name}`),
  );
}

/** Whether dates can be right. */
export function clock({ clock: { now, synchronised, newestRecord } }: DoctorFacts): Finding {
  const wrong = 'dates in reports and in the journal are wrong (waits are not affected)';
  if (now < WRITTEN)
    return limit(
      'clock',
      `the clock says ${new Date(now).toISOString()}: ${wrong}`,
      'set it: timedatectl set-ntp true',
    );
  if (newestRecord !== undefined && newestRecord > now + TOLERANCE_MS) {
    const ahead = new Date(newestRecord).toISOString();
    return limit(
      'clock',
      `the journal's newest clean-up is of ${ahead}, in the future: ${wrong}`,
      'set it: timedatectl set-ntp true',
    );
  }
  if (synchronised === false)
    return note('clock', 'the clock is not synchronised', 'timedatectl set-ntp true');
  return ok('clock', 'the clock is plausible');
}

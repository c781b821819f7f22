import t from 'tap';
import { diagnose } from '../../../src/cli/doctor/checks.ts';
import type { DoctorFacts } from '../../../src/cli/doctor/facts.ts';
import type { Finding } from '../../../src/cli/doctor/finding.ts';

/** A host on which nothing is to be done. */
const well: DoctorFacts = {
  uid: 0,
  capabilities: { ptrace: true, readSearch: true, kill: true },
  hidepid: undefined,
  pidsOnly: false,
  hostPids: true,
  pidfd: { available: true, inode: true },
  filtered: false,
  cgroup: 'v2',
  kernel: '6.12.0',
  engines: [{ runtime: 'podman', user: 'root', answered: true, reason: '' }],
  forgotten: [],
  aging: [],
  rootless: [{ user: 'alice', containers: 2, linger: true }],
  leaving: [],
  units: [
    { name: 'orphand-boot.service', installed: true, enabled: true },
    { name: 'orphand.service', installed: true, enabled: true },
    { name: 'orphand-sweep.timer', installed: false, enabled: false },
  ],
  clock: { now: Date.UTC(2026, 10, 25), synchronised: true, newestRecord: Date.UTC(2026, 10, 24) },
  state: { directory: '/var/lib/orphand', problem: undefined },
};

t.test('on a host where all is well everything is ok', (t) => {
  const findings = diagnose(well);
  t.ok(findings.every(({ level, cure }) => level === 'ok' && cure === null));
  t.strictSame(
    findings.map(({ code }) => code),
    ['privileges', 'pidfd', 'cgroup', 'journal', 'runtime', 'unit', 'unit', 'clock'],
  );
  t.end();
});

const none = { ptrace: false, readSearch: false, kill: false };

const cases: [
  name: string,
  facts: Partial<DoctorFacts>,
  want: Pick<Finding, 'code' | 'level'> & { says: RegExp; cure: RegExp },
][] = [
  [
    'not root',
    { uid: 1000, capabilities: none },
    {
      code: 'unprivileged',
      level: 'limit',
      says: /uid 1000 without CAP_SYS_PTRACE, CAP_DAC_READ_SEARCH, CAP_KILL/,
      cure: /sudo/,
    },
  ],
  [
    'root without a capability, as in a container',
    { capabilities: { ...well.capabilities, ptrace: false } },
    { code: 'unprivileged', level: 'limit', says: /without CAP_SYS_PTRACE:/, cure: /--cap-add/ },
  ],
  [
    'hidepid',
    { hidepid: '2', uid: 1000, capabilities: none },
    { code: 'hidepid', level: 'limit', says: /hidepid=2: processes of other users are hidden/, cure: /root/ },
  ],
  [
    'only pids in /proc',
    { pidsOnly: true },
    { code: 'proc-subset', level: 'limit', says: /subset=pid/, cure: /remount/ },
  ],
  [
    'a pid namespace of its own',
    { hostPids: false },
    { code: 'pid-namespace', level: 'note', says: /its own/, cure: /--pid=host/ },
  ],
  [
    'an old kernel',
    { pidfd: { available: false, code: 'ENOSYS' }, kernel: '4.19.0' },
    { code: 'pidfd', level: 'limit', says: /ENOSYS/, cure: /Linux 5\.3 or newer \(this is 4\.19\.0\)/ },
  ],
  [
    'seccomp that says EPERM',
    { pidfd: { available: false, code: 'EPERM' }, filtered: true },
    { code: 'seccomp', level: 'limit', says: /EPERM.*seccomp filter forbids/, cure: /@process/ },
  ],
  [
    'seccomp that says ENOSYS, as docker’s did',
    { pidfd: { available: false, code: 'ENOSYS' }, filtered: true },
    { code: 'seccomp', level: 'limit', says: /seccomp/, cure: /profile/ },
  ],
  [
    'no koffi',
    { pidfd: { available: false, code: 'MODULE_NOT_FOUND' } },
    { code: 'pidfd', level: 'limit', says: /MODULE_NOT_FOUND/, cure: /koffi/ },
  ],
  [
    'pidfds without an inode',
    { pidfd: { available: true, inode: false }, kernel: '6.1.0' },
    { code: 'pidfd', level: 'note', says: /start time/, cure: /6\.9/ },
  ],
  [
    'cgroup v1',
    { cgroup: 'v1' },
    { code: 'cgroup', level: 'note', says: /cgroup v1: .*freezer/, cure: /unified_cgroup_hierarchy/ },
  ],
  [
    'a hybrid tree',
    { cgroup: 'hybrid' },
    { code: 'cgroup', level: 'note', says: /v2 tree beside/, cure: /unified/ },
  ],
  [
    'v2 without cgroup.kill',
    { kernel: '5.10.0' },
    { code: 'cgroup', level: 'note', says: /5\.10\.0/, cure: /5\.14/ },
  ],
  [
    'no cgroups',
    { cgroup: 'none' },
    { code: 'cgroup', level: 'note', says: /root file system/, cure: /mount/ },
  ],
  [
    'a journal that can’t be written',
    { state: { directory: '/var/lib/orphand', problem: '/var/lib: EROFS' } },
    {
      code: 'journal',
      level: 'limit',
      says: /takes no journal \(\/var\/lib: EROFS\)/,
      cure: /stateDirectory/,
    },
  ],
  [
    'a podman that does not answer',
    { engines: [{ runtime: 'podman', user: 'alice', answered: false, reason: 'no answer in time' }] },
    {
      code: 'runtime-silent',
      level: 'limit',
      says: /podman of alice does not answer: no answer in time/,
      cure: /sudo -iu alice podman ps/,
    },
  ],
  [
    'a docker that does not answer',
    { engines: [{ runtime: 'docker', user: 'root', answered: false, reason: 'its daemon does not run' }] },
    { code: 'runtime-silent', level: 'limit', says: /daemon/, cure: /systemctl start docker/ },
  ],
  [
    'no engine in use',
    { engines: [] },
    { code: 'runtimes', level: 'ok', says: /no podman or docker/, cure: /^$/ },
  ],
  [
    'a podman that lost its alive file',
    { forgotten: [{ user: 'root', conmons: 3 }] },
    { code: 'alive-lost', level: 'limit', says: /while 3 of its containers run/, cure: /podman restart/ },
  ],
  [
    'a tmpfiles rule on the alive file',
    { aging: [{ file: '/run/libpod/alive', rule: '/etc/tmpfiles.d/x.conf:3' }] },
    { code: 'alive-aging', level: 'limit', says: /x\.conf:3/, cure: /^echo 'x \/run\/libpod\/alive\*'/ },
  ],
  [
    'a user without linger',
    { rootless: [{ user: 'alice', containers: 1, linger: false }] },
    {
      code: 'no-linger',
      level: 'limit',
      says: /alice has 1 container and no linger/,
      cure: /loginctl enable-linger alice/,
    },
  ],
  [
    'KillMode=none',
    { leaving: [{ unit: 'a.service', file: '/etc/systemd/system/a.service', user: undefined }] },
    {
      code: 'kill-mode-none',
      level: 'limit',
      says: /a\.service has KillMode=none/,
      cure: /^sudo systemctl edit a\.service/,
    },
  ],
  [
    "a user's KillMode=none",
    { leaving: [{ unit: 'a.service', file: '/home/alice/x', user: 'alice' }] },
    {
      code: 'kill-mode-none',
      level: 'limit',
      says: /a\.service/,
      cure: /^as alice: systemctl --user edit a\.service/,
    },
  ],
  [
    'nothing is installed',
    { units: [{ name: 'orphand.service', installed: false, enabled: false }] },
    { code: 'units', level: 'note', says: /nothing cleans up at boot/, cure: /sudo orphand install/ },
  ],
  [
    'installed and not enabled',
    { units: [{ name: 'orphand.service', installed: true, enabled: false }] },
    {
      code: 'unit-disabled',
      level: 'limit',
      says: /orphand\.service/,
      cure: /systemctl enable --now orphand\.service/,
    },
  ],
  [
    'a clock of 1970',
    { clock: { ...well.clock, now: 0 } },
    { code: 'clock', level: 'limit', says: /1970-01-01/, cure: /timedatectl/ },
  ],
  [
    'a clock that went back',
    { clock: { ...well.clock, newestRecord: Date.UTC(2026, 10, 26) } },
    { code: 'clock', level: 'limit', says: /2026-11-26.*in the future/, cure: /timedatectl/ },
  ],
  [
    'a clock that nobody sets',
    { clock: { ...well.clock, synchronised: false } },
    { code: 'clock', level: 'note', says: /not synchronised/, cure: /timedatectl/ },
  ],
];

for (const [name, facts, { code, level, says, cure }] of cases) {
  t.test(name, (t) => {
    const found = diagnose({ ...well, ...facts }).find((finding) => finding.code === code);
    t.equal(found?.level, level);
    t.match(found?.message, says);
    t.match(found?.cure ?? '', cure);
    t.end();
  });
}

t.test('what does not hold is not said', (t) => {
  const codes = (facts: Partial<DoctorFacts>) =>
    diagnose({ ...well, ...facts }).map(({ code, level }) => `${code} ${level}`);
  t.ok(codes({ hidepid: '2' }).includes('hidepid ok'), 'hidepid hides nothing from root');
  for (const hidepid of ['0', 'off']) t.notOk(codes({ hidepid }).some((code) => code.startsWith('hidepid')));
  t.notOk(
    codes({ units: undefined }).some((code) => code.startsWith('unit')),
    'without systemd there are no units',
  );
  t.ok(codes({ kernel: '5.14.0' }).includes('cgroup ok'));
  t.ok(
    codes({ clock: { ...well.clock, synchronised: undefined, newestRecord: undefined } }).includes(
      'clock ok',
    ),
  );
  t.end();
});

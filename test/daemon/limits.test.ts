import t from 'tap';
import { defaultConfig } from '../../src/config/defaults.ts';
import { limitsOf, type LimitFacts } from '../../src/daemon/limits.ts';
import { sampleProcess, sampleReport } from '../helpers/sample-report.ts';

const config = defaultConfig({ env: {}, uid: 0 });
const acting = { ...config, sweep: { ...config.sweep, clean: 'orphans' as const } };
const facts: LimitFacts = {
  config,
  report: sampleReport([]),
  pidfd: undefined,
  maySignal: true,
  journal: undefined,
  others: [],
};
const silent = { name: 'podman', user: 'alice', available: false, reason: 'no answer within 3 s' };

const cases: [name: string, facts: Partial<LimitFacts>, codes: string[]][] = [
  ['nothing limits a daemon that may do all', {}, []],
  [
    'an unprivileged one does not see everything',
    { report: sampleReport([], { privileged: false }) },
    ['unprivileged'],
  ],
  [
    'what it could not read although it may is told too',
    { report: sampleReport([], { unreadable: [{ pid: 1, file: 'exe', code: 'EACCES' }] }) },
    ['unreadable'],
  ],
  ['one that may not signal and is not asked to is not limited', { maySignal: false }, []],
  ['one that may not signal and is asked to is', { maySignal: false, config: acting }, ['cannot-signal']],
  ['without pidfds nothing is ended', { pidfd: 'ENOSYS' }, ['pidfd-unavailable']],
  ['without a journal nothing is ended', { journal: 'EROFS' }, ['journal-not-writable']],
  [
    'a silent runtime that nothing hangs on is none',
    { report: sampleReport([], { runtimes: [silent] }) },
    [],
  ],
  [
    'a silent runtime on which a verdict hangs is one',
    {
      report: sampleReport([sampleProcess({ verdict: 'suspect', reason: 'runtime-silent' })], {
        runtimes: [silent],
      }),
    },
    ['runtime-silent'],
  ],
  [
    'what was found out elsewhere is told as well',
    { others: [{ code: 'x', message: 'y', cure: null }] },
    ['x'],
  ],
  ['before the first report nothing is made up', { report: undefined }, []],
];
for (const [name, given, codes] of cases) {
  t.test(name, (t) => {
    const limits = limitsOf({ ...facts, ...given });
    t.same(
      limits.map(({ code }) => code),
      codes,
    );
    t.end();
  });
}

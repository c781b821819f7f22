import t from 'tap';
import { findingsBetween } from '../../src/daemon/findings.ts';
import type { ReportedProcess } from '../../src/model.ts';
import { liveProcess, sampleProcess, sampleReport } from '../helpers/sample-report.ts';

const orphan = sampleProcess();
const cases: [
  name: string,
  before: ReportedProcess[] | undefined,
  after: ReportedProcess[],
  told: string[],
][] = [
  [
    'in the first report everything found is new',
    undefined,
    [orphan, liveProcess(9, 'redis', [])],
    ['appeared 1328823 null'],
  ],
  ['what was there and still is says nothing', [orphan], [orphan], []],
  ['another verdict is a change', [orphan], [{ ...orphan, verdict: 'suspect' }], ['changed 1328823 orphan']],
  [
    'another reason is a change',
    [orphan],
    [{ ...orphan, reason: 'container-exited' }],
    ['changed 1328823 orphan'],
  ],
  ['what is not listed any more has gone', [orphan], [], ['gone 1328823 orphan']],
  [
    'what is alive after all has gone from the findings',
    [orphan],
    [{ ...orphan, verdict: 'container' }],
    ['gone 1328823 orphan'],
  ],
  [
    'another process under the same pid is another finding',
    [orphan],
    [{ ...orphan, startTime: 5_000_000 }],
    ['appeared 1328823 null', 'gone 1328823 orphan'],
  ],
  ['what is not in scope is none', undefined, [{ ...orphan, inScope: false }], []],
  ['what is unknown is one', undefined, [{ ...orphan, verdict: 'unknown' }], ['appeared 1328823 null']],
];
for (const [name, before, after, told] of cases) {
  t.test(name, (t) => {
    const findings = findingsBetween(before && sampleReport(before), sampleReport(after));
    t.same(
      findings.map(({ change, process, previous }) => `${change} ${process.pid} ${previous}`),
      told,
    );
    t.end();
  });
}

t.test('of what has gone, the present state is told where there is one', (t) => {
  const alive = { ...orphan, verdict: 'container' as const, cause: 'it runs again' };
  const [gone] = findingsBetween(sampleReport([orphan]), sampleReport([alive]));
  t.match(gone, {
    change: 'gone',
    previous: 'orphan',
    process: { verdict: 'container', cause: 'it runs again' },
  });
  const [ended] = findingsBetween(sampleReport([orphan]), sampleReport([]));
  t.match(ended, { change: 'gone', process: { verdict: 'orphan' } });
  t.end();
});

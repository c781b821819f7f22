import t from 'tap';
import { exitCodeOf } from '../../src/cli/attention.ts';
import type { Verdict } from '../../src/model.ts';
import { sampleProcess, sampleReport } from '../helpers/sample-report.ts';

const verdicts: [verdict: Verdict, inScope: boolean, code: number][] = [
  ['orphan', true, 1],
  ['suspect', true, 1],
  ['unknown', true, 1],
  ['container', true, 0],
  ['helper', true, 0],
  ['host', true, 0],
  ['orphan', false, 0],
  ['suspect', false, 0],
];

t.test('only what is in scope and not known to be well needs attention', (t) => {
  for (const [verdict, inScope, code] of verdicts) {
    t.equal(
      exitCodeOf(sampleReport([sampleProcess({ verdict, inScope })])),
      code,
      `${verdict}, in scope: ${inScope}`,
    );
  }
  t.equal(exitCodeOf(sampleReport([])), 0);
  t.end();
});

t.test('a listening socket without a visible holder needs attention, also beside one that has one', (t) => {
  const report = sampleReport([sampleProcess({ verdict: 'container' })]);
  report.ports[0]!.listeners.push({ address: '::', inode: 7, uid: 0, holders: [] });
  t.equal(exitCodeOf(report), 1);
  t.end();
});

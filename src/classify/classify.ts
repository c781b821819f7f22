import type { ContainerView, Evidence, Judgement, ProcessFacts } from '../model.ts';

/**
 * Judges one process by its facts alone: the table of DESIGN.md section 2, the more specific row first. Pure: no I/O,
 * no clock, so that every row has a test.
 */
export function classify(facts: ProcessFacts): Judgement {
  if (facts.protectedAs !== undefined) {
    return host('protected', [{ fact: 'protected', value: facts.protectedAs, source: 'orphand' }]);
  }
  // Above the helper row: the old conmon of a container that runs again under another conmon is in the way itself.
  if (facts.superseded !== undefined) {
    return { verdict: 'orphan', reason: 'superseded-instance', evidence: facts.superseded.evidence };
  }
  if (facts.helper !== undefined) {
    return {
      verdict: 'helper',
      reason: 'runtime-helper',
      evidence: [{ fact: 'runtime program', value: facts.helper, source: `/proc/${facts.pid}/exe` }],
    };
  }
  if (facts.container !== undefined && facts.supervisor !== undefined) return supervised(facts);
  if (facts.unreadable.length > 0) {
    return {
      verdict: 'unknown',
      reason: 'unreadable',
      evidence: facts.unreadable.map(({ file, code }) => ({ fact: 'unreadable', value: code, source: file })),
    };
  }
  return facts.container === undefined ? withoutContainer(facts) : unsupervised(facts);
}

function host(reason: 'protected' | 'systemd-unit' | 'not-the-stack', evidence: Evidence[]): Judgement {
  return { verdict: 'host', reason, evidence };
}

/** Its supervisor lives: never ended, unless the runtime runs the same container again under a younger supervisor. */
function supervised(facts: ProcessFacts): Judgement {
  const evidence = [
    ...(facts.container?.evidence ?? []),
    ...supervisorEvidence(facts),
    ...(facts.view?.evidence ?? []),
  ];
  if (facts.supervisor?.superseded !== undefined) {
    return {
      verdict: 'orphan',
      reason: 'superseded-instance',
      evidence: [...evidence, ...facts.supervisor.superseded.evidence],
    };
  }
  switch (facts.view?.state) {
    case 'absent':
    case 'created':
    case 'exited':
      return {
        verdict: 'container',
        reason: 'runtime-lost-track',
        evidence,
        warning: `its runtime says ${facts.view.state} although its supervisor lives: restart the container through its runtime`,
      };
    case 'running':
    case 'paused':
    case 'stopping':
    case 'restarting':
    case 'silent':
    case 'not-installed':
    case undefined:
      return { verdict: 'container', reason: 'supervised', evidence };
  }
}

/** It was started as part of a container, and nothing keeps it any more. */
function unsupervised(facts: ProcessFacts): Judgement {
  const { container, view, liveParent } = facts;
  const evidence = [...(container?.evidence ?? []), ...supervisorEvidence(facts), ...(view?.evidence ?? [])];
  // A service may have a container's mount as its root (RootDirectory=). What systemd keeps is alive.
  if (container?.via === 'rootfs' && facts.unit?.active === true) {
    return host('systemd-unit', [...evidence, ...facts.unit.evidence]);
  }
  // A build step, a shell that somebody moved into the container, a container inside a container: somebody waits for it.
  if (liveParent !== undefined) {
    return {
      verdict: 'suspect',
      reason: 'container-process-with-parent',
      evidence: [...evidence, ancestorEvidence('live parent', liveParent)],
    };
  }
  return byView(facts, view, evidence);
}

function byView(facts: ProcessFacts, view: ContainerView | undefined, evidence: Evidence[]): Judgement {
  switch (view?.state) {
    case 'absent':
    case 'not-installed':
      return { verdict: 'orphan', reason: 'container-gone', evidence };
    case 'exited':
    case 'created':
    case 'restarting':
      return { verdict: 'orphan', reason: 'container-exited', evidence };
    case 'running':
    case 'paused':
    case 'stopping':
      return facts.currentInstance === 'other'
        ? { verdict: 'orphan', reason: 'previous-instance', evidence }
        : { verdict: 'suspect', reason: 'supervisor-dead', evidence };
    case 'silent':
    case undefined:
      return { verdict: 'suspect', reason: 'runtime-silent', evidence };
  }
}

function withoutContainer(facts: ProcessFacts): Judgement {
  const { unit, stackRoot } = facts;
  if (unit !== undefined) {
    return unit.active === false
      ? { verdict: 'suspect', reason: 'unit-inactive', evidence: unit.evidence }
      : host('systemd-unit', unit.evidence);
  }
  if (stackRoot === undefined) {
    return host('not-the-stack', [
      { fact: 'container', value: 'none', source: `/proc/${facts.pid}/cgroup, /proc/${facts.pid}/mountinfo` },
      { fact: 'stack pattern', value: 'none matches', source: `/proc/${facts.pid}/cmdline` },
    ]);
  }
  const evidence: Evidence[] = [
    ...facts.patterns.map((value) => ({
      fact: 'stack pattern',
      value,
      source: `/proc/${facts.pid}/cmdline`,
    })),
    ...(stackRoot.pid === facts.pid
      ? []
      : [
          {
            fact: 'stack process above',
            value: `${stackRoot.pid} (${stackRoot.comm})`,
            source: `/proc/${facts.pid}/stat`,
          },
        ]),
  ];
  if (stackRoot.reparented) {
    return {
      verdict: 'orphan',
      reason: 'stack-process-reparented',
      evidence: [
        ...evidence,
        {
          fact: 'parent',
          value: 'gone: reparented to pid 1 or a subreaper',
          source: `/proc/${stackRoot.pid}/stat`,
        },
      ],
    };
  }
  return {
    verdict: 'suspect',
    reason: 'stack-process-with-parent',
    evidence:
      facts.liveParent === undefined
        ? evidence
        : [...evidence, ancestorEvidence('live parent', facts.liveParent)],
  };
}

function supervisorEvidence(facts: ProcessFacts): Evidence[] {
  const source = `/proc/${facts.pid}/stat and its ancestors`;
  return facts.supervisor === undefined
    ? [{ fact: 'supervisor', value: `none alive (parent ${facts.ppid})`, source }]
    : [{ fact: 'supervisor', value: `${facts.supervisor.pid} (${facts.supervisor.comm})`, source }];
}

function ancestorEvidence(fact: string, ancestor: { pid: number; comm: string }): Evidence {
  return { fact, value: `${ancestor.pid} (${ancestor.comm})`, source: `/proc/${ancestor.pid}/stat` };
}

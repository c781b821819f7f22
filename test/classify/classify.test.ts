import t from 'tap';
import { classify } from '../../src/classify/classify.ts';
import type { ProcessFacts, Reason, Verdict } from '../../src/model.ts';
import { facts, provenance, supervisor, view } from '../helpers/facts.ts';

const container = provenance();
const kept = supervisor();
const superseded = {
  byPid: 5000,
  evidence: [{ fact: 'conmon.pid', value: '5000', source: '/run/x/conmon.pid' }],
};
const unit = { name: 'aidb.service', manager: 'system' as const, active: true, evidence: [] };
const parent = { pid: 300, ppid: 1, comm: 'bash', startTime: 5 };
const lost = { pid: 4168, comm: 'python3', reparented: true };

const table: [string, Partial<ProcessFacts>, Verdict, Reason][] = [
  [
    'pid 1 is protected whatever else it is',
    { protectedAs: 'pid 1', patterns: ['x'], stackRoot: lost },
    'host',
    'protected',
  ],
  [
    'orphand is protected, in a dead container too',
    { protectedAs: 'orphand', container, view: view('absent') },
    'host',
    'protected',
  ],
  [
    'an ancestor of orphand is protected',
    { protectedAs: 'ancestor of orphand', stackRoot: lost },
    'host',
    'protected',
  ],
  [
    'a supervised process of a running container lives',
    { container, supervisor: kept, view: view('running') },
    'container',
    'supervised',
  ],
  [
    'a supervised process lives when its runtime is silent',
    { container, supervisor: kept, view: view('silent') },
    'container',
    'supervised',
  ],
  [
    'a supervised process lives when nothing was asked',
    { container, supervisor: kept },
    'container',
    'supervised',
  ],
  [
    'a supervised process lives between two restarts',
    { container, supervisor: kept, view: view('restarting') },
    'container',
    'supervised',
  ],
  [
    'a supervised process lives although its files are unreadable',
    { container, supervisor: kept, unreadable: [{ pid: 1, file: '/proc/1/mountinfo', code: 'EACCES' }] },
    'container',
    'supervised',
  ],
  [
    'a container that its runtime forgot lives while its supervisor does',
    { container, supervisor: kept, view: view('absent') },
    'container',
    'runtime-lost-track',
  ],
  [
    'a container that its runtime counts as created lives while its supervisor does',
    { container, supervisor: kept, view: view('created') },
    'container',
    'runtime-lost-track',
  ],
  [
    'a container that its runtime counts as exited lives while its supervisor does',
    { container, supervisor: kept, view: view('exited') },
    'container',
    'runtime-lost-track',
  ],
  [
    'a process nobody keeps of a container nobody knows is an orphan',
    { container, view: view('absent') },
    'orphan',
    'container-gone',
  ],
  [
    'a process of a runtime that is not on this host is an orphan',
    { container, view: view('not-installed') },
    'orphan',
    'container-gone',
  ],
  [
    'a process of an exited container is an orphan',
    { container, view: view('exited') },
    'orphan',
    'container-exited',
  ],
  [
    'a process of a created container is an orphan',
    { container, view: view('created') },
    'orphan',
    'container-exited',
  ],
  [
    'a process of a container between two restarts is an orphan',
    { container, view: view('restarting') },
    'orphan',
    'container-exited',
  ],
  [
    'a process under a superseded supervisor is an orphan',
    { container, supervisor: { ...kept, superseded }, view: view('running') },
    'orphan',
    'superseded-instance',
  ],
  [
    'a superseded supervisor is an orphan although it is a helper',
    { helper: 'conmon', superseded },
    'orphan',
    'superseded-instance',
  ],
  ['a supervisor that nothing supersedes is a helper', { helper: 'conmon' }, 'helper', 'runtime-helper'],
  [
    'a helper is never judged by the pattern it matches',
    { helper: 'podman', patterns: ['x'], stackRoot: lost },
    'helper',
    'runtime-helper',
  ],
  [
    'a process of an earlier life is an orphan',
    { container, view: view('running', { pid: 9 }), currentInstance: 'other' },
    'orphan',
    'previous-instance',
  ],
  [
    'a process of an earlier life of a paused container is an orphan',
    { container, view: view('paused', { pid: 9 }), currentInstance: 'other' },
    'orphan',
    'previous-instance',
  ],
  [
    'the recorded process of a running container without supervisor is a suspect',
    { container, view: view('running', { pid: 4168 }), currentInstance: 'self' },
    'suspect',
    'supervisor-dead',
  ],
  [
    'the recorded process of a stopping container without supervisor is a suspect',
    { container, view: view('stopping', { pid: 4168 }), currentInstance: 'self' },
    'suspect',
    'supervisor-dead',
  ],
  [
    'a running container with no recorded process proves no other instance',
    { container, view: view('running'), currentInstance: 'none' },
    'suspect',
    'supervisor-dead',
  ],
  [
    'a runtime that does not answer proves nothing',
    { container, view: view('silent') },
    'suspect',
    'runtime-silent',
  ],
  ['a runtime that was not asked proves nothing', { container }, 'suspect', 'runtime-silent'],
  [
    'a process that somebody outside its container waits for is a suspect at most',
    { container, view: view('absent'), liveParent: parent },
    'suspect',
    'container-process-with-parent',
  ],
  [
    "a service with a store mount as its root is the unit's",
    { container: provenance({ via: 'rootfs' }), view: view('exited'), unit },
    'host',
    'systemd-unit',
  ],
  [
    'a container whose cgroup is in a unit is judged as a container',
    { container, view: view('absent'), unit },
    'orphan',
    'container-gone',
  ],
  [
    'a stack process that lost its parent is an orphan',
    { patterns: ['x'], stackRoot: lost },
    'orphan',
    'stack-process-reparented',
  ],
  [
    'a worker of a stack process that lost its parent is an orphan, pattern or not',
    { stackRoot: { ...lost, pid: 77 } },
    'orphan',
    'stack-process-reparented',
  ],
  [
    'a stack process whose parent lives is a suspect',
    { patterns: ['x'], stackRoot: { ...lost, reparented: false }, liveParent: parent },
    'suspect',
    'stack-process-with-parent',
  ],
  [
    "a stack process of an active unit is the host's",
    { patterns: ['x'], stackRoot: lost, unit },
    'host',
    'systemd-unit',
  ],
  [
    "a stack process of a unit whose state is not known is the host's",
    { patterns: ['x'], stackRoot: lost, unit: { ...unit, active: undefined } },
    'host',
    'systemd-unit',
  ],
  ["a process without a pattern in an active unit is the host's", { unit }, 'host', 'systemd-unit'],
  [
    'what an inactive unit left behind is a suspect',
    { patterns: ['x'], stackRoot: lost, unit: { ...unit, active: false } },
    'suspect',
    'unit-inactive',
  ],
  ["any other process is the host's, on a watched port too", {}, 'host', 'not-the-stack'],
  [
    'what could not be read is unknown, never guessed',
    {
      patterns: ['x'],
      stackRoot: lost,
      unreadable: [{ pid: 4168, file: '/proc/4168/mountinfo', code: 'EACCES' }],
    },
    'unknown',
    'unreadable',
  ],
  [
    'a container nobody keeps is unknown while something is unreadable',
    {
      container,
      view: view('absent'),
      unreadable: [{ pid: 4168, file: '/proc/4168/cgroup', code: 'EACCES' }],
    },
    'unknown',
    'unreadable',
  ],
];

for (const [name, changes, verdict, reason] of table) {
  t.test(name, (t) => {
    const judgement = classify(facts(changes));
    t.match(judgement, { verdict, reason });
    t.end();
  });
}

t.test('every verdict that can end a process carries evidence to check', (t) => {
  for (const [name, changes, verdict] of table) {
    if (verdict !== 'orphan' && verdict !== 'suspect') continue;
    const { evidence } = classify(
      facts({
        ...changes,
        view: changes.view && { ...changes.view, evidence: [{ fact: 'x', value: 'y', source: 'z' }] },
        ...(changes.unit && {
          unit: { ...changes.unit, evidence: [{ fact: 'unit', value: 'a', source: 'b' }] },
        }),
      }),
    );
    t.ok(evidence.length > 0, name);
  }
  t.end();
});

t.test('a container that its runtime lost track of comes with a warning', (t) => {
  t.match(classify(facts({ container, supervisor: kept, view: view('absent') })).warning, /absent/);
  t.end();
});

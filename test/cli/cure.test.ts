import t from 'tap';
import { cureOf } from '../../src/cli/cure.ts';
import type { ReportedProcess } from '../../src/model.ts';
import { sampleProcess } from '../helpers/sample-report.ts';

const cures: [name: string, process: Partial<ReportedProcess>, cure: string][] = [
  ['an orphan', { ports: [8091, 8791] }, 'orphand clean --ports 8091,8791'],
  ['an orphan without a port', { ports: [] }, 'orphand clean'],
  [
    'an orphan that is not the stack’s',
    { inScope: false },
    "nothing by orphand: it is not the stack's (add its container's name to containers.names if it is)",
  ],
  [
    'a suspect',
    { verdict: 'suspect', reason: 'supervisor-dead' },
    'check the evidence; if it is not needed: orphand clean --suspects --ports 8091',
  ],
  [
    'unknown',
    { verdict: 'unknown', reason: 'unreadable' },
    'run again with sudo: orphand explain pid 1328823',
  ],
  [
    'a live container',
    { verdict: 'container', reason: 'supervised' },
    'nothing to do: it is alive and has a supervisor',
  ],
  [
    'a live container that podman lost',
    { verdict: 'container', reason: 'runtime-lost-track' },
    'it is alive: orphand leaves it. When it may stop, restart it through its runtime: podman restart local-ai-aidb',
  ],
  [
    'a runtime process',
    { verdict: 'helper', reason: 'runtime-helper' },
    'nothing to do: it belongs to the container runtime',
  ],
  [
    'a unit',
    { verdict: 'host', reason: 'systemd-unit', unit: 'nginx.service' },
    'nothing to do, or to free the port: systemctl stop nginx.service',
  ],
  [
    "a user's unit",
    {
      verdict: 'host',
      reason: 'systemd-unit',
      unit: 'a\x1b.service',
      cgroup: '/user.slice/user@1000.service/a.service',
      user: 'alice',
    },
    'nothing to do, or to free the port: systemctl --user -M alice@ stop a\\x1b.service',
  ],
  [
    'a process of the host',
    { verdict: 'host', reason: 'not-the-stack', user: 'bob' },
    "nothing to do, or end it the way it was started, if its port is needed: it is bob's",
  ],
  ['pid 1', { verdict: 'host', reason: 'protected' }, 'nothing to do: orphand never touches it'],
];

t.test('each verdict has a cure in words, with the command where there is one', (t) => {
  for (const [name, process, cure] of cures) t.equal(cureOf(sampleProcess(process)), cure, name);
  t.end();
});

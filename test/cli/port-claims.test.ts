import t from 'tap';
import { claimOf, needsListing } from '../../src/cli/port-claims.ts';
import type { Claim } from '../../src/cli/port-claims.ts';
import { defaultConfig } from '../../src/config/defaults.ts';
import { parseListed } from '../../src/container/runtimes/listed.ts';
import type { ListedContainer } from '../../src/container/runtimes/listed.ts';
import type { ReportedProcess } from '../../src/model.ts';
import { liveProcess, sampleProcess, sampleReport } from '../helpers/sample-report.ts';

const config = defaultConfig({ env: {}, uid: 0 });
const labelled = { ...config, containers: { names: [], labels: ['stack=ai'], projects: [] } };
const live = liveProcess(7, 'aidb', [8091]);
const id = live.container!.id!;
const other: ReportedProcess = { ...live, container: { runtime: 'podman', id, name: 'web' } };
const forwarder: ReportedProcess = { ...live, verdict: 'helper', reason: 'runtime-helper', container: null };
const host: ReportedProcess = { ...live, pid: 8, verdict: 'host', reason: 'systemd-unit', container: null };

const listed = parseListed([
  {
    Id: id,
    Name: 'local-ai-aidb',
    State: { Status: 'running' },
    Config: { Labels: { stack: 'ai' } },
    HostConfig: { PortBindings: { '80/tcp': [{ HostPort: '8091' }] } },
  },
])!;
const exited = listed.map((container) => ({ ...container, state: 'exited' as const }));
const udp = listed.map((container) => ({
  ...container,
  published: [{ port: 8091, protocol: 'udp' as const }],
}));

const cases: [
  name: string,
  claim: Claim,
  processes: ReportedProcess[],
  config?: typeof config,
  listed?: ListedContainer[],
][] = [
  ['nobody holds it', 'free', []],
  ['a live container, by name', 'stack', [live]],
  ['a live container of another name', 'other', [other]],
  ['a live container, by label', 'stack', [other], labelled, listed],
  ['a live container without the label', 'other', [other], labelled],
  ['a forwarder of one of the stack', 'stack', [forwarder], config, listed],
  ['a forwarder of nobody knows whom', 'other', [forwarder]],
  ['a forwarder for a container that does not run', 'other', [forwarder], config, exited],
  ['a forwarder for another protocol', 'other', [forwarder], config, udp],
  ['a unit', 'other', [host]],
  ['an orphan', 'orphan', [sampleProcess()]],
  ['a suspect', 'suspect', [sampleProcess({ verdict: 'suspect' })]],
  ['an unknown', 'unknown', [sampleProcess({ verdict: 'unknown' })]],
  ['an orphan beside a live container (SO_REUSEPORT)', 'orphan', [live, sampleProcess()]],
  ['an orphan beside a unit', 'other', [host, sampleProcess()]],
];

t.test('whose a port is follows from its gravest holder', (t) => {
  for (const [name, claim, processes, of = config, containers = []] of cases) {
    const report = sampleReport(processes);
    t.equal(claimOf(report.ports[0]!, report, of, containers), claim, name);
  }
  t.end();
});

t.test('a holder that could not be seen, or has no verdict, is unknown', (t) => {
  const report = sampleReport([live]);
  const [port] = report.ports;
  t.equal(
    claimOf({ ...port!, listeners: [{ ...port!.listeners[0]!, holders: [] }] }, report, config, []),
    'unknown',
  );
  t.equal(claimOf(port!, { ...report, processes: [] }, config, []), 'unknown');
  t.end();
});

t.test('the engines are asked only where names do not say it', (t) => {
  t.notOk(needsListing(sampleReport([live]), config));
  t.notOk(needsListing(sampleReport([other]), config), 'nothing but names was asked for');
  t.ok(needsListing(sampleReport([other]), labelled));
  t.ok(needsListing(sampleReport([forwarder]), config));
  t.ok(needsListing(sampleReport([{ ...live, container: { runtime: 'podman', id, name: null } }]), config));
  t.notOk(needsListing(sampleReport([host, sampleProcess()]), labelled));
  t.notOk(
    needsListing(sampleReport([{ ...forwarder, ports: [] }]), config),
    'what holds no port does not matter',
  );
  t.end();
});

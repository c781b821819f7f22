import type { Judgement, ProcessFacts } from '../model.ts';

/** The cause of a verdict in one sentence for a person: who, what happened, how the runtime sees it. */
export function causeOf(facts: ProcessFacts, { reason }: Judgement): string {
  const who = subject(facts);
  const runtime = runtimeName(facts);
  switch (reason) {
    case 'protected':
      return `${who} is ${facts.protectedAs ?? 'protected'}: never ended`;
    case 'runtime-helper':
      return `${who} is a runtime's own process (${facts.helper ?? facts.comm})`;
    case 'supervised':
      return `${who} runs in a live container: ${keeper(facts)} keeps it`;
    case 'runtime-lost-track':
      return `${who} runs in a live container that ${runtime} lost track of: ${keeper(facts)} keeps it, ${runtime} says ${facts.view?.state ?? 'nothing'}`;
    case 'container-gone':
      return facts.view?.state === 'not-installed'
        ? `${who} survived its container: ${lost(facts)}, ${runtime} is not on this host`
        : `${who} survived its container: ${lost(facts)}, ${runtime} no longer knows it`;
    case 'container-exited':
      return `${who} survived its container: ${lost(facts)}, ${runtime} counts it as ${facts.view?.state ?? 'exited'}`;
    case 'previous-instance':
      return `${who} is left from an earlier life of its container: ${lost(facts)}, ${runtime} runs it again as process ${facts.view?.pid ?? '?'}`;
    case 'superseded-instance':
      return `${who} is an earlier life of its container: ${runtime} started it again under supervisor ${supersededBy(facts)} and no longer records this one's`;
    case 'supervisor-dead':
      return `${who} may be an orphan: ${lost(facts)}, but ${runtime} still counts the container as ${facts.view?.state ?? 'running'}`;
    case 'runtime-silent':
      return `${who} may be an orphan: ${lost(facts)}, and ${runtime} could not be asked`;
    case 'container-process-with-parent':
      return `${who} has no supervisor, but process ${parent(facts)} outside its container waits for it`;
    case 'stack-process-reparented':
      return facts.stackRoot !== undefined && facts.stackRoot.pid !== facts.pid
        ? `${who} descends from stack process ${facts.stackRoot.pid} (${facts.stackRoot.comm}), which lost its parent and belongs to no container or unit`
        : `${who} is a stack process that lost its parent and belongs to no container or unit`;
    case 'stack-process-with-parent':
      return `${who} looks like a stack process outside any container, but its parent ${parent(facts)} lives`;
    case 'systemd-unit':
      return `${who} belongs to the systemd unit ${facts.unit?.name ?? '?'}`;
    case 'unit-inactive':
      return `${who} is left in the cgroup of ${facts.unit?.name ?? 'a unit'}, which is not active`;
    case 'not-the-stack':
      return `${who} is another process of this host`;
    case 'unreadable':
      return `${who} could not be judged: ${facts.unreadable.map(({ file, code }) => `${file} (${code})`).join(', ')}`;
  }
}

function subject(facts: ProcessFacts): string {
  const name = facts.view?.name;
  return name === undefined ? `process ${facts.pid} (${facts.comm})` : `${name}'s process ${facts.pid}`;
}

function runtimeName(facts: ProcessFacts): string {
  const name = facts.container?.runtime ?? 'podman';
  return name === 'unknown' || name === 'kubernetes-unknown' ? 'its runtime' : name;
}

/** What used to keep it, by the runtime that its container names. */
function lost(facts: ProcessFacts): string {
  switch (facts.container?.runtime) {
    case 'podman':
    case 'crio':
      return 'conmon is gone';
    case 'docker':
    case 'containerd':
      return 'its containerd-shim is gone';
    case 'lxc':
    case 'libvirt-lxc':
    case 'nspawn':
    case 'garden':
    case 'ecs':
    case 'kubernetes-unknown':
    case 'unknown':
    case undefined:
      return 'its supervisor is gone';
  }
}

function keeper({ supervisor }: ProcessFacts): string {
  return supervisor === undefined ? 'its supervisor' : `${supervisor.comm} ${supervisor.pid}`;
}

function parent({ liveParent }: ProcessFacts): string {
  return liveParent === undefined ? '?' : `${liveParent.pid} (${liveParent.comm})`;
}

function supersededBy(facts: ProcessFacts): string {
  const superseded = facts.superseded ?? facts.supervisor?.superseded;
  return superseded === undefined ? '?' : String(superseded.byPid);
}

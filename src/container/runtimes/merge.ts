import type { ContainerState, ContainerView, Evidence } from '../../model.ts';
import type { Absent, Answer, Known, Silent } from './answer.ts';

/** What besides the answers decides. */
export interface MergeContext {
  /** Whether the runtime is on this host in any form. */
  present: boolean;
  /** Whether that nobody knows the container can be said at all: not for a runtime that can't be named, nor for a container in a container. */
  conclusive: boolean;
}

/** Takes all answers together: one that knows wins, `absent` needs every source's word, no answer is none. */
export function mergeAnswers(answers: Answer[], context: MergeContext): ContainerView {
  const evidence = answers.map(evidenceOf);
  const known = answers.filter((answer) => answer.result === 'known');
  const best = bestOf(known);
  if (best !== undefined) {
    const { state, pid, name, labels, restartCount } = best;
    return { state: state ?? 'silent', pid, name, labels, restartCount, evidence };
  }
  return {
    state: withoutKnown(answers, context),
    pid: undefined,
    name: undefined,
    labels: {},
    restartCount: undefined,
    evidence,
  };
}

/** Sources that did not answer, where no other source of the same engine and user did. */
export function unanswered(answers: Answer[]): Silent[] {
  const answered = answers.filter((answer): answer is Known | Absent => answer.result !== 'silent');
  return answers.filter(
    (answer): answer is Silent =>
      answer.result === 'silent' &&
      !answered.some(
        ({ runtime, user, via }) => via !== 'record' && runtime === answer.runtime && user === answer.user,
      ),
  );
}

function withoutKnown(answers: Answer[], { present, conclusive }: MergeContext): ContainerState {
  if (unanswered(answers).length > 0) return 'silent';
  if (!conclusive) return 'silent';
  if (answers.length > 0) return 'absent';
  return present ? 'silent' : 'not-installed';
}

const live = new Set<ContainerState | undefined>(['running', 'paused', 'stopping', 'restarting']);

/**
 * The one view of what several sources know. An engine that was asked is more recent than its record: podman after its
 * `alive` file was removed says created of what its pidfile still names. The recorded pid stays, as it is a fact of its own.
 */
function bestOf(known: Known[]): Known | undefined {
  const views = byEngine(known).map((sources) => {
    const record = sources.find(({ via }) => via === 'record');
    const asked = sources.find(({ via, state }) => via !== 'record' && state !== undefined);
    const [first] = [asked, record, ...sources].filter((each) => each !== undefined);
    return first === undefined ? undefined : combine(first, sources);
  });
  const all = views.filter((view) => view !== undefined);
  // Two engines that know one id: that it lives in one of them is what matters.
  return all.find(({ state }) => live.has(state)) ?? all[0];
}

function combine(first: Known, sources: Known[]): Known {
  return {
    ...first,
    pid: first.pid ?? sources.find(({ pid }) => pid !== undefined)?.pid,
    name: first.name ?? sources.find(({ name }) => name !== undefined)?.name,
    labels: Object.assign({}, ...sources.map(({ labels }) => labels)) as Record<string, string>,
    restartCount: sources.find(({ restartCount }) => restartCount !== undefined)?.restartCount,
  };
}

function byEngine(known: Known[]): Known[][] {
  const keys = [...new Set(known.map(({ runtime, user }) => `${runtime} ${user}`))];
  return keys.map((key) => known.filter(({ runtime, user }) => `${runtime} ${user}` === key));
}

function evidenceOf(answer: Answer): Evidence {
  const fact = `${answer.runtime} of ${answer.user} (${answer.via})`;
  switch (answer.result) {
    case 'known': {
      const pid = answer.pid === undefined ? '' : `, pid ${answer.pid}`;
      const note = answer.note === undefined ? '' : ` (${answer.note})`;
      return {
        fact,
        value: `${answer.state ?? 'listed, state not known'}${pid}${note}`,
        source: answer.source,
      };
    }
    case 'absent':
      return { fact, value: 'does not know the container', source: answer.source };
    case 'silent':
      return { fact, value: `did not answer: ${answer.reason}`, source: answer.source };
  }
}

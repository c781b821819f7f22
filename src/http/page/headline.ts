import { count } from './words.ts';
import { type PageView, type PortLook, portRows } from './view.ts';

/** The state of the host in one line. */
export interface Headline {
  look: PortLook | 'stale' | 'clear';
  text: string;
  /** A second sentence, or undefined. */
  more: string | undefined;
}

/** The gravest thing first: stale data, then orphans, suspects, unknowns; else that all is well. */
export function headline({ report, status }: PageView): Headline {
  if (report === undefined)
    return { look: 'stale', text: 'Waiting for the first sweep', more: sentence(status.problem) };
  if (!status.healthy) {
    return { look: 'stale', text: 'Stale: what is shown here is old', more: sentence(status.problem) };
  }
  const { orphan, suspect, unknown } = report.summary;
  const blocked = portRows(report).filter(({ look }) => look === 'orphan').length;
  const others = [
    suspect > 0 && orphan > 0 ? count(suspect, 'suspect') : '',
    unknown > 0 && orphan + suspect > 0 ? `${unknown} that could not be judged` : '',
  ].filter((part) => part !== '');
  const more = others.length === 0 ? undefined : `Also ${others.join(' and ')}.`;
  if (orphan > 0) {
    const ports = blocked === 0 ? 'no watched port held' : `${count(blocked, 'port')} held`;
    return { look: 'orphan', text: `${count(orphan, 'orphan')}, ${ports}`, more };
  }
  if (suspect > 0)
    return { look: 'suspect', text: `${count(suspect, 'suspect')}: strong evidence, not proof`, more };
  if (unknown > 0) return { look: 'unknown', text: `${count(unknown, 'process')} could not be judged`, more };
  const held = report.ports.filter((port) => port.state === 'held').length;
  return {
    look: 'clear',
    text: 'All clear',
    more: `No orphan. ${held} of ${count(report.ports.length, 'watched port')} held, each by something alive.`,
  };
}

function sentence(text: string | null): string | undefined {
  if (text === null || text === '') return undefined;
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}${text.endsWith('.') ? '' : '.'}`;
}

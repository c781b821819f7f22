/** How many ports one list may name: each is a line of output and some metrics series. */
export const mostPorts = 1024;

/** Whether a number is a TCP or UDP port. */
export function isPort(value: number): boolean {
  return Number.isInteger(value) && value >= 1 && value <= 65_535;
}

/**
 * Reads `8091,8092,8000-8010` into ascending ports, each once, or says in a sentence what is wrong with it
 * (`70000 is not a port (1-65535)`).
 */
export function parsePortList(text: string): number[] | string {
  const ports = new Set<number>();
  for (const part of text.split(',').map((item) => item.trim())) {
    if (part === '')
      return `${JSON.stringify(text)} has an empty item: write ports as 8091,8092 or 8000-8010`;
    const [, first = '', last] = /^(\d+)(?:-(\d+))?$/.exec(part) ?? [];
    for (const bound of [first, last]) {
      if (bound === undefined) continue;
      if (bound === '' || !isPort(Number(bound))) {
        return `${bound === '' ? JSON.stringify(part) : bound} is not a port (1-65535)`;
      }
    }
    const [from, to] = [Number(first), Number(last ?? first)];
    if (to < from) return `${part} runs backwards: write ${to}-${from}`;
    for (let port = from; port <= to; port++) ports.add(port);
    if (ports.size > mostPorts) return `${part} makes more than ${mostPorts} ports`;
  }
  return [...ports].sort((a, b) => a - b);
}

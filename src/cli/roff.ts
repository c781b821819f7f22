/** A text as roff(7) shows it and acts on none of it: hyphens that can be copied, no requests, nothing but ASCII. */
export function roff(text: string): string {
  return text
    .replaceAll('\\', '\\e')
    .replaceAll('-', '\\-')
    .replace(/[^\x20-\x7e\n]/gu, (character) => {
      const code = character.codePointAt(0) ?? 0;
      return `\\[u${code.toString(16).toUpperCase().padStart(4, '0')}]`;
    })
    .replace(/^([.'])/gm, '\\&$1');
}

/** An argument of a macro. */
export function roffArgument(text: string): string {
  return `"${roff(text).replaceAll('"', '\\(dq')}"`;
}

/** A text in which `this` is bold. */
export function paragraph(text: string): string {
  return text
    .split('`')
    .map((part, index) => (index % 2 === 1 ? `\\fB${roff(part)}\\fR` : roff(part)))
    .join('');
}

/** A tagged paragraph: a term, already roff, and what it means. */
export function tagged(term: string, text: string): string {
  return `.TP\n${term}\n${paragraph(text)}`;
}

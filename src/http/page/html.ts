/** HTML from text that may be hostile: everything is escaped unless it is already HTML. */

/** Text that is HTML. A class, so that no object from elsewhere passes for one. */
export class Html {
  readonly markup: string;

  constructor(markup: string) {
    this.markup = markup;
  }
}

/** What a template may hold. Nothing is shown for null, undefined and false. */
export type Part = Html | string | number | null | undefined | false | readonly Part[];

/** Tagged template: the literal parts are HTML, the values are escaped, in text and in quoted attributes alike. */
export function html(literals: TemplateStringsArray, ...parts: Part[]): Html {
  let markup = literals[0] ?? '';
  parts.forEach((part, index) => {
    markup += markupOf(part) + (literals[index + 1] ?? '');
  });
  return new Html(markup);
}

/** A part of orphand's own, such as the style sheet, as it is. Never for anything read or received. */
export function ownMarkup(markup: string): Html {
  return new Html(markup);
}

function markupOf(part: Part): string {
  if (part === null || part === undefined || part === false) return '';
  if (typeof part === 'string' || typeof part === 'number') return escape(String(part));
  return part instanceof Html ? part.markup : part.map(markupOf).join('');
}

const entities: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
  '`': '&#96;',
};

function escape(text: string): string {
  return text.replace(/[&<>"'`]/g, (character) => entities[character] ?? '');
}

// C0, C1, the characters that turn or hide text (Trojan Source, CVE-2021-42574), and lone halves of surrogate pairs.
const unseen = /[\p{Cc}\p{Cf}\p{Cs}\p{Co}\u2028\u2029]/gu;

/** Text of a process as a person can see it: control and direction characters as `\x1b`, at most `most` characters. */
export function visible(text: string, most = 400): string {
  const cut = text.length > most ? `${text.slice(0, most)}…` : text;
  return cut.replace(unseen, (character) => {
    const code = character.codePointAt(0) ?? 0;
    return code < 0x100 ? `\\x${code.toString(16).padStart(2, '0')}` : `\\u{${code.toString(16)}}`;
  });
}

/** A command line as one text, arguments with spaces or quotes in them quoted. */
export function commandLine(cmdline: readonly string[], most = 400): string {
  return visible(
    cmdline.map((word) => (/^[\w@%+=:,./-]+$/.test(word) ? word : JSON.stringify(word))).join(' '),
    most,
  );
}

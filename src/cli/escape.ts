/**
 * What a terminal would act on or a reader could not see: controls (C0, DEL, C1), format characters (bidi overrides,
 * zero-width ones, tags), unpaired surrogates, private and unassigned code points, line separators, and the mark that
 * stands for bytes that were not UTF-8.
 */
const unprintable = /[\p{Cc}\p{Cf}\p{Cs}\p{Co}\p{Cn}\p{Zl}\p{Zp}\ufffd]/gu;

const named: Readonly<Record<string, string>> = { '\n': '\\n', '\r': '\\r', '\t': '\\t' };

function escaped(character: string): string {
  const code = character.codePointAt(0) ?? 0;
  const hex = code.toString(16);
  if (code <= 0xff) return named[character] ?? `\\x${hex.padStart(2, '0')}`;
  return code <= 0xffff ? `\\u${hex.padStart(4, '0')}` : `\\u{${hex}}`;
}

/** A text of anyone's making, safe to print: ESC becomes `\x1b`, a newline `\n`, U+202E `\u202e`. */
export function escape(text: string): string {
  return text.replace(unprintable, escaped);
}

/** A value as indented JSON whose text holds no character that `escape` would replace, and still parses to the value. */
export function jsonText(value: unknown): string {
  // JSON.stringify escapes the C0 controls itself; newlines that remain are the indentation's.
  return JSON.stringify(value, null, 2).replace(unprintable, (character) =>
    character === '\n' || character === '\ufffd'
      ? character
      : Array.from({ length: character.length }, (_, index) => character.charCodeAt(index))
          .map((unit) => `\\u${unit.toString(16).padStart(4, '0')}`)
          .join(''),
  );
}

/** The first `most` characters of a text, the last of them `…` where something was cut off. */
export function cut(text: string, most: number): string {
  // A character is at most two UTF-16 units; a text of megabytes is not taken apart to show its beginning.
  const characters = Array.from(text.slice(0, most * 2 + 2));
  return characters.length <= most ? text : `${characters.slice(0, most - 1).join('')}…`;
}

/** A command line as one safe line: arguments with spaces or quotes in them are quoted, so that none can pass for two. */
export function commandText(cmdline: readonly string[], most = 160): string {
  const words: string[] = [];
  let length = 0;
  for (const argument of cmdline) {
    // An argument list may have megabytes; what will be cut off need not be escaped first.
    if (length > most + 1) break;
    const safe = escape(cut(argument, most + 1));
    const word = safe === '' || /[\s'"]/u.test(safe) ? `'${safe.replaceAll("'", "\\'")}'` : safe;
    words.push(word);
    length += word.length + 1;
  }
  return cut(words.join(' '), most);
}

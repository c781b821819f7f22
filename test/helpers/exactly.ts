/** A pattern for `t.match` of a list with these items and no more: a bare array there matches any longer list, `[]` any at all. */
export function exactly(...items: readonly unknown[]): object {
  return Object.assign({ length: items.length }, items);
}

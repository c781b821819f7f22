/** One thing that was looked at. `limit`: something can't be seen or done; `note`: worth knowing, all works. */
export interface Finding {
  /** Stable, such as `unprivileged`. */
  code: string;
  level: 'ok' | 'note' | 'limit';
  message: string;
  /** What to do about it, in words and commands; null where there is nothing to do. */
  cure: string | null;
}

/** All is well. */
export function ok(code: string, message: string): Finding {
  return { code, level: 'ok', message, cure: null };
}

/** Worth knowing; nothing is limited. */
export function note(code: string, message: string, cure: string | null): Finding {
  return { code, level: 'note', message, cure };
}

/** Something can't be seen or done. */
export function limit(code: string, message: string, cure: string): Finding {
  return { code, level: 'limit', message, cure };
}

/** The value that a setting has at last in a unit's file and its drop-ins, one after the other; undefined: nowhere set. */
export function lastSetting(texts: readonly string[], name: string): string | undefined {
  return texts.flatMap((text) => settings(text, name)).at(-1);
}

/** Whether what a unit starts are containers, by its Exec lines. */
export function startsContainers(texts: readonly string[]): boolean {
  return texts
    .flatMap((text) => [...settings(text, 'ExecStart'), ...settings(text, 'ExecStartPre')])
    .some((command) =>
      /(^|[\s/=])(podman|docker|nerdctl|conmon|crun|runc|(podman|docker)-compose)(\s|$)/.test(command),
    );
}

function settings(text: string, name: string): string[] {
  return text
    .replace(/\\\n/g, ' ')
    .split('\n')
    .flatMap((line) => {
      const [key = '', ...value] = line.split('=');
      return key.trim() === name ? [value.join('=').trim()] : [];
    });
}

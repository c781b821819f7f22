/** Keys and list indexes from the root to a value. */
export type KeyPath = readonly (string | number)[];

/** Something wrong with one value; `text` ends the sentence that the value's path begins. */
export interface Problem {
  path: KeyPath;
  text: string;
}

/** `sweep.schedule`, `ports[2].port` */
export function pathText(path: KeyPath): string {
  return path.reduce<string>(
    (text, step) => (typeof step === 'number' ? `${text}[${step}]` : text === '' ? step : `${text}.${step}`),
    '',
  );
}

/** A value as a message shows it. */
export function shown(value: unknown): string {
  const text = JSON.stringify(value) as string | undefined;
  if (text === undefined) return 'nothing';
  return text.length > 60 ? `${text.slice(0, 59)}…` : text;
}

import type { Context } from './command.ts';

/** `orphand completion bash|zsh|fish`: prints a script for the shell. */
export async function run({ args, terminal }: Context): Promise<number> {
  terminal.out((await script(args[0])).trimEnd());
  return 0;
}

async function script(shell: string | undefined): Promise<string> {
  if (shell === 'zsh') return (await import('./completion/zsh.ts')).zshCompletion();
  if (shell === 'fish') return (await import('./completion/fish.ts')).fishCompletion();
  return (await import('./completion/bash.ts')).bashCompletion();
}

#!/usr/bin/env node
import { flushed } from './cli/flushed.ts';
import { main } from './cli/main.ts';
import type { Loaders } from './cli/main.ts';

const loaders: Loaders = {
  scan: () => import('./cli/scan.ts'),
  clean: () => import('./cli/clean.ts'),
  stop: () => import('./cli/stop.ts'),
  preflight: () => import('./cli/preflight.ts'),
  serve: () => import('./cli/serve.ts'),
  status: () => import('./cli/status.ts'),
  boot: () => import('./cli/boot.ts'),
  explain: () => import('./cli/explain.ts'),
  history: () => import('./cli/history.ts'),
  doctor: () => import('./cli/doctor.ts'),
  init: () => import('./cli/init.ts'),
  config: () => import('./cli/config.ts'),
  install: () => import('./cli/install.ts'),
  uninstall: () => import('./cli/uninstall.ts'),
  completion: () => import('./cli/completion.ts'),
  version: () => import('./cli/show-version.ts'),
  help: () => import('./cli/help.ts'),
};

let writeFailure: string | undefined;
for (const stream of [process.stdout, process.stderr]) {
  stream.on('error', (error: NodeJS.ErrnoException) => {
    // EPIPE: the reader has seen enough (`orphand scan | head -1`). What was begun is finished all the same.
    if (error.code !== 'EPIPE') writeFailure ??= error.code ?? error.message;
  });
}

void run();

async function run(): Promise<void> {
  let code = await main(process.argv.slice(2), loaders, process);
  await Promise.all([process.stdout, process.stderr].map(flushed));
  if (writeFailure !== undefined) {
    process.stderr.write(`orphand: the output could not be written: ${writeFailure}\n`);
    code = 3;
  }
  process.exitCode = code;
  // A runtime's socket that is still open must not keep a finished command from ending.
  process.exit();
}

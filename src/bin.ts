#!/usr/bin/env node
import { main } from './cli/main.ts';
import type { Loaders } from './cli/main.ts';
import { Output } from './cli/output.ts';

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

const stdout = new Output(1);
const stderr = new Output(2);

void run();

async function run(): Promise<void> {
  let code = await main(process.argv.slice(2), loaders, { env: process.env, stdout, stderr });
  await Promise.all([stdout.flush(), stderr.flush()]);
  const failure = stdout.failure ?? stderr.failure;
  if (failure !== undefined) {
    stderr.write(`orphand: the output could not be written: ${failure}\n`);
    await stderr.flush();
    code = 3;
  }
  process.exitCode = code;
  // A runtime's socket that is still open must not keep a finished command from ending.
  process.exit();
}

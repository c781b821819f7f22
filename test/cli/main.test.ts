import t from 'tap';
import type { CommandModule, Context } from '../../src/cli/command.ts';
import { UsageError } from '../../src/cli/command.ts';
import { commands } from '../../src/cli/commands.ts';
import { main } from '../../src/cli/main.ts';
import type { Loaders } from '../../src/cli/main.ts';
import { ConfigError } from '../../src/config/error.ts';
import { exactly } from '../helpers/exactly.ts';

/** Runs a line whose every command does `run`. */
async function outcome(
  line: string,
  run: (context: Context) => Promise<number>,
  env: Record<string, string> = {},
): Promise<{ code: number; out: string; err: string }> {
  const text = { out: '', err: '' };
  const module: CommandModule = { run };
  const loaders = Object.fromEntries(
    commands.map(({ name }) => [name, () => Promise.resolve(module)]),
  ) as Loaders;
  const code = await main(line.split(' '), loaders, {
    env,
    stdout: { write: (more) => (text.out += more) },
    stderr: { write: (more) => (text.err += more) },
  });
  return { code, ...text };
}

const fail = (error: Error) => () => Promise.reject(error);

t.test('the exit code is what the command answers', async (t) => {
  t.same(await outcome('scan', () => Promise.resolve(1)), { code: 1, out: '', err: '' });
});

t.test('a failure is one line, whatever is in it, and its exit code says whose fault it is', async (t) => {
  t.same(await outcome('scan', fail(new Error('a\x1b[m\nb'))), {
    code: 3,
    out: '',
    err: 'orphand: internal error: a\\x1b[m\\nb\n',
  });
  t.match(await outcome('scan', fail(new UsageError('no'))), { code: 2, err: 'orphand: no\n' });
  t.match(await outcome('scan', fail(new ConfigError(['one', 'two', 'three']))), {
    code: 2,
    err: 'orphand: one (and 2 more: orphand config check)\n',
  });
});

t.test('ORPHAND_DEBUG=1 shows where it failed', async (t) => {
  const { code, err } = await outcome('scan', fail(new Error('no')), { ORPHAND_DEBUG: '1' });
  t.equal(code, 3);
  t.match(err, /internal error: no\n.*\n +at .*main\.test\.ts/);
});

t.test('options that stand for a key reach the configuration, under the name that was typed', async (t) => {
  const line = 'clean --grace-period 1500ms --confirm-after 3s --ports 9000 --ports 8091';
  await outcome(line, async ({ load }) => {
    const { config } = await load();
    t.match(config, {
      gracePeriodMs: 1_500,
      clean: { confirmAfterMs: 3_000 },
      ports: exactly({ port: 8091, service: 'aidb-http' }, { port: 9000 }),
    });
    return 0;
  }).then(({ code, err }) => t.same([code, err], [0, '']));
  const bad = await outcome('clean --confirm-after soon', async ({ load }) => (await load(), 0));
  t.match(bad, { code: 2, err: /^orphand: --confirm-after: "soon" is not a duration/ });
});

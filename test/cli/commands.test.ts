import t from 'tap';
import { commandNamed, commands, globalOptions } from '../../src/cli/commands.ts';
import { commandHelp, overview } from '../../src/cli/help.ts';
import { leafKeys } from '../../src/config/overrides.ts';

const options = [...globalOptions, ...commands.flatMap((command) => command.options)];

t.test('an option takes a value everywhere or nowhere, so that it may come before its command', (t) => {
  for (const { name, value, short } of options) {
    const alike = options.filter((other) => other.name === name);
    t.ok(
      alike.every((other) => (other.value === undefined) === (value === undefined)),
      `--${name}`,
    );
    if (short === undefined) continue;
    t.ok(
      options.every((other) => other.short !== short || other.name === name),
      `-${short} is one option`,
    );
  }
  t.end();
});

t.test('an option that stands for a key of the configuration has its words', (t) => {
  const keys = new Map(leafKeys().map(({ key }) => [key, true]));
  for (const { name, key } of options) {
    if (key === undefined) continue;
    t.ok(keys.has(key), key);
    const last = key.split('.').at(-1) ?? '';
    t.equal(
      name,
      last.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`),
    );
  }
  t.end();
});

t.test('help shows every command, every option and every exit code', (t) => {
  for (const { name, summary, options: own, exit } of commands) {
    t.ok(overview().includes(`${name} `) && overview().includes(summary), name);
    const page = commandHelp(commandNamed(name)!);
    for (const option of [...own, ...globalOptions])
      t.ok(page.includes(`--${option.name}`), `${name} --${option.name}`);
    for (const [code, meaning] of exit)
      t.match(page, new RegExp(`^ +${code} +${meaning.replace(/[()]/g, '.')}$`, 'm'));
  }
  t.end();
});

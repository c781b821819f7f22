import t from 'tap';
import { run } from './program.ts';

const bad: [line: string, message: string][] = [
  ['stop now', '"stop" does not take "now": orphand stop'],
  ['stop --dry-run=1', '--dry-run takes no value'],
  ['stop --suspects', '"stop" has no option "--suspects"'],
  ['stop --ports 8091', '"stop" has no option "--ports"'],
  ['stop --jsn', 'unknown option "--jsn", did you mean "--json"?'],
  ['preflight 8091', '"preflight" does not take "8091": orphand preflight'],
  ['preflight --wait', '--wait needs a value: TIME'],
  ['preflight --wait 1d', '--wait: "1d" is not a duration of at most 24h (such as 500ms, 5s, 2m)'],
  ['preflight --wait=-1s', '--wait: "-1s" is not a duration of at most 24h (such as 500ms, 5s, 2m)'],
  ['preflight --no-clean=x', '--no-clean takes no value'],
  ['preflight --allow-live=x', '--allow-live takes no value'],
  ['preflight --ports 1-70000', '--ports: 70000 is not a port (1-65535)'],
  ['preflight --json -- true', '--json and a command do not go together: both would print'],
  ['history --since', '--since needs a value: WHEN'],
  ['history --since=-1h', '--since: "-1h" is no time (such as 2h, 7d, 2026-11-25, 2026-11-25T08:00:00Z)'],
  ['history 5', '"history" does not take "5": orphand history'],
  ['history -- x', '"history" does not take "x": orphand history'],
  ['doctor --all', '"doctor" has no option "--all"'],
  ['doctor me', '"doctor" does not take "me": orphand doctor'],
  ['init --compose', '--compose needs a value: FILE'],
  ['init -o', '--output needs a value: FILE'],
  ['init --force=1', '--force takes no value'],
  ['completion', '"completion" needs an argument: orphand completion bash|zsh|fish'],
  ['completion tcsh', '"completion" has no "tcsh": orphand completion bash|zsh|fish'],
  ['completion bsh', '"completion" has no "bsh", did you mean "bash"?'],
  ['completion bash zsh', '"completion" does not take "zsh": orphand completion bash|zsh|fish'],
  ['prefligt', 'unknown command "prefligt", did you mean "preflight"?'],
];

t.test('wrong input is one line on standard error that names it, and exit code 2', async (t) => {
  for (const [line, message] of bad) {
    t.same(await run(line.split(' ')), { code: 2, stdout: '', stderr: `orphand: ${message}\n` }, line);
  }
});

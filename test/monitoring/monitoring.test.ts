import { execFileSync, spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import t from 'tap';
import { needs } from '../helpers/needs.ts';

const directory = new URL('../../monitoring/', import.meta.url).pathname;
const metricsSource = readFileSync(new URL('../../src/http/metrics.ts', import.meta.url), 'utf8');

/** The names of orphand's metrics in a text, without the suffixes that a histogram's series have. */
function metricNames(text: string): string[] {
  const names = text.match(/\borphand_[a-z_]+/g) ?? [];
  return [...new Set(names.map((name) => name.replace(/_bucket$/, '')))].sort();
}

t.test('the alert rules are valid and fire when they should, and only then', (t) => {
  if (!needs(t, 'prometheus')) return;
  const check = spawnSync('promtool', ['check', 'rules', 'orphand.rules.yaml'], {
    cwd: directory,
    encoding: 'utf8',
  });
  t.equal(check.status, 0, check.stdout + check.stderr);
  const test = spawnSync('promtool', ['test', 'rules', 'orphand.rules.test.yaml'], {
    cwd: directory,
    encoding: 'utf8',
  });
  t.equal(test.status, 0, test.stdout + test.stderr);
  t.end();
});

for (const file of ['orphand.rules.yaml', 'dashboard.json']) {
  t.test(`${file} names metrics that the daemon has`, (t) => {
    const used = metricNames(readFileSync(`${directory}${file}`, 'utf8'));
    t.ok(used.length > 3);
    for (const name of used) t.match(metricsSource, `'${name}'`);
    t.end();
  });
}

interface Dashboard {
  panels: { title: string; targets: { expr: string }[] }[];
}

t.test('every query of the dashboard is PromQL', (t) => {
  if (!needs(t, 'prometheus')) return;
  const { panels } = JSON.parse(readFileSync(`${directory}dashboard.json`, 'utf8')) as Dashboard;
  const rules = panels.flatMap(({ title, targets }) =>
    targets.map(({ expr }, index) => ({
      record: `panel:${title.replace(/\W/g, '_')}:${index}`,
      expr: expr.replaceAll('$__rate_interval', '5m').replaceAll('$instance', '.*'),
    })),
  );
  const file = `${t.testdir({ 'rules.json': JSON.stringify({ groups: [{ name: 'dashboard', rules }] }) })}/rules.json`;
  t.doesNotThrow(() => execFileSync('promtool', ['check', 'rules', file], { stdio: 'pipe' }));
  t.end();
});

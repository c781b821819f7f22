/** The status page in a real Chromium. */
import { createServer as createHttpServer } from 'node:http';
import { connect, createServer, type AddressInfo, type Server } from 'node:net';
import type { Page } from 'playwright-core';
import t, { type Test } from 'tap';
import { launch } from '../helpers/browser.ts';
import { fakeEngine, sampleCleanReport, sampleEntry } from '../helpers/fake-engine.ts';
import { goodToken, serve } from '../helpers/http-client.ts';
import { needs } from '../helpers/needs.ts';
import {
  liveProcess,
  mixedReport,
  sampleProcess,
  sampleReport,
  stackPorts,
} from '../helpers/sample-report.ts';
import { exactly } from '../helpers/exactly.ts';

/** Everything that the browser complains of: script errors, policy violations, failed loads. */
function complaints(page: Page): string[] {
  const found: string[] = [];
  page.on('pageerror', (error) => found.push(error.message));
  page.on('console', (message) => {
    if (message.type() === 'error' || message.type() === 'warning') found.push(message.text());
  });
  page.on('dialog', (dialog) => {
    found.push(`dialog: ${dialog.message()}`);
    void dialog.dismiss();
  });
  return found;
}

async function listening(t: Test, server: Server): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.teardown(() => server.close());
  return (server.address() as AddressInfo).port;
}

const live = (page: Page) => page.locator('#link[data-state=live]').waitFor();

t.test('without JavaScript the page is a plain table', async (t) => {
  if (!needs(t, 'chromium')) return;
  const { port } = await serve(t);
  const browser = await launch(t);
  const context = await browser.newContext({ javaScriptEnabled: false });
  const page = await context.newPage();
  await page.goto(`http://127.0.0.1:${port}/`);
  const table = page.getByRole('table', { name: 'Watched ports' });
  t.equal(await table.getByRole('row').count(), stackPorts.length + 1);
  t.same(await table.getByRole('columnheader').allTextContents(), [
    'Port',
    'Service',
    'State',
    'Held by, and why',
  ]);
  const row = table.getByRole('row', { name: /^8091/ });
  t.match(await row.innerText(), /aidb-http[\s\S]*orphan[\s\S]*1328823[\s\S]*podman no longer knows it/);
  t.ok(await page.getByText('Without JavaScript this page does not refresh itself').isVisible());
  t.notOk(await page.getByRole('button').first().isVisible(), 'and nothing that would not work');
  t.ok(await page.getByRole('img', { name: /^1 sweep since/ }).isVisible());
});

t.test('it is live: a finding and its end are seen, said, and move nothing else', async (t) => {
  if (!needs(t, 'chromium')) return;
  const calm = sampleReport([liveProcess(22301, 'redis', [6379])]);
  const { port, engine, side } = await serve(t, { engine: fakeEngine(calm) });
  const page = await (await launch(t)).newPage();
  const found = complaints(page);
  await page.goto(`http://localhost:${port}/`);
  await live(page);
  t.equal(await page.getByRole('heading', { level: 1 }).innerText(), '✓ All clear');
  const details = page.locator('details', { hasText: 'local-ai-redis runs' });
  await details.locator('summary').click();
  await details.locator('summary').focus();

  engine.swept(sampleReport([liveProcess(22301, 'redis', [6379]), sampleProcess()]));
  engine.emit({
    type: 'finding',
    finding: { change: 'appeared', at: calm.takenAt, process: sampleProcess(), previous: null },
  });
  await page.getByRole('heading', { level: 1, name: '1 orphan, 1 port held' }).waitFor();
  t.match(await page.title(), /^▲ 1 orphan, 1 port held/);
  t.match(
    await page.getByRole('status').innerText(),
    /^orphan: aidb-http's process 1328823 survived its container/,
  );
  t.match(await page.locator('tbody tr').first().innerText(), /^8091/);
  t.ok(await details.evaluate((element: { open?: boolean }) => element.open), 'what was open stays open');
  t.equal(
    await page.evaluate('document.activeElement.textContent'),
    'local-ai-redis runs: conmon 22300 keeps it',
  );

  engine.swept(calm);
  engine.emit({
    type: 'finding',
    finding: { change: 'gone', at: calm.takenAt, process: sampleProcess(), previous: 'orphan' },
  });
  await page.getByRole('heading', { level: 1, name: 'All clear' }).waitFor();
  await page.getByText('python3, process 1328823, is gone.').waitFor({ state: 'attached' });
  t.same(found, []);

  await side.close(0);
  await page.locator('#link[data-state=lost]').waitFor();
  t.match(await page.locator('#link').innerText(), /connection lost, trying again/);
});

t.test('what a process calls itself is text, whatever it is', async (t) => {
  if (!needs(t, 'chromium')) return;
  const bad = `</script><script>window.pwned=1</script><img src=x onerror="window.pwned=2">"'><svg onload=window.pwned=3>`;
  const hostile = sampleProcess({
    comm: bad,
    cmdline: ['python3', bad],
    cause: bad,
    cgroup: bad,
    evidence: [{ fact: bad, value: bad, source: bad }],
  });
  const { port, engine } = await serve(t, { engine: fakeEngine(sampleReport([hostile])) });
  const page = await (await launch(t)).newPage();
  const found = complaints(page);
  await page.goto(`http://127.0.0.1:${port}/`);
  await live(page);
  await page.locator('.ports details summary').click();
  t.match(
    await page.locator('.ports details').innerText(),
    /<\/script><script>window\.pwned=1/,
    'it is there to read',
  );

  // Through every way into a running page: a fresh view, a finding, a clean-up's answer.
  engine.emit({ type: 'finding', finding: { change: 'appeared', at: '', process: hostile, previous: null } });
  engine.swept(sampleReport([hostile, { ...hostile, pid: 9, ports: [] }]));
  await page.getByRole('heading', { name: 'Without a port' }).waitFor();
  const report = sampleCleanReport(sampleReport([hostile]), { dryRun: true });
  report.actions = [{ ...report.actions[0]!, comm: bad, detail: bad, outcome: 'planned' }];
  engine.state.start = () => ({ started: true, id: 'X', done: Promise.resolve(report) });
  await page.locator('#unlock summary').click();
  await page.getByLabel('Token').fill(goodToken);
  await page.keyboard.press('Enter');
  await page.getByRole('button', { name: 'Plan a clean-up' }).click();
  await page.getByRole('button', { name: 'Plan', exact: true }).click();
  t.match(await page.locator('dialog li').innerText(), /<img src=x/);

  t.equal(await page.evaluate('window.pwned'), undefined);
  t.equal(await page.locator('script').count(), 1);
  t.equal(await page.locator('img').count(), 0);
  t.same(found, []);
  const refused = await page.evaluate(
    `(() => { try { document.body.innerHTML = '<p>'; return 'allowed' } catch (e) { return e.name } })()`,
  );
  t.equal(refused, 'TypeError', 'and no script can make HTML of text (Trusted Types)');
});

t.test('a clean-up over TCP: the token, the plan, then the end', async (t) => {
  if (!needs(t, 'chromium')) return;
  const engine = fakeEngine(mixedReport());
  const { port } = await serve(t, { engine });
  engine.state.start = ({ dryRun }) => {
    const report = sampleCleanReport(mixedReport(), { dryRun });
    for (const action of report.actions) action.outcome = dryRun ? 'planned' : 'terminated';
    return { started: true, id: report.id, done: Promise.resolve(report) };
  };
  const page = await (await launch(t)).newPage();
  await page.goto(`http://127.0.0.1:${port}/`);
  await live(page);
  t.equal(await page.getByRole('button', { name: 'Plan a clean-up' }).count(), 0);
  await page.locator('#unlock summary').click();
  await page.getByLabel('Token').fill('wrong');
  await page.keyboard.press('Enter');
  await page.getByRole('alert').getByText('That is not the token.').waitFor();
  t.equal(await page.getByRole('button', { name: 'Plan a clean-up' }).count(), 0);

  await page.getByLabel('Token').fill(goodToken);
  await page.keyboard.press('Enter');
  await page.getByRole('button', { name: 'Plan a clean-up' }).click();
  const dialog = page.getByRole('dialog');
  t.notOk(
    await dialog.getByRole('button', { name: /^End/ }).isVisible(),
    'nothing can be ended before it is seen',
  );
  await dialog.getByRole('button', { name: 'Plan', exact: true }).click();
  await dialog.getByText('planned python3 1328823 on 8091').waitFor();
  t.match(engine.asked, exactly({ dryRun: true, suspects: false }));
  await dialog.getByLabel('Suspects too').check();
  t.notOk(
    await dialog.getByRole('button', { name: /^End/ }).isVisible(),
    'another question needs another plan',
  );
  await dialog.getByRole('button', { name: 'Plan', exact: true }).click();
  await dialog.getByRole('button', { name: 'End these 2 processes' }).click();
  await dialog.getByText('terminated python3 1328823').waitFor();
  t.match(
    engine.asked.slice(1),
    exactly({ dryRun: true, suspects: true }, { dryRun: false, suspects: true }),
  );
  t.notOk(await dialog.getByRole('button', { name: /^End/ }).isVisible());

  engine.state.start = () => ({ started: false, reason: 'running', id: 'OTHER' });
  await dialog.getByRole('button', { name: 'Plan', exact: true }).click();
  await dialog.getByText('Clean-up OTHER runs.').waitFor();
  await dialog.getByRole('button', { name: 'Close' }).click();
  engine.emit({ type: 'cleanup', cleanup: sampleEntry(), report: undefined });
  await page.getByText('The clean-up is done.').waitFor({ state: 'attached' });
  t.ok(
    await page.getByRole('button', { name: 'Plan a clean-up' }).isVisible(),
    'a fresh view keeps the right',
  );
  await page.reload();
  await live(page);
  t.equal(
    await page.getByRole('button', { name: 'Plan a clean-up' }).count(),
    0,
    'and a new page has lost it',
  );
});

t.test('over a forwarded unix socket (ssh -L) the button is there, for who may connect', async (t) => {
  if (!needs(t, 'chromium')) return;
  const engine = fakeEngine(mixedReport());
  const { socket } = await serve(t, { engine });
  engine.state.start = ({ dryRun }) => ({
    started: true,
    id: 'X',
    done: Promise.resolve(sampleCleanReport(mixedReport(), { dryRun })),
  });
  const forward = createServer((client) => {
    const through = connect({ path: socket });
    client.pipe(through).pipe(client);
    client.on('error', () => through.destroy());
    through.on('error', () => client.destroy());
  });
  const port = await listening(t, forward);
  const page = await (await launch(t)).newPage();
  const found = complaints(page);
  await page.goto(`http://localhost:${port}/`);
  await live(page);
  t.equal(await page.getByLabel('Token').count(), 0);
  await page.getByRole('button', { name: 'Plan a clean-up' }).click();
  await page.getByRole('button', { name: 'Plan', exact: true }).click();
  await page.locator('dialog li').first().waitFor();
  t.match(engine.asked, exactly({ dryRun: true, by: /^uid \d+, pid \d+$/ }));
  t.same(found, []);
});

t.test(
  'a page of another site can read nothing and start nothing, the forwarded socket included',
  async (t) => {
    if (!needs(t, 'chromium')) return;
    const engine = fakeEngine(mixedReport());
    const { port, socket } = await serve(t, { engine });
    const forward = createServer((client) => {
      const through = connect({ path: socket });
      client.pipe(through).pipe(client);
      client.on('error', () => through.destroy());
      through.on('error', () => client.destroy());
    });
    const forwarded = await listening(t, forward);
    const evil = createHttpServer((_request, response) => {
      response.setHeader('content-type', 'text/html').end('<!doctype html><title>evil</title><body>');
    });
    const evilPort = await listening(t, evil);
    const browser = await launch(t);
    const page = await browser.newPage();
    // Another origin of the same site, the closest that another page can get.
    await page.goto(`http://127.0.0.1:${evilPort}/`);
    for (const target of [`http://127.0.0.1:${port}`, `http://localhost:${forwarded}`]) {
      const attempts = await page.evaluate<string[]>(`(async () => {
      const target = ${JSON.stringify(target)};
      const body = '{"dryRun":false}';
      const attempt = (promise) => promise.then(async (r) => r.type + ' ' + r.status + ' ' + (await r.text()).length, (e) => e.name);
      const stream = await new Promise((resolve) => {
        const events = new EventSource(target + '/api/v1/events');
        events.onopen = () => resolve('open');
        events.onerror = () => { events.close(); resolve('refused'); };
      });
      return [
        await attempt(fetch(target + '/api/v1/scan')),
        await attempt(fetch(target + '/api/v1/cleanups', { method: 'POST', headers: { 'content-type': 'application/json' }, body })),
        await attempt(fetch(target + '/api/v1/cleanups', { method: 'POST', mode: 'no-cors', body })),
        await attempt(fetch(target + '/api/v1/scans', { method: 'POST', mode: 'no-cors' })),
        stream,
      ];
    })()`);
      t.same(attempts, ['TypeError', 'TypeError', 'TypeError', 'TypeError', 'refused'], target);
      const form = await browser.newPage();
      await form.goto(`http://127.0.0.1:${evilPort}/`);
      const answer = form.waitForResponse((response) => response.url().startsWith(target));
      await form.evaluate(`(() => {
      const form = document.createElement('form');
      Object.assign(form, { method: 'POST', action: ${JSON.stringify(target)} + '/api/v1/cleanups', enctype: 'text/plain' });
      document.body.append(form); form.submit(); })()`);
      t.equal((await answer).status(), 403, `${target}: a form`);
      await form.close();
    }
    await page.setContent(`<iframe src="http://127.0.0.1:${port}/"></iframe>`);
    const frame = page.frames().at(-1)!;
    t.notMatch(await frame.content(), /Watched ports/, 'nor is it to be framed');
    t.same(engine.asked, []);
  },
);

t.test('at 360 px and 1280 px, light and dark: nothing sticks out, everything can be read', async (t) => {
  if (!needs(t, 'chromium')) return;
  const report = mixedReport();
  report.processes[0]!.cmdline = ['x'.repeat(900)];
  report.processes[0]!.comm = 'c'.repeat(15);
  const engine = fakeEngine(report);
  engine.state.cleanups = [
    sampleEntry(),
    sampleEntry({ id: 'B', ok: false }),
    sampleEntry({ id: 'C', state: 'failed', error: 'EIO' }),
  ];
  const { port } = await serve(t, { engine });
  const browser = await launch(t);
  for (const width of [360, 1280]) {
    for (const colorScheme of ['light', 'dark'] as const) {
      const page = await browser.newPage({ viewport: { width, height: 800 }, colorScheme });
      await page.goto(`http://127.0.0.1:${port}/`);
      await live(page);
      for (const summary of await page.locator('details > summary').all()) await summary.click();
      const name = `${width} px, ${colorScheme}`;
      const { over, faint } = await page.evaluate<{ over: number; faint: string[] }>(contrast);
      t.equal(over, 0, `${name}: no sideways scrolling`);
      t.same(faint, [], `${name}: contrast of at least 4.5 (WCAG AA)`);
      await page.close();
    }
  }
});

t.test('the API is described at /docs, by files of this origin alone', async (t) => {
  if (!needs(t, 'chromium')) return;
  const { port } = await serve(t);
  const page = await (await launch(t)).newPage();
  const found = complaints(page);
  const elsewhere: string[] = [];
  page.on('request', (request) => {
    if (!request.url().startsWith(`http://127.0.0.1:${port}/`) && !request.url().startsWith('data:')) {
      elsewhere.push(request.url());
    }
  });
  await page.goto(`http://127.0.0.1:${port}/docs/`);
  await page.getByText('/api/v1/cleanups/{id}').first().click();
  await page.getByText('The same object as').first().waitFor();
  t.same(elsewhere, []);
  t.same(found, []);
});

// Runs in the page: every text against what is behind it.
const contrast = `(() => {
  const parse = (text) => (text.match(/[\\d.]+/g) ?? []).map(Number);
  const luminance = ([r, g, b]) => [r, g, b].map((v) => v / 255).map((v) => (v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4))
    .reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
  const behind = (node) => {
    for (let at = node; at; at = at.parentElement) {
      const colour = parse(getComputedStyle(at).backgroundColor);
      if (colour.length === 3 || colour[3] === 1) return colour;
    }
    return [255, 255, 255];
  };
  const faint = new Set();
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const element = walker.currentNode.parentElement;
    if (walker.currentNode.data.trim() === '' || element.closest('script,style,noscript,title') || !element.checkVisibility()) continue;
    const [one, other] = [luminance(parse(getComputedStyle(element).color)), luminance(behind(element))].sort((a, b) => b - a);
    const ratio = (one + 0.05) / (other + 0.05);
    if (ratio < 4.5) faint.add(ratio.toFixed(2) + ' ' + walker.currentNode.data.trim().slice(0, 40));
  }
  return { over: document.documentElement.scrollWidth - innerWidth, faint: [...faint] };
})()`;

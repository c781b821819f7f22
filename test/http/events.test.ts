import { createServer, get, type IncomingMessage } from 'node:http';
import { connect, type AddressInfo } from 'node:net';
import t, { type Test } from 'tap';
import { createEventHub } from '../../src/http/events.ts';
import { defaultLimits } from '../../src/http/limits.ts';
import { fakeEngine, sampleEntry, sampleSweep } from '../helpers/fake-engine.ts';
import { ask, serve } from '../helpers/http-client.ts';
import { mixedReport, sampleProcess } from '../helpers/sample-report.ts';

/** An open stream and what has come of it. */
class Stream {
  text = '';
  ended = false;
  readonly response: IncomingMessage;
  #changed: () => void = () => undefined;

  constructor(response: IncomingMessage) {
    this.response = response;
    response.setEncoding('utf8').on('data', (chunk: string) => {
      this.text += chunk;
      this.#changed();
    });
    response.on('error', () => undefined);
    response.on('close', () => {
      this.ended = true;
      this.#changed();
    });
  }

  /** Waits until the text matches, or the stream ended. */
  async until(pattern: RegExp): Promise<RegExpExecArray | null> {
    for (;;) {
      const match = pattern.exec(this.text);
      if (match !== null || this.ended) return match;
      await new Promise<void>((resolve) => (this.#changed = resolve));
    }
  }

  async end(): Promise<void> {
    while (!this.ended) await new Promise<void>((resolve) => (this.#changed = resolve));
  }
}

function open(t: Test, port: number, headers: Record<string, string> = {}): Promise<Stream> {
  return new Promise((resolve, reject) => {
    const request = get(
      {
        host: '127.0.0.1',
        port,
        path: '/api/v1/events',
        agent: false,
        headers: { host: `127.0.0.1:${port}`, ...headers },
      },
      (response) => {
        resolve(new Stream(response));
      },
    );
    request.on('error', reject);
    t.teardown(() => request.destroy());
  });
}

const report = mixedReport();
const sweepEvent = { type: 'sweep', sweep: sampleSweep(report), report } as const;

t.test('sweeps, findings and clean-ups arrive as they happen', async (t) => {
  const { port, engine } = await serve(t);
  const stream = await open(t, port);
  t.match(stream.response, {
    statusCode: 200,
    headers: { 'content-type': /^text\/event-stream/, 'cache-control': 'no-store' },
  });
  await stream.until(/^retry: \d+\n\n/);
  engine.emit(sweepEvent);
  engine.emit({
    type: 'finding',
    finding: {
      change: 'appeared',
      at: report.takenAt,
      process: sampleProcess({ comm: 'a\nevent: fake\ndata: b' }),
      previous: null,
    },
  });
  engine.emit({ type: 'supervisor-death', pid: 7, comm: 'conmon' });
  engine.emit({ type: 'cleanup', cleanup: sampleEntry(), report: undefined });
  await stream.until(/event: cleanup\ndata: .*\n\n/);
  const events = [...stream.text.matchAll(/^id: (\w+)-(\d+)\nevent: (\w+)\ndata: (.*)\n\n/gm)];
  t.same(
    events.map(([, , number, name]) => [number, name]),
    [
      ['1', 'sweep'],
      ['2', 'finding'],
      ['3', 'cleanup'],
    ],
    'and no others',
  );
  t.same(JSON.parse(events[0]![4]!), sampleSweep(report));
  t.match(JSON.parse(events[1]![4]!), {
    change: 'appeared',
    process: { pid: 1328823, verdict: 'orphan', comm: 'a\nevent: fake\ndata: b' },
  });
  t.notMatch(events[1]![4], /cmdline|evidence/, 'a finding is short');
  t.same(JSON.parse(events[2]![4]!), sampleEntry());
});

t.test('a silent stream has a heartbeat', async (t) => {
  const { port } = await serve(t, { limits: { heartbeatMs: 20 } });
  const stream = await open(t, port);
  t.ok(await stream.until(/\n: still here\n\n(.|\n)*\n: still here\n\n/));
});

t.test('a reader that comes back gets what it missed, one of another life does not', async (t) => {
  const { port, engine } = await serve(t, { limits: { eventsKept: 3 } });
  const first = await open(t, port);
  engine.emit(sweepEvent);
  const [, life] = (await first.until(/id: (\w+)-1\n/))!;
  first.response.destroy();
  for (let index = 0; index < 4; index += 1) engine.emit(sweepEvent);
  let readers = 0;
  const ids = async (lastEventId: string) => {
    const stream = await open(t, port, { 'last-event-id': lastEventId });
    const id = `MARK${(readers += 1)}`;
    engine.emit({ type: 'cleanup', cleanup: sampleEntry({ id }), report: undefined });
    await stream.until(new RegExp(`"${id}".*\n\n`));
    return [...stream.text.matchAll(/id: \w+-(\d+)/g)].map((match) => Number(match[1]));
  };
  t.same(await ids(`${life}-4`), [5, 6], 'the missed one, then the new one');
  t.same(await ids(`${life}-1`), [4, 5, 6, 7], 'as far as they are kept');
  t.same(await ids('00000000-1'), [8]);
  t.same(await ids('nonsense'), [9]);
  t.same(await ids(`${life}-x`), [10]);
});

t.test('a reader that does not read is dropped at the bound, and the others go on', async (t) => {
  const engine = fakeEngine(report);
  const bound = 65_536;
  const drops: number[] = [];
  const limits = { ...defaultLimits, streamBufferBytes: bound };
  const hub = createEventHub(engine, limits, (unread) => drops.push(unread));
  const server = createServer((_request, response) => {
    hub.open(response, undefined);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  t.teardown(() => {
    hub.close();
    server.closeAllConnections();
    server.close();
  });
  const reader = await open(t, port);
  const deaf = connect({ host: '127.0.0.1', port });
  t.teardown(() => deaf.destroy());
  deaf.on('error', () => undefined).pause();
  deaf.write('GET /api/v1/events HTTP/1.1\r\nhost: x\r\n\r\n');
  while (hub.count() < 2) await new Promise((resolve) => setImmediate(resolve));

  const big = sampleEntry({ error: 'x'.repeat(60_000) });
  // The kernel takes some megabytes before anything stays here.
  for (let sent = 0; drops.length === 0 && sent < 1_000; sent += 1) {
    engine.emit({ type: 'cleanup', cleanup: big, report: undefined });
    await new Promise((resolve) => setImmediate(resolve));
  }
  t.equal(drops.length, 1, 'dropped, once');
  t.ok(
    drops[0]! > bound && drops[0]! < bound + 70_000,
    `with ${drops[0]} unread bytes: at most one event over the bound`,
  );
  t.equal(hub.count(), 1);
  engine.emit(sweepEvent);
  t.ok(await reader.until(/event: sweep\n/), 'the one that reads has everything');
  t.equal(engine.listeners(), 1, 'one subscription for all streams');
});

t.test('more streams than allowed are refused, and room is used again', async (t) => {
  const { port } = await serve(t, { limits: { maxStreams: 2 } });
  const one = await open(t, port);
  await open(t, port);
  const third = await ask({ to: port, path: '/api/v1/events' });
  t.match(third, { status: 503, json: { code: 'too-many-streams' }, headers: { 'retry-after': '5' } });
  one.response.destroy();
  const again = async (): Promise<number | undefined> => {
    const { response } = await open(t, port);
    return response.statusCode === 200 ? 200 : again();
  };
  t.equal(await again(), 200);
});

t.test('closing ends the streams and the subscription', async (t) => {
  const engine = fakeEngine(report);
  const { port, side } = await serve(t, { engine });
  const stream = await open(t, port);
  await side.close(0);
  await stream.end();
  t.equal(engine.listeners(), 0);
});

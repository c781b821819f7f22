/** Server-sent events (HTML standard, section 9.2): one hub for all streams, each with a bound of its own. */
import { randomBytes } from 'node:crypto';
import type { ServerResponse } from 'node:http';
import type { Engine, EngineEvent, Finding } from './engine.ts';
import { strictHeaders } from './headers.ts';
import type { Limits } from './limits.ts';

/** All open event streams. */
export interface EventHub {
  /** Whether as many streams are open as may be. */
  isFull(): boolean;
  /** Takes over a response. `lastEventId`: what a returning reader has seen. */
  open(response: ServerResponse, lastEventId: string | undefined): void;
  /** How many are open. */
  count(): number;
  /** Ends every stream and the subscription. */
  close(): void;
}

/** Subscribes to the engine once, for all streams. `dropped` is told of each reader that was too slow. */
export function createEventHub(
  engine: Pick<Engine, 'subscribe'>,
  limits: Pick<Limits, 'maxStreams' | 'streamBufferBytes' | 'heartbeatMs' | 'eventsKept'>,
  dropped: (unreadBytes: number) => void,
): EventHub {
  const streams = new Set<ServerResponse>();
  // Ids of another life of the daemon must not match: nothing is replayed by mistake.
  const life = randomBytes(4).toString('hex');
  const kept: { sequence: number; text: string }[] = [];
  let sequence = 0;

  const send = (stream: ServerResponse, text: string) => {
    stream.write(text);
    // What the kernel does not take stays in this process: a reader that does not read is let go, not waited for.
    if (stream.writableLength > limits.streamBufferBytes) {
      dropped(stream.writableLength);
      streams.delete(stream);
      stream.destroy();
    }
  };

  const unsubscribe = engine.subscribe((event) => {
    const message = messageOf(event);
    if (message === undefined) return;
    sequence += 1;
    // JSON.stringify leaves no line break in it, so one data line is enough.
    const text = `id: ${life}-${sequence}\nevent: ${message.event}\ndata: ${JSON.stringify(message.data)}\n\n`;
    kept.push({ sequence, text });
    if (kept.length > limits.eventsKept) kept.shift();
    for (const stream of streams) send(stream, text);
  });

  return {
    isFull: () => streams.size >= limits.maxStreams,
    open(response, lastEventId) {
      response.writeHead(200, {
        ...strictHeaders,
        'content-type': 'text/event-stream; charset=utf-8',
        connection: 'close',
        'x-accel-buffering': 'no',
      });
      streams.add(response);
      const heartbeat = setInterval(() => {
        if (streams.has(response)) send(response, ': still here\n\n');
      }, limits.heartbeatMs);
      heartbeat.unref();
      response.on('close', () => {
        clearInterval(heartbeat);
        streams.delete(response);
      });
      response.on('error', () => {
        streams.delete(response);
      });
      const [seenLife, seen] = lastEventId?.split('-') ?? [];
      const missed = seenLife === life ? kept.filter((event) => event.sequence > Number(seen)) : [];
      send(response, `retry: 3000\n\n${missed.map((event) => event.text).join('')}`);
    },
    count: () => streams.size,
    close() {
      unsubscribe();
      for (const stream of streams) stream.end();
      streams.clear();
    },
  };
}

/** What a stream says of an event; undefined: nothing. Reports are left out: they are at /api/v1/scan. */
function messageOf(event: EngineEvent): { event: string; data: unknown } | undefined {
  switch (event.type) {
    case 'sweep':
      return { event: 'sweep', data: event.sweep };
    case 'finding':
      return { event: 'finding', data: findingOf(event.finding) };
    case 'cleanup':
      return { event: 'cleanup', data: event.cleanup };
    case 'supervisor-death':
    case 'status':
      return undefined;
  }
}

function findingOf({ change, at, previous, process }: Finding): object {
  const { pid, startTime, comm, user, container, ports, verdict, reason, cause } = process;
  return {
    change,
    at,
    previous,
    process: { pid, startTime, comm, user, container, ports, verdict, reason, cause },
  };
}

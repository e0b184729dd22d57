import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';

import type { WireEvent } from '../../../src/providers/port/adapter.ts';
import { createFraming } from '../../../src/upstream/exchange/framing.ts';
import type { Transport } from '../../../src/core/transport.ts';
import { system } from '../../../src/system.ts';
import { createUndiciTransport } from '../../../src/upstream/network/undici-transport.ts';
import { cutBytes, startReplayServer } from '../../support/replay-server.ts';
import type { ReplayServer } from '../../support/replay-server.ts';
import { mulberry32 } from '../../support/virtual-runtime.ts';
import { record } from '../head/http-recorder.ts';

const FOLDER = fileURLToPath(new URL('../../../../shared/fixtures/recorded/', import.meta.url));

const Stream = z.object({
  id: z.string(),
  kind: z.enum(['sse', 'ndjson']),
  status: z.number(),
  headers: z.record(z.string(), z.string()),
  body: z.string(),
  expect: z.object({ chunks: z.number() }),
});

const streams = existsSync(FOLDER)
  ? readdirSync(FOLDER)
      .map((name) => Stream.safeParse(JSON.parse(readFileSync(FOLDER + name, 'utf8'))))
      .flatMap((parsed) => (parsed.success ? [parsed.data] : []))
  : [];

function isCounted(event: WireEvent): boolean {
  return event.data !== '[DONE]';
}

describe.skipIf(streams.length === 0)('recorded streams (skipped where ../shared/fixtures is absent)', () => {
  let server: ReplayServer;
  let transport: Transport;

  beforeAll(async () => {
    server = await startReplayServer({ seed: 5 });
    transport = createUndiciTransport(system);
  });

  afterAll(async () => {
    await transport.close();
    await server.close();
  });

  it('are enough to mean something', () => {
    expect(streams.filter(({ kind }) => kind === 'sse').length).toBeGreaterThan(50);
    expect(streams.filter(({ kind }) => kind === 'ndjson').length).toBeGreaterThan(3);
  });

  it.each(streams)('$id has the events that its oracle counts, cut anywhere', ({ kind, body, expect: oracle }) => {
    const framing = createFraming(kind);
    const pieces = cutBytes(Buffer.from(body), mulberry32(oracle.chunks), 60);
    const events = pieces.flatMap((piece) => framing.push(piece)).concat(framing.end());
    expect(events.filter((event) => isCounted(event))).toHaveLength(oracle.chunks);
    expect(framing.endedWithinEvent).toBe(false);
  });

  it.each(streams.filter((_stream, index) => index % 20 === 0))(
    '$id comes through sockets unchanged',
    async (stream) => {
      server.enqueue(stream);
      const sent = record(transport, `${server.origin}/replay`);
      const { body, pieces } = await sent.outcome;
      expect(body).toBe(stream.body);
      expect(pieces).toBeGreaterThan(1);
      expect(await sent.headers).toMatchObject({ status: stream.status });
    },
  );

  it('are chosen by path where nothing is queued', async () => {
    server.route('/a', { status: 200, headers: {}, body: 'short prefix' });
    server.route('/a/b', { status: 201, headers: { 'x-a': '1' }, body: 'long prefix' });
    expect((await record(transport, `${server.origin}/a/b/c`).outcome).body).toBe('long prefix');
    expect((await record(transport, `${server.origin}/a/c`).outcome).body).toBe('short prefix');
    expect(await record(transport, `${server.origin}/other`).headers).toMatchObject({ status: 404 });
  });
});

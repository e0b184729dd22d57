import { gzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';

import { ANSWERED, chaosStage, OTHER, WHOLE } from '../support/chaos-stage.ts';
import type { ChaosStep } from '../support/chaos-upstream.ts';
import { chunk, head, lastChunk, respond, send } from '../support/chaos-upstream.ts';
import type { Question } from '../support/failover-stage.ts';
import { chaosUpstream } from '../support/failover-stage.ts';
import { completion, ROLE_EVENT, STREAM_END, textEvent } from '../support/openai-bodies.ts';
import type { Way } from '../support/ways.ts';
import { askIn, WAYS } from '../support/ways.ts';

const BODY = [ROLE_EVENT, textEvent(WHOLE), STREAM_END].join('');
const JSON_BODY = completion(WHOLE);
const JSON_TYPE = { 'content-type': 'application/json' };
const CODED = { 'content-type': 'text/event-stream', 'transfer-encoding': 'chunked' };
const UNTIL_GONE: ChaosStep = { do: 'await_close' };
const SIZE = Buffer.byteLength(JSON_BODY);

/** Answers that are no answers, and what their attempts are told to have met. */
const BROKEN: readonly {
  readonly name: string;
  readonly steps: readonly ChaosStep[];
  readonly outcome: string;
  readonly isRepeated?: boolean;
  /** Then it is not where the answer was asked for as JSON: it may be paid. */
  readonly isBehindHead?: boolean;
}[] = [
  { name: 'a status of 204', steps: [head(204)], outcome: 'PROVIDER_PROTOCOL_ERROR' },
  { name: 'a 200 with HTML', steps: [respond(200, 'text/html', '<html>')], outcome: 'PROVIDER_PROTOCOL_ERROR' },
  {
    name: 'a 200 with plain text',
    steps: [respond(200, 'text/plain', 'Sign in, please')],
    outcome: 'PROVIDER_PROTOCOL_ERROR',
  },
  {
    name: 'a 200 with an empty JSON body',
    steps: [respond(200, 'application/json', '')],
    outcome: 'PROVIDER_PROTOCOL_ERROR',
  },
  {
    name: 'a flood of interim answers',
    steps: Array.from({ length: 50 }, () => send('HTTP/1.1 103 Early Hints\r\n\r\n')),
    outcome: 'PROVIDER_PROTOCOL_ERROR',
  },
  {
    name: 'a body longer than its length',
    steps: [head(200, { ...JSON_TYPE, 'content-length': SIZE - 9 }), send(JSON_BODY)],
    outcome: 'PROVIDER_PROTOCOL_ERROR',
  },
  {
    name: 'a body shorter than its length',
    steps: [head(200, { ...JSON_TYPE, 'content-length': SIZE + 9 }), send(JSON_BODY), { do: 'end' }],
    outcome: 'PROVIDER_UNAVAILABLE',
    isRepeated: true,
    isBehindHead: true,
  },
  {
    name: 'two lengths that differ',
    steps: [head(200, { ...JSON_TYPE, 'content-length': `${SIZE}\r\ncontent-length: 7` }), send(JSON_BODY), UNTIL_GONE],
    outcome: 'PROVIDER_UNAVAILABLE',
    isRepeated: true,
  },
  {
    name: 'a negative length',
    steps: [head(200, { ...JSON_TYPE, 'content-length': -1 }), send(JSON_BODY), UNTIL_GONE],
    outcome: 'PROVIDER_PROTOCOL_ERROR',
  },
  {
    name: 'a length and chunks',
    steps: [head(200, { ...CODED, 'content-length': 7 }), chunk(BODY), lastChunk, UNTIL_GONE],
    outcome: 'PROVIDER_PROTOCOL_ERROR',
  },
  {
    name: 'a header of 1 MiB',
    steps: [head(200, { ...JSON_TYPE, 'x-long': 'a'.repeat(1024 * 1024) }), send(JSON_BODY), UNTIL_GONE],
    outcome: 'PROVIDER_PROTOCOL_ERROR',
  },
  {
    name: 'a header line that is none',
    steps: [send('HTTP/1.1 200 OK\r\nno colon here\r\n\r\n'), UNTIL_GONE],
    outcome: 'PROVIDER_PROTOCOL_ERROR',
  },
  { name: 'HTTP/3.7', steps: [send('HTTP/3.7 200 OK\r\n\r\n'), UNTIL_GONE], outcome: 'PROVIDER_PROTOCOL_ERROR' },
  {
    // undici closes the connection, though HTTP would have clients overlook it.
    name: 'a 100 Continue that nobody asked for',
    steps: [send('HTTP/1.1 100 Continue\r\n\r\n'), ...ANSWERED],
    outcome: 'PROVIDER_UNAVAILABLE',
    isRepeated: true,
  },
  {
    name: 'a switch to another protocol',
    steps: [head(101, { upgrade: 'websocket', connection: 'upgrade' }), UNTIL_GONE],
    outcome: 'PROVIDER_UNAVAILABLE',
    isRepeated: true,
  },
  {
    name: 'a bomb of gzip',
    steps: [
      head(200, { ...CODED, 'content-encoding': 'gzip' }),
      chunk(gzipSync(Buffer.alloc(64 * 1024 * 1024, 10))),
      UNTIL_GONE,
    ],
    outcome: 'PROVIDER_PROTOCOL_ERROR',
  },
  {
    name: 'gzip that is cut off',
    steps: [head(200, { ...CODED, 'content-encoding': 'gzip' }), chunk(gzipSync(BODY).subarray(0, 40)), lastChunk],
    outcome: 'PROVIDER_UNAVAILABLE',
    isRepeated: true,
    isBehindHead: true,
  },
  {
    name: 'gzip that is none',
    steps: [head(200, { ...CODED, 'content-encoding': 'gzip' }), chunk(BODY), UNTIL_GONE],
    outcome: 'PROVIDER_PROTOCOL_ERROR',
  },
  {
    name: 'a coding that nobody knows',
    steps: [head(200, { ...CODED, 'content-encoding': 'rot13' }), chunk(BODY), UNTIL_GONE],
    outcome: 'PROVIDER_PROTOCOL_ERROR',
  },
  {
    name: 'JSON of 40 MB',
    steps: [
      head(200, { ...JSON_TYPE, 'content-length': 40 * 1024 * 1024 }),
      ...Array.from({ length: 40 }, () => send(Buffer.alloc(1024 * 1024, 32))),
      UNTIL_GONE,
    ],
    outcome: 'PROVIDER_PROTOCOL_ERROR',
  },
];

/** Answers that are unusual, but answers. */
const ODD: readonly { readonly name: string; readonly steps: readonly ChaosStep[] }[] = [
  {
    name: 'a few interim answers',
    steps: [
      send('HTTP/1.1 102 Processing\r\n\r\n'),
      send('HTTP/1.1 103 Early Hints\r\nlink: </x>\r\n\r\n'),
      ...ANSWERED,
    ],
  },
  {
    name: 'headers that come twice',
    steps: [
      head(200, { ...JSON_TYPE, 'x-request-id': 'a\r\nx-request-id: b', 'content-length': SIZE }),
      send(JSON_BODY),
    ],
  },
  {
    name: 'a content-type that comes twice',
    steps: [
      head(200, { 'content-type': 'application/json\r\ncontent-type: application/json', 'content-length': SIZE }),
      send(JSON_BODY),
    ],
  },
  {
    name: 'a content-type with parameters and capitals',
    steps: [
      head(200, { 'Content-Type': 'Text/Event-Stream; Charset=UTF-8', 'transfer-encoding': 'chunked' }),
      chunk(BODY),
      lastChunk,
    ],
  },
  {
    name: 'chunks with extensions and trailers',
    steps: [
      head(200, CODED),
      send(`${Buffer.byteLength(BODY).toString(16)};a=b\r\n${BODY}\r\n0\r\nx-trailer: c\r\n\r\n`),
    ],
  },
  {
    name: 'HTTP/1.0',
    steps: [send('HTTP/1.0 200 OK\r\ncontent-type: text/event-stream\r\n\r\n'), send(BODY), { do: 'end' }],
  },
  {
    name: 'a status without a text',
    steps: [
      send(`HTTP/1.1 200 \r\ncontent-type: application/json\r\ncontent-length: ${SIZE}\r\n\r\n`),
      send(JSON_BODY),
    ],
  },
  { name: 'a 201', steps: [respond(201, 'application/json', JSON_BODY)] },
];

/** A short answer is asked for whole, as JSON; what comes as a stream is read all the same. */
const SHORT: Question = { options: { maxTokens: 2 } };
const ASKED: readonly { readonly name: string; readonly way: Way; readonly question?: Question }[] = [
  ...WAYS.map((way) => ({ name: way, way })),
  { name: 'Chat for a short answer', way: 'Chat', question: SHORT },
];

describe.each(ASKED)('$name', ({ way, question }) => {
  test.each(BROKEN)(
    '$name is no answer: the second target gives one',
    async ({ steps, outcome, isRepeated = false, isBehindHead = false }) => {
      const { lead, gateway, leadHealth } = await chaosStage({ timeouts: { first_output: '60s' } });
      const isAskedAgain = isRepeated && !(isBehindHead && question === SHORT);
      const calls = isAskedAgain ? 2 : 1;
      for (let count = 0; count < calls; count += 1) lead.script(...steps);
      const { trail, delivered } = await askIn(gateway, way, question);
      const again = isAskedAgain ? [`RETRY lead ${outcome}`] : [];
      expect(trail).toEqual([`FIRST lead ${outcome}`, ...again, 'FAILOVER second OK']);
      expect(delivered).toBe(OTHER);
      expect(lead.requestCount).toBe(calls);
      expect((await leadHealth()).failures).toBe(BigInt(calls));
    },
  );

  test.each(ODD)('$name is an answer', async ({ steps }) => {
    const { lead, gateway } = await chaosStage();
    lead.script(...steps);
    const { trail, delivered } = await askIn(gateway, way, question);
    expect([trail, delivered]).toEqual([['FIRST lead OK'], WHOLE]);
  });

  test.each([301, 302, 303, 307, 308])('a redirect with %i is not followed', async (status) => {
    const { lead, gateway } = await chaosStage();
    const elsewhere = await chaosUpstream();
    lead.script(head(status, { location: `${elsewhere.origin}/v1/chat/completions`, 'content-length': 0 }));
    const { trail, delivered } = await askIn(gateway, way, question);
    expect(trail).toEqual(['FIRST lead PROVIDER_PROTOCOL_ERROR', 'FAILOVER second OK']);
    expect(delivered).toBe(OTHER);
    expect(elsewhere.connectionCount).toBe(0);
  });

  test('a connection that is closed while it idles costs no failover', async () => {
    const { lead, gateway, leadHealth } = await chaosStage();
    lead.script(...ANSWERED, { do: 'end' });
    await askIn(gateway, way, question);
    await lead.allClosed();
    lead.script(...ANSWERED);
    const { delivered } = await askIn(gateway, way, question);
    expect(delivered).toBe(WHOLE);
    expect((await leadHealth()).failures).toBe(0n);
  });
});

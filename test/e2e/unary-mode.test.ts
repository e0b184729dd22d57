import { describe, expect, test } from 'vitest';

import { LlmService } from '../../gen/understudy/v1/llm_pb.ts';
import type { ChaosStep } from '../support/chaos-upstream.ts';
import { chunk, head, send } from '../support/chaos-upstream.ts';
import { RESET } from '../support/early-faults.ts';
import { requestOf, stage } from '../support/failover-stage.ts';
import { goodAnswer, ROLE_EVENT, STREAM_HEAD, textEvent } from '../support/openai-bodies.ts';
import { rpcError, trailOf } from '../support/rpc-error.ts';
import { textOf } from '../support/stream-text.ts';
import { REAL_TIME } from '../support/real-time.ts';

describe('a target that a person has set to', () => {
  test('JSON gives a stream its answer all the same', async () => {
    const { lead, gateway } = await stage({ lead: { upstream_mode: 'JSON' } });
    lead.script(...goodAnswer(false, 'To be, or not to be'));
    const stream = gateway.client.stream(LlmService.method.streamChat, requestOf());
    await stream.done;
    expect(textOf(stream.received)).toBe('To be, or not to be');
    expect(stream.received.map(({ event }) => event.case)).toEqual([
      'started',
      'textDelta',
      'partFinished',
      'finished',
    ]);
    expect((await lead.request(0)).body).not.toContain('"stream":true');
  });

  test('STREAM is asked for one, however short the answer is', async () => {
    const { lead, gateway } = await stage({ lead: { upstream_mode: 'STREAM' } });
    lead.script(...goodAnswer(true, 'To be'));
    const answer = await gateway.client.call(LlmService.method.chat, requestOf({ options: { maxTokens: 5 } }));
    expect(answer).toMatchObject({ text: 'To be', target: 'lead' });
    expect((await lead.request(0)).body).toContain('"stream":true');
  });
});

describe('a whole answer', () => {
  test.each([
    { name: 'without a limit', options: {}, streams: true },
    { name: 'of more than 256 tokens', options: { maxTokens: 257 }, streams: true },
    { name: 'of at most 256 tokens', options: { maxTokens: 256 }, streams: false },
  ])('$name is asked for as a stream: $streams', async ({ options, streams }) => {
    const { lead, gateway } = await stage();
    lead.script(...goodAnswer(streams, 'To be, or not to be'));
    const answer = await gateway.client.call(LlmService.method.chat, requestOf({ options }));
    const body: unknown = JSON.parse((await lead.request(0)).body);
    expect(body).toMatchObject(streams ? { stream: true } : {});
    expect(JSON.stringify(body).includes('"stream":true')).toBe(streams);
    expect(answer).toMatchObject({ text: 'To be, or not to be', tokensUsed: 12, target: 'lead' });
    expect(answer.attempts[0]?.firstOutputMs).toBeGreaterThan(0);
  });

  test('that breaks off is thrown away, priced, and begun afresh by the next target', async () => {
    const { lead, gateway } = await stage();
    lead.script(STREAM_HEAD, chunk(ROLE_EVENT), chunk(textEvent('To be, or')), RESET);
    const answer = await gateway.client.call(LlmService.method.chat, requestOf());
    expect(answer.text).not.toContain('To be');
    expect(trailOf(answer.attempts)).toEqual(['FIRST lead PROVIDER_UNAVAILABLE', 'FAILOVER understudy OK']);
    expect(answer.attempts.every(({ cost }) => cost !== undefined)).toBe(true);
  });
});

describe('an answer in JSON that breaks off behind its head', REAL_TIME, () => {
  const BEGINNING = [
    head(200, { 'content-type': 'application/json', 'content-length': 1_000 }),
    send('{"id":"chatcmpl-1","choices":['),
  ];
  const BREAKS: readonly (readonly [name: string, steps: readonly ChaosStep[]])[] = [
    ['a reset', [RESET]],
    ['the end of the connection', [{ do: 'end' }]],
    ['silence', [{ do: 'await_close' }]],
  ];
  const asJson = { upstream_mode: 'JSON', timeouts: { first_output: '200ms' } } as const;
  // The time to write one token is 0.1 s.
  const request = requestOf({ options: { maxTokens: 1 } });

  test.each(BREAKS)('by %s is asked of the next target, and not of the same one again', async (_, steps) => {
    const { lead, gateway } = await stage({ lead: asJson });
    lead.script(...BEGINNING, ...steps);
    const answer = await gateway.client.call(LlmService.method.chat, request);
    expect(answer.target).toBe('understudy');
    expect(answer.attempts).toHaveLength(2);
    expect(lead.requestCount).toBe(1);
  });

  test.each(BREAKS)('by %s is bought twice at most where there is no other', async (_, steps) => {
    const { lead, gateway } = await stage({ lead: asJson });
    for (let times = 0; times < 5; times++) lead.script(...BEGINNING, ...steps);
    const asked = gateway.client.call(LlmService.method.chat, { ...request, routing: { targets: ['lead'] } });
    expect((await rpcError(asked)).code).toBe('UNAVAILABLE');
    expect(lead.requestCount).toBe(2);
  });
});

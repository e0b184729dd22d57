import { describe, expect, test } from 'vitest';

import type { StreamChatResponse } from '../../gen/understudy/v1/llm_pb.ts';
import { LlmService } from '../../gen/understudy/v1/llm_pb.ts';
import { AttemptKind } from '../../gen/understudy/v1/routing_pb.ts';
import type { ChaosStep } from '../support/chaos-upstream.ts';
import { chunk, lastChunk } from '../support/chaos-upstream.ts';
import { RESET } from '../support/early-faults.ts';
import { requestOf, stage } from '../support/failover-stage.ts';
import { event, ROLE_EVENT, STREAM_HEAD, textEvent } from '../support/openai-bodies.ts';
import { rpcError, trailOf } from '../support/rpc-error.ts';
import { textOf } from '../support/stream-text.ts';
import { REAL_TIME } from '../support/real-time.ts';

const BEGINNING: readonly ChaosStep[] = [
  STREAM_HEAD,
  chunk(ROLE_EVENT),
  chunk(textEvent('To be, ')),
  chunk(textEvent('or not')),
];
const ERROR = JSON.stringify({ error: { message: 'Words of the provider.', type: 'server_error', code: null } });

/** Everything that can break a stream after its first words. */
const BREAKS: readonly { readonly name: string; readonly steps: readonly ChaosStep[] }[] = [
  { name: 'a reset', steps: [RESET] },
  { name: 'a clean end without the end marker', steps: [lastChunk] },
  { name: 'the end of the connection', steps: [{ do: 'end' }] },
  { name: 'a malformed event', steps: [chunk('data: {"choices": [\n\n'), { do: 'await_close' }] },
  { name: 'an error of the provider', steps: [chunk(`data: ${ERROR}\n\n`), { do: 'await_close' }] },
  { name: 'silence', steps: [{ do: 'await_close' }] },
  { name: 'tokens that say nothing', steps: [chunk(event({})), chunk(': keep-alive\n\n'), { do: 'await_close' }] },
];

function cases(events: readonly StreamChatResponse[]): readonly (string | undefined)[] {
  return events.map(({ event: { case: name } }) => name);
}

describe('a stream that breaks after its first words', REAL_TIME, () => {
  test.each(BREAKS)('ends with ABORTED after $name, and what was delivered stays', async ({ steps }) => {
    const { lead, gateway } = await stage({ lead: { timeouts: { progress: '500ms' } } });
    lead.script(...BEGINNING, ...steps);
    const stream = gateway.client.stream(LlmService.method.streamChat, requestOf());
    const error = await rpcError(stream.done);
    expect(error).toMatchObject({ code: 'ABORTED', reason: 'STREAM_INTERRUPTED', pushback: '-1' });
    expect(trailOf(error.trail)).toEqual(['FIRST lead STREAM_INTERRUPTED']);
    // Pieces that wait for one another may come together; none is lost, and nothing follows them.
    expect(new Set(cases(stream.received))).toEqual(new Set(['started', 'textDelta']));
    expect(textOf(stream.received)).toBe('To be, or not');
    expect(stream.received.map(({ sequence }) => sequence)).toEqual(
      stream.received.map((_, index) => BigInt(index + 1)),
    );
    expect(lead.requestCount).toBe(1);
  });

  test('tells stall, cut and garbage apart in the trail: by the code of the network, or the reason of what broke it', async () => {
    const told = new Map<string, string | undefined>();
    for (const { name, steps } of BREAKS) {
      const { lead, gateway } = await stage({ lead: { timeouts: { progress: '500ms' } } });
      lead.script(...BEGINNING, ...steps);
      const error = await rpcError(gateway.client.stream(LlmService.method.streamChat, requestOf()).done);
      told.set(name, error.trail[0]?.providerCode);
    }
    expect(Object.fromEntries(told)).toEqual({
      'a reset': 'ECONNRESET',
      'a clean end without the end marker': 'PROVIDER_UNAVAILABLE',
      'the end of the connection': 'UND_ERR_SOCKET',
      'a malformed event': 'PROVIDER_PROTOCOL_ERROR',
      'an error of the provider': 'server_error',
      silence: 'PROVIDER_TIMEOUT',
      'tokens that say nothing': 'PROVIDER_TIMEOUT',
    });
  });

  test('is no matter in a unary call: the broken answer is thrown away, and another one is whole', async () => {
    const { lead, ask } = await stage();
    // Whichever way the gateway asks, the answer comes as a stream.
    lead.script(...BEGINNING, RESET);
    const answer = await ask('Chat', { text: 'hello' });
    expect(answer.target).toBe('understudy');
    expect(answer.text).not.toContain('To be');
    expect(answer.attempts.at(-1)?.kind).toBe(AttemptKind.FAILOVER);
  });
});

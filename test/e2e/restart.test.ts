import { describe, expect, test } from 'vitest';

import { ErrorReason } from '../../gen/understudy/v1/error_pb.ts';
import { LlmService } from '../../gen/understudy/v1/llm_pb.ts';
import { Recovery } from '../../gen/understudy/v1/routing_pb.ts';
import type { ChaosStep } from '../support/chaos-upstream.ts';
import { chunk } from '../support/chaos-upstream.ts';
import { RESET } from '../support/early-faults.ts';
import type { FailoverStage } from '../support/failover-stage.ts';
import { chatTarget, chaosUpstream, requestOf, stage } from '../support/failover-stage.ts';
import { goodAnswer, ROLE_EVENT, STREAM_END, STREAM_HEAD, textEvent } from '../support/openai-bodies.ts';
import { rpcError, trailOf } from '../support/rpc-error.ts';
import { counted, textOf } from '../support/stream-text.ts';
import { REAL_TIME } from '../support/real-time.ts';

const WORDS = ['To be, ', 'or not ', 'to be, ', 'that is ', 'the ', 'question.'];
const WHOLE = WORDS.join('');
const TWO_THIRDS = WORDS.slice(0, 4);

const ERROR = JSON.stringify({ error: { message: 'Words of the provider.', type: 'server_error', code: null } });

/** A stream that says some words. */
function saying(words: readonly string[]): readonly ChaosStep[] {
  return [STREAM_HEAD, chunk(ROLE_EVENT), ...words.map((word) => chunk(textEvent(word)))];
}

const BREAKS: readonly { readonly name: string; readonly steps: readonly ChaosStep[]; readonly reason: ErrorReason }[] =
  [
    { name: 'a cut after two thirds', steps: [RESET], reason: ErrorReason.PROVIDER_UNAVAILABLE },
    { name: 'a stall', steps: [{ do: 'await_close' }], reason: ErrorReason.PROVIDER_TIMEOUT },
    {
      name: 'a malformed event',
      steps: [chunk('data: {"choices": [\n\n'), { do: 'await_close' }],
      reason: ErrorReason.PROVIDER_PROTOCOL_ERROR,
    },
    {
      name: 'an error of the provider in the middle',
      steps: [chunk(`data: ${ERROR}\n\n`), { do: 'await_close' }],
      reason: ErrorReason.PROVIDER_UNAVAILABLE,
    },
  ];

/** A lead that breaks as told, and a second target that answers whole. */
async function brokenStage(steps: readonly ChaosStep[]): Promise<FailoverStage> {
  const second = await chaosUpstream();
  second.script(...saying(WORDS), chunk(STREAM_END));
  const others = [chatTarget('second', second.origin, { model: 'model-2' })];
  const set = await stage({ lead: { timeouts: { progress: '500ms' } }, others });
  set.lead.script(...saying(TWO_THIRDS), ...steps);
  return set;
}

function stream({ gateway }: FailoverStage, recovery: Recovery) {
  return gateway.client.stream(LlmService.method.streamChat, { ...requestOf(), recovery });
}

describe.each(BREAKS)('a stream that meets $name', REAL_TIME, ({ steps, reason }) => {
  test('is whole exactly once, with RESTART', async () => {
    const events = await stream(await brokenStage(steps), Recovery.RESTART).done;
    expect(events.map(({ sequence }) => Number(sequence))).toEqual(events.map((_, index) => index + 1));
    expect(textOf(events)).toBe(TWO_THIRDS.join('') + WHOLE);
    expect(textOf(counted(events))).toBe(WHOLE);
    expect(counted(events)[0]?.event.case).toBe('started');
    expect(events.flatMap(({ event }) => (event.case === 'restarted' ? [event.value] : []))).toMatchObject([
      { target: 'second', provider: 'openai', attempt: 2, discardFromSequence: 2n, reason },
    ]);
    const last = events.at(-1)?.event;
    if (last?.case !== 'finished') throw new Error('the stream did not finish');
    expect(last.value.target).toBe('second');
    expect(trailOf(last.value.attempts)).toEqual(['FIRST lead STREAM_INTERRUPTED', 'RESTART second OK']);
    expect(last.value.attempts.map(({ cost }) => cost !== undefined)).toEqual([true, true]);
  });

  test('ends with ABORTED, explicitly, with FAIL', async () => {
    const set = await brokenStage(steps);
    const started = stream(set, Recovery.FAIL);
    const error = await rpcError(started.done);
    expect(error).toMatchObject({ code: 'ABORTED', reason: 'STREAM_INTERRUPTED', pushback: '-1' });
    expect(trailOf(error.trail)).toEqual(['FIRST lead STREAM_INTERRUPTED']);
    expect(textOf(started.received)).toBe(TWO_THIRDS.join(''));
    expect(started.received.some(({ event }) => event.case === 'restarted')).toBe(false);
  });
});

test('with RESTART and no other target the same one is asked again', async () => {
  const set = await stage({ others: [] });
  set.lead.script(...saying(TWO_THIRDS), RESET);
  set.lead.script(...goodAnswer(true, WHOLE));
  const events = await stream(set, Recovery.RESTART).done;
  expect(textOf(counted(events))).toBe(WHOLE);
  expect(set.lead.requestCount).toBe(2);
});

test('with RESTART and nobody to begin anew the stream ends with ABORTED and what it has delivered', async () => {
  const set = await stage({ others: [], retry: { max_repeats: 0 } });
  set.lead.script(...saying(TWO_THIRDS), RESET);
  const started = stream(set, Recovery.RESTART);
  const error = await rpcError(started.done);
  expect(error).toMatchObject({ code: 'ABORTED', reason: 'STREAM_INTERRUPTED' });
  expect(textOf(started.received)).toBe(TWO_THIRDS.join(''));
});

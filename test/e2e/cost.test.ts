import { expect, test } from 'vitest';

import { LlmService } from '../../gen/understudy/v1/llm_pb.ts';
import { Recovery } from '../../gen/understudy/v1/routing_pb.ts';
import { CostSource } from '../../gen/understudy/v1/usage_pb.ts';
import type { ChaosStep } from '../support/chaos-upstream.ts';
import { chunk } from '../support/chaos-upstream.ts';
import { RESET } from '../support/early-faults.ts';
import { chatTarget, chaosUpstream, requestOf, stage } from '../support/failover-stage.ts';
import type { RunningGateway } from '../support/gateway-doors.ts';
import { goodAnswer, ROLE_EVENT, STREAM_HEAD, textEvent } from '../support/openai-bodies.ts';

/** A dollar for a million tokens of input, ten for output: 1,000 and 10,000 nano-USD a token. */
const PRICES = [
  { model: 'model-1', input: '1', output: '10' },
  { model: 'model-2', input: '1', output: '10' },
];

/** Ten tokens, as bytes go. */
const TEXT = 'To be, or not to be: that is the qu';

const BEGINNING: readonly ChaosStep[] = [STREAM_HEAD, chunk(ROLE_EVENT), chunk(textEvent(TEXT))];

/** Waits until something was accounted for a target. */
async function untilAccounted({ port, client }: RunningGateway, target: string): Promise<bigint> {
  for (;;) {
    const cost = port.costOfTarget(target);
    if (cost !== undefined) return cost;
    await client.call(LlmService.method.health, {});
  }
}

test('a stream that its caller cancels costs its prompt and what was delivered', async () => {
  const { lead, gateway } = await stage({ lead: { prices: PRICES } });
  lead.script(...BEGINNING, { do: 'await_close' });
  const stream = gateway.client.stream(LlmService.method.streamChat, requestOf());
  await stream.at(1);
  expect(gateway.port.costOfTarget('lead')).toBeUndefined();
  stream.cancel();
  const cost = await untilAccounted(gateway, 'lead');
  expect(cost).toBeGreaterThan(100_000n);
  expect(cost).toBeLessThan(120_000n);
});

test('a stream that begins anew costs both answers, each recorded once', async () => {
  const second = await chaosUpstream();
  second.script(...goodAnswer(true, 'whole'));
  const others = [chatTarget('second', second.origin, { model: 'model-2', prices: PRICES })];
  const { lead, gateway } = await stage({ lead: { prices: PRICES }, others });
  lead.script(...BEGINNING, RESET);
  const request = { ...requestOf(), recovery: Recovery.RESTART };
  const events = await gateway.client.stream(LlmService.method.streamChat, request).done;
  const last = events.at(-1)?.event;
  if (last?.case !== 'finished') throw new Error('the stream did not finish');
  const [broken, whole] = last.value.attempts;
  expect(broken?.cost?.source).toBe(CostSource.ESTIMATED);
  expect(broken?.cost?.nanoUsd).toBeGreaterThan(100_000n);
  // Nine tokens of input and three of output, as the provider has counted.
  expect(whole?.cost).toMatchObject({ source: CostSource.EXACT, nanoUsd: 39_000n });
  expect(last.value.cost?.nanoUsd).toBe((broken?.cost?.nanoUsd ?? 0n) + 39_000n);
  expect(last.value.cost?.source).toBe(CostSource.ESTIMATED);
  expect(gateway.port.costOfTarget('lead')).toBe(broken?.cost?.nanoUsd);
  expect(gateway.port.costOfTarget('second')).toBe(39_000n);
});

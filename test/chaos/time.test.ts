import { describe, expect, onTestFinished, test } from 'vitest';

import { LlmService } from '../../gen/understudy/v1/llm_pb.ts';
import { UsageSource } from '../../gen/understudy/v1/usage_pb.ts';
import type { ChaosStage } from '../support/chaos-stage.ts';
import { ANSWERED, chaosStage, OTHER, SAID, WHOLE } from '../support/chaos-stage.ts';
import type { ChaosStep } from '../support/chaos-upstream.ts';
import { chunk } from '../support/chaos-upstream.ts';
import { rateLimit } from '../support/early-faults.ts';
import { requestOf } from '../support/failover-stage.ts';
import { errorAnswer, event, goodAnswer, ROLE_EVENT, STREAM_HEAD } from '../support/openai-bodies.ts';
import type { VirtualSystem } from '../support/virtual-system.ts';
import { createVirtualSystem } from '../support/virtual-system.ts';
import { askIn, WAYS } from '../support/ways.ts';
import { textOf } from '../support/stream-text.ts';

const UNTIL_GONE: ChaosStep = { do: 'await_close' };

/** A stage with all limits as they are by default, whose time the test moves. */
async function timedStage(): Promise<ChaosStage & { readonly system: VirtualSystem }> {
  const system = createVirtualSystem();
  const set = await chaosStage({}, { retry: {} }, system);
  // What still waits for time when the test is over gets it.
  onTestFinished(async () => {
    const closed = set.gateway.close();
    await system.advance(60_000);
    await closed;
  });
  return { ...set, system };
}

/** What an upstream has sent before goes a shorter way than these do. */
async function roundTrips({ client }: ChaosStage['gateway']): Promise<void> {
  for (let count = 0; count < 3; count++) await client.call(LlmService.method.health, {});
}

describe.each(WAYS)('%s', (way) => {
  test('a 429 with a Retry-After of 2 s is waited for once, on the same target', async () => {
    const { lead, second, gateway, system } = await timedStage();
    lead.script(...rateLimit({ 'retry-after': '2' }));
    lead.script(...ANSWERED);
    const asked = askIn(gateway, way);
    await system.timerOf(2_000, 2_200);
    expect(lead.requestCount).toBe(1);
    await system.advance(2_200);
    const { trail, delivered, attempts } = await asked;
    expect(trail).toEqual(['FIRST lead PROVIDER_RATE_LIMITED', 'RETRY lead OK']);
    expect(attempts[1]?.waitBeforeMs).toBeGreaterThanOrEqual(2_000);
    expect([delivered, second.connectionCount]).toEqual([WHOLE, 0]);
  });

  test('a 429 that comes again after it is not waited for again', async () => {
    const { lead, gateway, system } = await timedStage();
    lead.script(...rateLimit({ 'retry-after': '2' }));
    lead.script(...rateLimit({ 'retry-after': '2' }));
    const asked = askIn(gateway, way);
    await system.timerOf(2_000, 2_200);
    await system.advance(2_200);
    const { trail, delivered } = await asked;
    expect(trail).toHaveLength(3);
    expect([delivered, lead.requestCount]).toEqual([OTHER, 2]);
  });

  test.each([
    { name: 'before headers', steps: [], limitMs: 12_000 },
    { name: 'behind a head alone', steps: [STREAM_HEAD], limitMs: 12_000 },
    { name: 'behind a role', steps: [STREAM_HEAD, chunk(ROLE_EVENT)], limitMs: 120_000 },
    { name: 'behind a comment', steps: [STREAM_HEAD, chunk(': reading\n\n')], limitMs: 120_000 },
  ])(
    'silence $name is passed on after $limitMs ms without a second call to the silent target',
    async ({ steps, limitMs }) => {
      const { lead, gateway, leadHealth, system } = await timedStage();
      lead.script(...steps, UNTIL_GONE);
      const asked = askIn(gateway, way);
      await lead.request(0);
      await roundTrips(gateway);
      await system.advance(limitMs - 1);
      expect((await leadHealth()).failures).toBe(0n);
      await system.advance(1);
      const { trail, delivered } = await asked;
      expect([trail, delivered]).toEqual([['FIRST lead PROVIDER_TIMEOUT', 'FAILOVER second OK'], OTHER]);
      expect(lead.requestCount).toBe(1);
      expect((await leadHealth()).failures).toBe(1n);
      await lead.allClosed();
    },
  );

  test('the first words of a long prompt are waited for behind comments, on a server that somebody runs', async () => {
    const { lead, second, gateway, system } = await timedStage();
    const late = Promise.withResolvers<void>();
    const [head, ...words] = ANSWERED;
    const reading = Array.from({ length: 3 }, () => chunk(':\n\n'));
    lead.script(...(head === undefined ? [] : [head]), ...reading, { do: 'hold', until: late.promise }, ...words);
    const asked = askIn(gateway, way);
    await lead.request(0);
    await roundTrips(gateway);
    await system.advance(29_000);
    late.resolve();
    const { trail, delivered } = await asked;
    expect([trail, delivered, second.connectionCount]).toEqual([['FIRST lead OK'], WHOLE, 0]);
  });

  test('a first word after 20 s is not waited for where another target can answer', async () => {
    const { lead, gateway, system } = await timedStage();
    const late = Promise.withResolvers<void>();
    lead.script({ do: 'hold', until: late.promise }, ...ANSWERED);
    const asked = askIn(gateway, way);
    await lead.request(0);
    await system.advance(12_000);
    const { delivered } = await asked;
    await system.advance(8_000);
    late.resolve();
    expect(delivered).toBe(OTHER);
    await lead.allClosed();
  });

  test('a first word after 20 s is waited for where nobody else can', async () => {
    const { lead, gateway, system } = await timedStage();
    const late = Promise.withResolvers<void>();
    lead.script({ do: 'hold', until: late.promise }, ...ANSWERED);
    const asked = askIn(gateway, way, { routing: { targets: ['lead'] } });
    await lead.request(0);
    await system.advance(20_000);
    late.resolve();
    const { trail, delivered } = await asked;
    expect([trail, delivered]).toEqual([['FIRST lead OK'], WHOLE]);
  });

  test('an end marker without usage is waited behind for 2 s, and the usage is estimated', async () => {
    const { lead, gateway, system } = await timedStage();
    lead.script(...SAID, chunk(event({}, 'stop')), UNTIL_GONE);
    const asked = askIn(gateway, way);
    await system.timerOf(2_000);
    await system.advance(2_000);
    const { trail, delivered, answer } = await asked;
    expect([trail, delivered]).toEqual([['FIRST lead OK'], WHOLE]);
    expect(answer?.usage?.source).not.toBe(UsageSource.REPORTED);
  });

  test('a key that was refused is tried again after a minute', async () => {
    const { lead, second, gateway, system } = await timedStage();
    second.script(...goodAnswer(true, OTHER));
    lead.script(...errorAnswer(401, null));
    await askIn(gateway, way);
    await system.advance(59_999);
    expect((await askIn(gateway, way)).trail).toEqual(['SKIPPED lead PROVIDER_AUTH_FAILED', 'FIRST second OK']);
    await system.advance(1);
    lead.script(...ANSWERED);
    expect((await askIn(gateway, way)).trail).toEqual(['FIRST lead OK']);
  });
});

describe('a stream whose provider is silent for 20 s', () => {
  test('no-headers-before-provider-answers: nothing for 15 s, then a ping, then the answer', async () => {
    const { lead, gateway, system } = await timedStage();
    const late = Promise.withResolvers<void>();
    lead.script({ do: 'hold', until: late.promise }, ...ANSWERED);
    let hasHeaders = false;
    const options = { onHeaders: () => (hasHeaders = true) };
    const request = { ...requestOf(), routing: { targets: ['lead'] } };
    const stream = gateway.client.stream(LlmService.method.streamChat, request, options);
    await lead.request(0);
    await system.advance(14_999);
    // Goes the same way as the stream, and would come behind its headers.
    await gateway.client.call(LlmService.method.health, {});
    expect([hasHeaders, stream.received]).toEqual([false, []]);
    await system.advance(1);
    expect((await stream.at(0)).event.case).toBe('ping');
    await system.advance(5_000);
    late.resolve();
    const events = await stream.done;
    expect(events.map(({ event: { case: name } }) => name)[1]).toBe('started');
    expect(textOf(events)).toBe(WHOLE);
  });
});

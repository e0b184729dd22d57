import { status as Code } from '@grpc/grpc-js';
import { describe, expect, onTestFinished, test } from 'vitest';

import { LlmService } from '../../gen/understudy/v1/llm_pb.ts';
import { WarningCode } from '../../gen/understudy/v1/routing_pb.ts';
import { ANSWERED, BEGUN, chaosStage, WHOLE } from '../support/chaos-stage.ts';
import type { ChaosStage } from '../support/chaos-stage.ts';
import type { ChaosStep } from '../support/chaos-upstream.ts';
import { chunk, lastChunk } from '../support/chaos-upstream.ts';
import { requestOf } from '../support/failover-stage.ts';
import { ROLE_EVENT, STREAM_END, STREAM_HEAD, textEvent } from '../support/openai-bodies.ts';
import { openRawConnection, sendRaw, statusOfRaw } from '../support/raw-grpc.ts';
import { rpcError } from '../support/rpc-error.ts';
import { createVirtualSystem } from '../support/virtual-system.ts';
import { askIn, WAYS } from '../support/ways.ts';
import { REAL_TIME } from '../support/real-time.ts';

const UNTIL_GONE: ChaosStep = { do: 'await_close' };
const MANY = 200;

/** The gateway has nothing left of calls that are over, and serves the next one. */
async function expectWell({ lead, gateway, leadHealth }: ChaosStage): Promise<void> {
  lead.script(...ANSWERED);
  const { trail, delivered } = await askIn(gateway, 'StreamChat');
  expect([trail, delivered]).toEqual([['FIRST lead OK'], WHOLE]);
  expect(await leadHealth()).toMatchObject({ inFlight: 0, failures: 0n, healthy: true });
}

/** A connection without the manners of a gRPC client, which ends with the test. */
function rawConnection(address: string) {
  const session = openRawConnection(address);
  onTestFinished(() => session.destroy());
  return session;
}

describe('a deadline', REAL_TIME, () => {
  test.each([
    { name: 'of 1 ms', timeout: '1m' },
    { name: 'of 9 ms', timeout: '9m' },
    { name: 'of 0', timeout: '0m' },
    { name: 'of a nanosecond', timeout: '1n' },
  ])('$name is over before a provider is asked', async ({ timeout }) => {
    const set = await chaosStage();
    const stream = sendRaw(rawConnection(set.gateway.address), { 'grpc-timeout': timeout });
    expect(await statusOfRaw(stream)).toBe(String(Code.DEADLINE_EXCEEDED));
    expect([set.lead.requestCount, set.second.connectionCount]).toEqual([0, 0]);
    await expectWell(set);
  });

  test.each(['-1m', '1x', 'soon', '123456789S', ''])('that is none (%j) harms nobody', async (timeout) => {
    const set = await chaosStage();
    set.lead.script(...ANSWERED);
    await statusOfRaw(sendRaw(rawConnection(set.gateway.address), { 'grpc-timeout': timeout }));
    await expectWell(set);
  });

  test.each(['1000H', '99999999H', '99999999S'])('of %s is no deadline of now', async (timeout) => {
    const set = await chaosStage();
    set.lead.script(...ANSWERED);
    const stream = sendRaw(rawConnection(set.gateway.address), { 'grpc-timeout': timeout });
    expect(await statusOfRaw(stream)).toBe(String(Code.OK));
    await expectWell(set);
  });

  test.each(WAYS)('of 1000 hours is shortened, and the answer says so (%s)', async (way) => {
    const { lead, gateway } = await chaosStage();
    lead.script(...ANSWERED);
    const { answer } = await askIn(gateway, way, {}, { deadlineMs: 3_600_000_000 });
    expect(answer?.warnings.map(({ code }) => code)).toEqual([WarningCode.DEADLINE_CLAMPED]);
  });

  test.each(WAYS)(
    'that all targets keep silent through ends the call, and all of their connections (%s)',
    async (way) => {
      const { lead, second, gateway } = await chaosStage();
      lead.script(UNTIL_GONE);
      const { error, trail } = await askIn(gateway, way, { routing: { targets: ['lead'] } }, { deadlineMs: 1_500 });
      expect(error?.code).toBe('DEADLINE_EXCEEDED');
      expect(trail.length).toBeLessThanOrEqual(1);
      await lead.allClosed();
      expect([lead.requestCount, second.connectionCount]).toEqual([1, 0]);
    },
  );

  test.each(WAYS)('that passes within the answer ends it as such, not as a fault of the provider (%s)', async (way) => {
    const { lead, second, gateway, leadHealth } = await chaosStage();
    lead.script(...BEGUN, UNTIL_GONE);
    const { error } = await askIn(gateway, way, {}, { deadlineMs: 1_500 });
    expect(error?.code).toBe('DEADLINE_EXCEEDED');
    await lead.allClosed();
    expect(second.connectionCount).toBe(0);
    expect((await leadHealth()).failures).toBe(0n);
  });
});

describe('a flood', () => {
  test.each([
    { name: 'before headers', steps: [] },
    { name: 'in the middle of answers', steps: BEGUN },
  ])('of calls that are all cancelled $name leaves nothing behind', async ({ steps }) => {
    const set = await chaosStage();
    const { lead, gateway } = set;
    for (let count = 0; count < MANY; count += 1) lead.script(...steps, UNTIL_GONE);
    const streams = Array.from({ length: MANY }, () =>
      gateway.client.stream(LlmService.method.streamChat, requestOf()),
    );
    await lead.request(MANY - 1);
    for (const stream of streams) stream.cancel();
    const ends = await Promise.all(streams.map(({ done }) => rpcError(done)));
    expect(new Set(ends.map(({ code }) => code))).toEqual(new Set(['CANCELLED']));
    await lead.allClosed();
    await expectWell(set);
  });

  test('of calls whose connection is torn leaves nothing behind', async () => {
    const set = await chaosStage();
    const { lead, gateway } = set;
    for (let count = 0; count < MANY; count += 1) lead.script(...BEGUN, UNTIL_GONE);
    const session = rawConnection(gateway.address);
    for (let count = 0; count < MANY; count += 1) sendRaw(session);
    await lead.request(MANY - 1);
    session.destroy();
    await lead.allClosed();
    await expectWell(set);
  });

  test('of connections that say nothing, or nonsense, keeps nobody from being served', async () => {
    const set = await chaosStage();
    const sessions = Array.from({ length: 50 }, () => rawConnection(set.gateway.address));
    for (const session of sessions)
      session
        .request({ ':method': 'PUT', ':path': '/nothing' })
        .on('error', () => undefined)
        .end('x');
    await expectWell(set);
  });
});

describe('a reader', () => {
  const PIECE = 'x'.repeat(64 * 1024);
  const PIECES = 600;

  /** An answer larger than all buffers between the upstream and the reader, and the news that the upstream got rid of it. */
  function largeAnswer(): { readonly steps: readonly ChaosStep[]; readonly state: { isSent: boolean } } {
    const state = { isSent: false };
    const sent: ChaosStep = {
      do: 'hold',
      get until() {
        state.isSent = true;
        return Promise.resolve();
      },
    };
    const pieces = Array.from({ length: PIECES }, () => chunk(textEvent(PIECE)));
    return { steps: [STREAM_HEAD, chunk(ROLE_EVENT), ...pieces, sent, chunk(STREAM_END), lastChunk], state };
  }

  test('that never reads holds the provider back, and is given up after a minute', async () => {
    const system = createVirtualSystem();
    const { lead, gateway, leadHealth } = await chaosStage({}, {}, system);
    onTestFinished(() => system.advance(60_000));
    const { steps, state } = largeAnswer();
    lead.script(...steps);
    const stream = sendRaw(rawConnection(gateway.address));
    await system.timerOf(60_000);
    expect(state.isSent).toBe(false);
    await system.advance(65_000);
    await lead.allClosed();
    expect(state.isSent).toBe(false);
    expect(await statusOfRaw(stream)).not.toBe(String(Code.OK));
    expect(await leadHealth()).toMatchObject({ inFlight: 0, failures: 0n });
  });

  test('that reads late gets every byte', async () => {
    const system = createVirtualSystem();
    const { lead, gateway } = await chaosStage({}, {}, system);
    const { steps } = largeAnswer();
    lead.script(...steps);
    const stream = sendRaw(rawConnection(gateway.address));
    await system.timerOf(60_000);
    let size = 0;
    stream.on('data', (data: Buffer) => {
      for (const byte of data) if (byte === 0x78) size += 1;
    });
    expect(await statusOfRaw(stream)).toBe(String(Code.OK));
    // The name of a field or two may have the letter as well.
    expect(size).toBeGreaterThanOrEqual(PIECES * PIECE.length);
    expect(size).toBeLessThan(PIECES * PIECE.length + 10_000);
  });
});

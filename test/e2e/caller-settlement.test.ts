import { describe, expect, onTestFinished, test, vi } from 'vitest';

import { Role } from '../../gen/understudy/v1/chat_pb.ts';
import { LlmService } from '../../gen/understudy/v1/llm_pb.ts';
import { WarningCode } from '../../gen/understudy/v1/routing_pb.ts';
import type { Caller } from '../../src/callers/port/caller.ts';
import type { ConfigInput } from '../../src/config/file/schema.ts';
import type { GatewayPort } from '../../src/server/port/gateway-port.ts';
import { reportCall } from '../../src/telemetry/report/call-report.ts';
import { callerOf, CENT } from '../support/caller-accounts.ts';
import { chaosUpstream, requestOf } from '../support/failover-stage.ts';
import { type RunningGateway, startGateway } from '../support/gateway-doors.ts';
import { goodAnswer } from '../support/openai-bodies.ts';
import { rpcError, trailOf } from '../support/rpc-error.ts';

const { chat, streamChat } = LlmService.method;
const MESSAGES = [{ role: Role.USER, content: [{ part: { case: 'text' as const, value: 'hello' } }] }];

/** So that an answer of the mock, some thirty tokens, costs about a cent. */
const PRICE = { input: '1', output: '333' };
const MODELS = [
  'mock-ok',
  'mock-slow',
  'mock-stall',
  'mock-stream-cut',
  'mock-stream-error',
  'mock-no-end',
  'mock-500',
];
const MOCKS: ConfigInput = {
  targets: ['mock', 'other'].map((name) => ({
    name,
    provider: 'mock' as const,
    model: 'mock-ok',
    prices: MODELS.map((model) => Object.assign({ model }, PRICE)),
  })),
  routes: [
    { name: 'default', targets: ['mock'] },
    { name: 'failing', targets: ['mock/mock-500', 'other'] },
  ],
};

interface Scene {
  readonly gateway: RunningGateway;
  /** Waits until so many calls have ended, and returns what their trails come to in nano-USD. */
  spentByTrails(calls: number): Promise<bigint>;
  /** What the caller's budget says is spent, in nano-USD. */
  spent(): Promise<bigint>;
  /** Drains without grace; may be called again. */
  close(): Promise<void>;
}

/** A gateway with one caller, who has a budget for the day. */
async function scene(budgetNanoUsd = 100n * CENT, config = MOCKS): Promise<Scene> {
  const caller = callerOf('billing', { budgets: [{ nanoUsd: budgetNanoUsd, per: 'day' }] });
  const gateway = await startGateway(config, {}, [caller]);
  const ended = vi.spyOn(gateway.port.inForce?.() ?? gateway.port, 'callEnded');
  let closing: Promise<void> | undefined;
  const close = (): Promise<void> => (closing ??= gateway.close());
  onTestFinished(close);
  return {
    gateway,
    spentByTrails: async (calls) => {
      await expect.poll(() => ended.mock.calls.length).toBe(calls);
      const attempts = ended.mock.calls.flatMap(([end]) => reportCall(end).attempts);
      const costs = attempts.flatMap(({ cost }) => cost ?? []);
      expect(costs.map(({ source }) => source)).not.toContain('UNKNOWN');
      return costs.reduce((sum, { nanoUsd = 0n }) => sum + nanoUsd, 0n);
    },
    spent: async () => budgetNanoUsd - (await leftOf(gateway.port, caller, budgetNanoUsd)),
    close,
  };
}

/** Finds out what is left of a budget: the most that can be reserved, which is given back. */
async function leftOf({ limits }: GatewayPort, caller: Caller, budgetNanoUsd: bigint): Promise<bigint> {
  const ticket = await limits?.enter(caller, { promptTokens: 0 });
  if (ticket === undefined || 'reason' in ticket) throw new Error('the caller is not let in');
  let [fits, tooMuch] = [0n, budgetNanoUsd + 1n];
  while (tooMuch - fits > 1n) {
    const most = (fits + tooMuch) / 2n;
    const answer = ticket.claim({ most, least: most }, 0);
    const refused = answer !== undefined && 'decided' in answer ? await answer.decided : answer;
    if (refused === undefined) {
      ticket.giveBack();
      fits = most;
    } else {
      tooMuch = most;
    }
  }
  ticket.leave(0);
  return fits;
}

describe('what a call has cost is taken from the budget once, and is what its trail says, where', () => {
  test('its caller leaves behind the last frame', async () => {
    const { gateway, spent, spentByTrails } = await scene();
    for (let call = 0; call < 5; call++) {
      const stream = gateway.client.stream(streamChat, { messages: MESSAGES });
      for (let at = 0; (await stream.at(at)).event.case !== 'finished'; at++);
      stream.cancel();
    }
    const told = await spentByTrails(5);
    expect(told).toBeGreaterThan(4n * CENT);
    expect(await spent()).toBe(told);
  });

  test('its caller leaves in the middle, at either door', async () => {
    const { gateway, spent, spentByTrails } = await scene();
    const stream = gateway.client.stream(streamChat, { messages: MESSAGES, model: 'mock-stall' });
    await stream.at(2);
    stream.cancel();
    const left = new AbortController();
    const response = await fetch(`${gateway.web}/understudy.v1.LlmService/StreamChat`, {
      method: 'POST',
      headers: { 'content-type': 'application/connect+json' },
      body: enveloped(
        JSON.stringify({ model: 'mock-stall', messages: [{ role: 'ROLE_USER', content: [{ text: 'hello' }] }] }),
      ),
      signal: left.signal,
    });
    await response.body?.getReader().read();
    left.abort();
    const told = await spentByTrails(2);
    expect(told).toBeGreaterThan(0n);
    expect(await spent()).toBe(told);
  });

  test.each(['mock-stream-cut', 'mock-stream-error', 'mock-no-end'])('its stream breaks (%s)', async (model) => {
    const { gateway, spent, spentByTrails } = await scene();
    const stream = gateway.client.stream(streamChat, { messages: MESSAGES, model });
    expect(await rpcError(stream.done)).toMatchObject({ reason: 'STREAM_INTERRUPTED' });
    const told = await spentByTrails(1);
    expect(told).toBeGreaterThan(0n);
    expect(await spent()).toBe(told);
  });

  test('it has several attempts', async () => {
    const { gateway, spent, spentByTrails } = await scene();
    const { attempts, cost } = await gateway.client.call(chat, { messages: MESSAGES, routing: { route: 'failing' } });
    expect(attempts.length).toBeGreaterThan(1);
    expect(await spentByTrails(1)).toBe(cost?.nanoUsd);
    expect(await spent()).toBe(cost?.nanoUsd);
  });

  test('the gateway drains meanwhile', async () => {
    const { gateway, spent, spentByTrails, close } = await scene();
    // Bounded, so that all fit in together.
    const held = { messages: MESSAGES, model: 'mock-stall', options: { maxTokens: 40 } };
    const streams = Array.from({ length: 5 }, () => gateway.client.stream(streamChat, held));
    await Promise.all(streams.map((stream) => stream.at(1)));
    const unary = rpcError(gateway.client.call(chat, held));
    await expect.poll(() => gateway.load().active).toBe(6);
    await close();
    for (const stream of streams) expect(await rpcError(stream.done)).toMatchObject({ code: 'UNAVAILABLE' });
    await unary;
    const told = await spentByTrails(6);
    expect(told).toBeGreaterThan(0n);
    expect(await spent()).toBe(told);
  });
});

describe('an answer whose repair the budget has not enough for', () => {
  const SCHEMA = '{"type":"object","properties":{"age":{"type":"integer","minimum":0}},"required":["age"]}';
  const BAD = '{"age": -7}';

  /** Of 100 tokens, which may cost 3.33 cents of 3.4, a few are used. */
  async function asked(strict: boolean) {
    const upstream = await chaosUpstream();
    upstream.script(...goodAnswer(false, BAD));
    const lead = { name: 'lead', provider: 'deepseek', api_key: 'sk-test', model: 'deepseek-flash' } as const;
    const prices = [{ model: 'deepseek-flash', ...PRICE }];
    const told = await scene((34n * CENT) / 10n, {
      targets: [{ ...lead, base_url: `${upstream.origin}/v1`, prices }],
    });
    const value = { name: 'person', schemaJson: SCHEMA, repair: true, strict };
    const options = { maxTokens: 100, responseFormat: { format: { case: 'jsonSchema', value } } } as const;
    const call = told.gateway.client.call(chat, requestOf({ text: 'Describe the person as JSON.', options }));
    return { ...told, call, upstream };
  }

  test('is returned as it is, with a warning', async () => {
    const { call, upstream, spent, spentByTrails } = await asked(false);
    const answer = await call;
    expect(answer.text).toBe(BAD);
    expect(answer.warnings.map(({ code }) => code)).toContain(WarningCode.SCHEMA_MISMATCH);
    expect(trailOf(answer.attempts)).toEqual(['FIRST lead SCHEMA_MISMATCH', 'SKIPPED lead BUDGET_EXHAUSTED']);
    expect(upstream.requestCount).toBe(1);
    expect(await spentByTrails(1)).toBe(answer.cost?.nanoUsd);
    expect(await spent()).toBe(answer.cost?.nanoUsd);
  });

  test('is none where the caller is strict, and the error says that the budget is exhausted', async () => {
    const { call, upstream, spent, spentByTrails } = await asked(true);
    const error = await rpcError(call);
    expect(error).toMatchObject({
      code: 'RESOURCE_EXHAUSTED',
      reason: 'BUDGET_EXHAUSTED',
      pushback: '-1',
      info: { budget: 'caller:billing day' },
    });
    expect(trailOf(error.trail)).toEqual(['FIRST lead SCHEMA_MISMATCH', 'SKIPPED lead BUDGET_EXHAUSTED']);
    expect(upstream.requestCount).toBe(1);
    expect(await spent()).toBe(await spentByTrails(1));
  });
});

function enveloped(message: string): Buffer<ArrayBuffer> {
  const framed = Buffer.alloc(5 + Buffer.byteLength(message));
  framed.writeUInt32BE(Buffer.byteLength(message), 1);
  framed.write(message, 5);
  return framed;
}

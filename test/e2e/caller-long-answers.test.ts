import { createServer, type ServerResponse } from 'node:http';
import { describe, expect, onTestFinished, test, vi } from 'vitest';

import { Role } from '../../gen/understudy/v1/chat_pb.ts';
import { LlmService } from '../../gen/understudy/v1/llm_pb.ts';
import { reportCall } from '../../src/telemetry/report/call-report.ts';
import { callerOf, CENT, cents } from '../support/caller-accounts.ts';
import { startGateway } from '../support/gateway-doors.ts';
import { listenOnLoopback } from '../support/listening.ts';
import { event, ROLE_EVENT, textEvent } from '../support/openai-bodies.ts';
import { RpcError } from '../support/rpc-error.ts';

const { generate, streamChat } = LlmService.method;
const CALLS = 100;
const WORD = 'word '.repeat(140);
const WORDS = 100;
/** 0.01 USD for the 1,024 tokens that an answer is taken to have, 0.2 for the 20,000 that it has. */
const PRICE = { input: '0', output: '9.7' };
const ANSWER_NANO_USD = 20n * CENT;

const USAGE = { prompt_tokens: 9, completion_tokens: 20_000, total_tokens: 20_009 };
const STREAM_END = `${event({}, 'stop')}data: ${JSON.stringify({ choices: [], usage: USAGE })}\n\ndata: [DONE]\n\n`;

/** A provider whose answers, which grow all at the same time once all calls are there, are twenty times as long as expected. */
async function longWinded(): Promise<string> {
  const waiting: ServerResponse[] = [];
  const grow = (answers: readonly ServerResponse[], words: number): void => {
    for (const answer of answers) if (!answer.destroyed) answer.write(textEvent(WORD));
    if (words > 1) setImmediate(() => grow(answers, words - 1));
    else for (const answer of answers) answer.end(STREAM_END);
  };
  const server = createServer((request, response) => {
    request.resume();
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    response.write(ROLE_EVENT);
    waiting.push(response);
    if (waiting.length === CALLS) grow(waiting, WORDS);
  });
  const { origin, close } = await listenOnLoopback(server);
  onTestFinished(close);
  return `${origin}/v1`;
}

describe('answers that nobody bounds, and that get far longer than any before, all at once', () => {
  test.each(['unary', 'streamed'])('spend a budget and no more than one answer above it (%s)', async (form) => {
    const caller = callerOf('billing', { budgets: [cents(CALLS + 10)] });
    const target = { name: 'long', provider: 'deepseek', api_key: 'sk-test', model: 'long-winded' } as const;
    const prices = [{ model: 'long-winded', ...PRICE }];
    const gateway = await startGateway({ targets: [{ ...target, base_url: await longWinded(), prices }] }, {}, [
      caller,
    ]);
    onTestFinished(() => gateway.close());
    const ended = vi.spyOn(gateway.port.inForce?.() ?? gateway.port, 'callEnded');
    const ask = async (): Promise<string> => {
      try {
        if (form === 'unary') await gateway.client.call(generate, { prompt: 'hello' });
        else
          await gateway.client.stream(streamChat, {
            messages: [{ role: Role.USER, content: [{ part: { case: 'text', value: 'hello' } }] }],
          }).done;
        return 'answered';
      } catch (error) {
        if (!(error instanceof RpcError)) throw error;
        return `${error.code} ${error.reason} ${error.pushback}`;
      }
    };
    const told = await Promise.all(Array.from({ length: CALLS }, ask));
    await expect.poll(() => ended.mock.calls.length).toBe(CALLS);
    const costs = ended.mock.calls.flatMap(([end]) => reportCall(end).attempts.flatMap(({ cost }) => cost ?? []));
    const spent = costs.reduce((sum, { nanoUsd = 0n }) => sum + nanoUsd, 0n);
    expect(new Set(told)).toEqual(new Set(['answered', 'RESOURCE_EXHAUSTED BUDGET_EXHAUSTED -1']));
    expect(spent).toBeGreaterThan(95n * CENT);
    expect(spent).toBeLessThan(BigInt(CALLS + 10) * CENT + ANSWER_NANO_USD);
  });
});

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { FinishReason, ReasoningEffort } from '../../gen/understudy/v1/chat_pb.ts';
import { LlmService } from '../../gen/understudy/v1/llm_pb.ts';
import { WarningCode } from '../../gen/understudy/v1/routing_pb.ts';
import type { ChatExtras, MessageInit } from '../support/chat-parts.ts';
import { result, results, tool, user } from '../support/chat-parts.ts';
import type { RunningGateway } from '../support/gateway-doors.ts';
import { startGateway } from '../support/gateway-doors.ts';
import type { OllamaServer } from '../support/ollama-server.ts';
import { startOllama } from '../support/ollama-server.ts';
import { rpcError, trailOf } from '../support/rpc-error.ts';
import { streamedMessage } from '../support/streamed-message.ts';

const binary = process.env['OLLAMA_BINARY'] ?? '';
const tools = [tool('weather', '{"type":"object","properties":{"city":{"type":"string"}}}')];
const NO_THINKING = { reasoningEffort: ReasoningEffort.NONE };

describe.skipIf(binary === '')('a real Ollama (skipped without OLLAMA_BINARY, the path of its program)', () => {
  let ollama: OllamaServer;
  let gateway: RunningGateway;

  beforeAll(async () => {
    ollama = await startOllama(binary);
    gateway = await startGateway({
      targets: [{ name: 'local', provider: 'ollama', base_url: ollama.origin }],
      retry: { max_repeats: 0 },
    });
  });

  afterAll(async () => {
    await gateway.close();
    await ollama.close();
  });

  const { chat, streamChat } = LlmService.method;

  function request(messages: MessageInit[], extras: ChatExtras = {}, model = '') {
    return { messages, options: NO_THINKING, ...extras, model };
  }

  async function streamed(messages: MessageInit[], extras: ChatExtras = {}) {
    const events = await gateway.client.stream(streamChat, request(messages, extras)).done;
    const last = events.at(-1)?.event;
    if (last?.case !== 'finished') throw new Error('a good stream ends with `finished`');
    return { answer: streamedMessage(events), finished: last.value };
  }

  it('answers in one piece, by the model that is installed, with its tokens and for nothing', async () => {
    const answer = await gateway.client.call(chat, request([user('Hi')]));
    expect(answer).toMatchObject({
      text: 'Hello from a tiny model.',
      model: 'tiny:latest',
      target: 'local',
      finishReason: FinishReason.STOP,
      warnings: [],
      cost: { nanoUsd: 0n },
    });
    expect(answer.usage?.inputTokens).toBeGreaterThan(0);
    expect(answer.usage?.outputTokens).toBe(6);
  });

  it('streams piece by piece', async () => {
    const stream = gateway.client.stream(streamChat, request([user('Hi')]));
    const events = await stream.done;
    const texts = events.flatMap(({ event }) => (event.case === 'textDelta' ? [event.value.text] : []));
    expect(texts).toEqual(['Hello', ' from', ' a', ' tiny', ' model.']);
  });

  it('shows its reasoning, and takes it back in the next turn', async () => {
    const options = { reasoningEffort: ReasoningEffort.HIGH };
    const { answer, finished } = await streamed([user('Hi')], { options });
    expect(answer.content.map(({ part }) => [part?.case, part?.value])).toEqual([
      ['reasoning', { text: 'Let me greet.' }],
      ['text', 'Hi there.'],
    ]);
    expect(finished.warnings).toMatchObject([
      { code: WarningCode.PARAMETER_ADJUSTED, field: 'options.reasoning_effort' },
    ]);
    const next = await streamed([user('Hi'), answer, user('Again')], { options: NO_THINKING });
    expect(next.answer.content).toMatchObject([{ part: { value: 'Hello from a tiny model.' } }]);
    expect(next.finished.warnings).toEqual([]);
  });

  it('calls a tool with arguments, and goes on with its result', async () => {
    const { answer, finished } = await streamed([user('Hi')], { tools });
    expect(finished.finishReason).toBe(FinishReason.TOOL_CALLS);
    const called = answer.content.at(-1)?.part;
    if (called?.case !== 'toolCall') throw new Error('the model has to call');
    expect(called.value).toMatchObject({ name: 'weather', argumentsJson: '{"city":"Oslo"}' });
    const messages = [user('Hi'), answer, results(result(called.value.id ?? '', ['Rain.']))];
    const told = await streamed(messages, { tools });
    expect(told.answer.content).toMatchObject([{ part: { value: 'It rains.' } }]);
    expect(told.finished.finishReason).toBe(FinishReason.STOP);
  });

  it.each([
    ['any JSON', { case: 'jsonObject' as const, value: {} }],
    [
      'JSON of a schema',
      {
        case: 'jsonSchema' as const,
        value: {
          name: 'place',
          schemaJson: '{"type":"object","properties":{"city":{"type":"string"}},"required":["city"]}',
        },
      },
    ],
  ])('writes %s', async (_name, format) => {
    const options = { ...NO_THINKING, responseFormat: { format } };
    const { text } = await gateway.client.call(chat, request([user('JSON.')], { options }));
    expect(JSON.parse(text)).toEqual({ city: 'Bergen' });
  });

  it('stops at the limit of tokens, and at the end of its context, without dropping what came before', async () => {
    const limited = await gateway.client.call(
      chat,
      request([user('Sing.')], { options: { ...NO_THINKING, maxTokens: 5 } }),
    );
    expect(limited).toMatchObject({ finishReason: FinishReason.LENGTH, rawFinishReason: 'length' });
    expect(limited.usage?.outputTokens).toBe(5);
    const { finished } = await streamed([user('Sing.')]);
    expect(finished.finishReason).toBe(FinishReason.LENGTH);
  });

  it('stops at a stop text, which is no part of the answer', async () => {
    const answer = await gateway.client.call(
      chat,
      request([user('Hi')], { options: { ...NO_THINKING, stop: [' a '] } }),
    );
    expect(answer).toMatchObject({ text: 'Hello from', finishReason: FinishReason.STOP });
  });

  it('refuses a prompt that is too long instead of shortening it', async () => {
    const error = await rpcError(gateway.client.call(chat, request([user('word '.repeat(1_000))])));
    expect(error).toMatchObject({ code: 'INVALID_ARGUMENT', reason: 'CONTEXT_LENGTH_EXCEEDED' });
  });

  it('does not know every model', async () => {
    const error = await rpcError(gateway.client.call(chat, request([user('Hi')], {}, 'local/nonsense')));
    expect(error.code).toBe('NOT_FOUND');
    expect(trailOf(error.trail)).toEqual(['FIRST local MODEL_NOT_FOUND']);
  });

  it('breaks off where its model is stuck, without its end marker: that is no answer', async () => {
    const error = await rpcError(streamed([user('Hum.')]));
    expect(error).toMatchObject({ code: 'ABORTED', reason: 'STREAM_INTERRUPTED' });
  });

  it('stops writing when the caller hangs up', async () => {
    // It would never end by itself, and answers one call at a time.
    const options = { ...NO_THINKING, providerOptions: { ollama: { shift: true } } };
    const stream = gateway.client.stream(streamChat, request([user('Sing.')], { options }));
    await stream.at(3);
    stream.cancel();
    await expect(stream.done).rejects.toMatchObject({ code: 'CANCELLED' });
    const after = await gateway.client.call(chat, request([user('Hi')]));
    expect(after.text).toBe('Hello from a tiny model.');
  });
});

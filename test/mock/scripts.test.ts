import { describe, expect, it } from 'vitest';

import { MOCK_MODELS } from '../../src/mock/answer/fault-catalogue.ts';
import { createMockTransport } from '../../src/mock/scripted-transport.ts';
import { readFromRoot, tableBelow } from '../support/doc-tables.ts';
import { answerFromEvents, answerFromJson } from '../support/mock-answer-reader.ts';
import type { AnswerSeen } from '../support/mock-answer-reader.ts';
import { WIRES, at, bodyOf, eventsOf, exchange, jsonOf, requestFor } from '../support/mock-wire-reader.ts';
import type { Exchanged, Question, StreamEvent, WireUnderTest } from '../support/mock-wire-reader.ts';
import { createVirtualRuntime } from '../support/virtual-runtime.ts';

interface Result {
  readonly seen: Exchanged;
  readonly body: Buffer;
  readonly events: readonly StreamEvent[];
  readonly answer: AnswerSeen;
}

/** Asks a new mock one question, and lets an hour pass. */
async function ask(wire: WireUnderTest, question: Question, seed = 7): Promise<Result> {
  const runtime = createVirtualRuntime();
  const transport = createMockTransport({ runtime, provider: wire.provider, seed });
  const seen = exchange(transport, runtime, requestFor(wire, question));
  await runtime.runUntilIdle();
  const body = bodyOf(seen);
  const events = question.stream && seen.status === 200 ? eventsOf(wire, body) : [];
  const answer = events.length > 0 ? answerFromEvents(wire, events) : answerFromJson(wire, jsonOf(body.toString()));
  return { seen, body, events, answer };
}

const words = (text: string): number => text.split(/\s+/).filter((word) => word !== '').length;

const STOP = { chat: 'stop', responses: 'completed', anthropic: 'end_turn', ollama: 'stop' };
const LENGTH = { chat: 'length', responses: 'max_output_tokens', anthropic: 'max_tokens', ollama: 'length' };
const FILTERED = { chat: 'content_filter', responses: 'content_filter', anthropic: 'refusal', ollama: 'stop' };
const CALLS = { chat: 'tool_calls', responses: 'completed', anthropic: 'tool_use', ollama: 'stop' };

for (const wire of WIRES) {
  for (const stream of [true, false]) {
    describe(`${wire.name}, ${stream ? 'streamed' : 'whole'}`, () => {
      it('answers mock-ok with 20 to 40 words, one token each, and a proper end', async () => {
        const { seen, answer } = await ask(wire, { model: 'mock-ok', stream });
        expect(seen).toMatchObject({ status: 200, over: 'end' });
        expect(words(answer.text)).toBeGreaterThanOrEqual(20);
        expect(words(answer.text)).toBeLessThanOrEqual(40);
        const inputTokens = Math.ceil('What is new?'.length / 4);
        expect(answer).toMatchObject({ isComplete: true, finish: STOP[wire.form], inputTokens, error: undefined });
        expect(answer.outputTokens).toBe(words(answer.text));
      });

      it('answers any other model as mock-ok, and other questions with other words', async () => {
        const ok = await ask(wire, { model: 'mock-ok', stream });
        const other = await ask(wire, { model: 'gpt-6-luna', stream });
        const asked = await ask(wire, { model: 'mock-ok', stream, text: 'And what is old?' });
        expect(other.answer).toEqual(ok.answer);
        expect(asked.answer.text).not.toBe(ok.answer.text);
      });

      it('takes its time: quick, slow, or long before the first token', async () => {
        const quick = await ask(wire, { model: 'mock-ok', stream });
        const tokens = Number(quick.answer.outputTokens);
        const slow = await ask(wire, { model: 'mock-slow', stream });
        const late = await ask(wire, { model: 'mock-slow-first-token', stream });
        const between = stream ? tokens - 1 : tokens;
        expect(quick.seen.overMs).toBe(5 + between);
        expect(slow.seen.overMs).toBe(800 + 50 * between);
        expect(late.seen).toMatchObject({ status: 200, headersMs: 0, overMs: 20_000 + between });
        expect(slow.seen.headersMs).toBe(stream ? 0 : slow.seen.overMs);
        expect(late.answer.text).toBe(quick.answer.text);
      });

      it('keeps a token limit, that of the request and its own', async () => {
        const asked = await ask(wire, { model: 'mock-ok', stream, maxTokens: 5 });
        expect(asked.answer).toMatchObject({ finish: LENGTH[wire.form], outputTokens: 5, isComplete: true });
        expect(words(asked.answer.text)).toBe(5);
        const own = await ask(wire, { model: 'mock-max-tokens', stream });
        expect(own.answer).toMatchObject({ finish: LENGTH[wire.form], outputTokens: 12 });
      });

      it.skipIf(wire.form === 'responses')('ends before a stop sequence', async () => {
        const { answer } = await ask(wire, { model: 'mock-echo', stream, text: 'one two three two', stop: ' two' });
        const finish = wire.form === 'anthropic' ? 'stop_sequence' : STOP[wire.form];
        expect(answer).toMatchObject({ text: 'one', finish, outputTokens: 1, isComplete: true });
      });

      it('echoes any text exactly', async () => {
        const text = ' Grüße,\n\n世界! 👩🏽‍🚀 "quoted" \\ <b>  ';
        const { answer } = await ask(wire, { model: 'mock-echo', stream, text });
        expect(answer.text).toBe(text);
      });

      it('stops in the middle where its filter says so', async () => {
        const whole = await ask(wire, { model: 'mock-ok', stream });
        const { answer } = await ask(wire, { model: 'mock-content-filter', stream });
        expect(answer).toMatchObject({ finish: FILTERED[wire.form], isComplete: true });
        expect(answer.text).not.toBe('');
        expect(whole.answer.text.startsWith(answer.text)).toBe(true);
        expect(answer.text.length).toBeLessThan(whole.answer.text.length);
      });

      it('ends properly without output', async () => {
        const { seen, answer } = await ask(wire, { model: 'mock-empty', stream });
        expect(seen.over).toBe('end');
        expect(answer).toMatchObject({ text: '', finish: STOP[wire.form], isComplete: true });
        expect(answer.outputTokens ?? 0).toBe(0);
      });

      it('refuses, thinks and calls tools in the way of its API', async () => {
        const refusal = await ask(wire, { model: 'mock-refusal', stream });
        const hasField = wire.form === 'responses' || (wire.form === 'chat' && wire.provider !== 'deepseek');
        expect(refusal.answer[hasField ? 'refusal' : 'text']).toMatch(/cannot help|would rather not/);
        expect(refusal.answer[hasField ? 'text' : 'refusal']).toBe('');

        const thought = await ask(wire, { model: 'mock-reasoning', stream });
        const hides = wire.form === 'chat' && ['openai', 'azure-openai'].includes(wire.provider);
        expect(words(thought.answer.reasoning) > 5).toBe(!hides);
        expect(words(thought.answer.text)).toBeGreaterThanOrEqual(20);
        expect(Number(thought.answer.outputTokens)).toBeGreaterThan(words(thought.answer.text));

        const called = await ask(wire, { model: 'mock-tool-call', stream, tool: true });
        const toolArguments = { word: expect.any(String), count: expect.any(Number) };
        expect(called.answer).toMatchObject({ toolArguments, text: '' });
        expect(called.answer.finish).toBe(CALLS[wire.form]);
      });

      it('breaks off after two thirds', async () => {
        const whole = await ask(wire, { model: 'mock-ok', stream });
        const { seen, body, answer } = await ask(wire, { model: 'mock-stream-cut', stream });
        expect(seen).toMatchObject({ status: 200, over: 'error', error: { code: 'UND_ERR_SOCKET' } });
        expect(answer.isComplete).toBe(false);
        const share = stream ? answer.text.length / whole.answer.text.length : body.length / whole.body.length;
        expect(share).toBeGreaterThan(0.6);
        expect(share).toBeLessThan(0.7);
      });

      it('stalls in the middle for ever', async () => {
        const { seen, body, answer } = await ask(wire, { model: 'mock-stall', stream });
        expect(seen).toMatchObject({ status: 200, over: 'no' });
        expect(body.length).toBeGreaterThan(0);
        expect(answer.isComplete).toBe(false);
      });

      it('fails in the middle: an event of a stream, a status of a whole answer', async () => {
        const { seen, answer } = await ask(wire, { model: 'mock-stream-error', stream });
        expect(seen).toMatchObject({ status: stream ? 200 : 500, over: 'end' });
        expect(answer.error).toMatch(/[Ee]rror|failed|stopped/);
        expect(answer.isComplete).toBe(false);
        expect(words(answer.text) > 5).toBe(stream);
      });

      it('spoils one event, or the whole JSON', async () => {
        const { seen, body, events, answer } = await ask(wire, { model: 'mock-malformed', stream });
        expect(seen).toMatchObject({ status: 200, over: 'end' });
        const spoilt = events.filter((event) => event.json === undefined && event.raw !== '[DONE]');
        expect(spoilt).toHaveLength(stream ? 1 : 0);
        expect(jsonOf(body.toString())).toBe(undefined);
        expect(answer.isComplete).toBe(stream);
      });

      it('says everything but that it is complete', async () => {
        const whole = await ask(wire, { model: 'mock-ok', stream });
        const { seen, body, answer } = await ask(wire, { model: 'mock-no-end', stream });
        expect(seen).toMatchObject({ status: 200, over: 'end' });
        expect(answer).toMatchObject({ isComplete: false, error: undefined });
        const mended = stream ? answer : answerFromJson(wire, jsonOf(`${body.toString()}}`));
        expect(mended.text).toBe(whole.answer.text);
      });

      it('splits characters of several bytes between chunks', async () => {
        const { seen, answer } = await ask(wire, { model: 'mock-multibyte', stream });
        expect(answer.text).toMatch(/[\p{sc=Han}\p{sc=Hira}ł’]/u);
        expect(answer.text).not.toContain('\uFFFD');
        const firsts = seen.chunks.map(({ bytes }) => bytes[0] ?? 0);
        if (stream) expect(firsts.some((byte) => (byte & 0xc0) === 0x80)).toBe(true);
      });

      it('gives the same bytes at the same times for the same seed, and others for another', async () => {
        const question = { model: 'mock-reasoning', stream };
        const [one, same, other] = [await ask(wire, question), await ask(wire, question), await ask(wire, question, 8)];
        expect(same.seen).toEqual(one.seen);
        expect(other.body.equals(one.body)).toBe(false);
      });
    });
  }
}

describe('the catalogue', () => {
  const rows = tableBelow(readFromRoot('docs/mock.md'), '## Models').map(([name = '', text]) => [
    name.replaceAll('`', ''),
    text,
  ]);

  it('is what the page says, name by name', () => {
    expect(Object.fromEntries(rows)).toEqual(MOCK_MODELS);
    expect(rows.map(([name]) => name)).toEqual(Object.keys(MOCK_MODELS));
  });

  it('is what the providers list', async () => {
    for (const [provider, path, way] of [
      ['openai', '/v1/models', ['data', -1, 'id']],
      ['anthropic', '/v1/models', ['last_id']],
      ['ollama', '/api/tags', ['models', -1, 'name']],
    ] as const) {
      const runtime = createVirtualRuntime();
      const transport = createMockTransport({ runtime, provider, seed: 1 });
      const url = new URL(`http://mock.invalid${path}`);
      const seen = exchange(transport, runtime, { method: 'GET', url, headers: {}, body: '' });
      await runtime.runUntilIdle();
      expect(at(jsonOf(bodyOf(seen).toString()), ...way)).toBe(Object.keys(MOCK_MODELS).at(-1));
    }
  });
});

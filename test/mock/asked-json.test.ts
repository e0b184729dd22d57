import { Ajv2020 } from 'ajv/dist/2020.js';
import { describe, expect, it } from 'vitest';

import { createMockTransport } from '../../src/mock/scripted-transport.ts';
import type { ProviderName } from '../../src/core/provider.ts';
import { answerFromEvents, answerFromJson } from '../support/mock-answer-reader.ts';
import type { AnswerSeen } from '../support/mock-answer-reader.ts';
import { SCHEMA, WIRES, at, bodyOf, eventsOf, exchange, jsonOf, requestFor } from '../support/mock-wire-reader.ts';
import type { Question, WireUnderTest } from '../support/mock-wire-reader.ts';
import { createVirtualRuntime } from '../support/virtual-runtime.ts';

const CITY = {
  type: 'object',
  additionalProperties: false,
  required: ['city', 'country', 'population', 'districts'],
  properties: {
    city: { type: 'string' },
    country: { type: 'string', pattern: '^[A-Z]{2}$' },
    population: { type: 'integer', minimum: 0 },
    districts: { type: 'array', minItems: 1, items: { $ref: '#' } },
  },
};
/** One that ends. */
const PLACE = { ...CITY, properties: { ...CITY.properties, districts: { type: 'array', items: { $ref: '#' } } } };

const fits = new Ajv2020().compile(PLACE);
const fitsTool = new Ajv2020().compile({ ...SCHEMA, required: ['word', 'count'] });

const CALLS = { chat: 'tool_calls', responses: 'completed', anthropic: 'tool_use', ollama: 'stop' };
const STOP = { chat: 'stop', responses: 'completed', anthropic: 'end_turn', ollama: 'stop' };
const LENGTH = { chat: 'length', responses: 'max_output_tokens', anthropic: 'max_tokens', ollama: 'length' };

async function bodyFor(provider: ProviderName, request: Parameters<typeof exchange>[2], seed = 7): Promise<Buffer> {
  const runtime = createVirtualRuntime();
  const seen = exchange(createMockTransport({ runtime, provider, seed }), runtime, request);
  await runtime.runUntilIdle();
  expect(seen.status).toBe(200);
  return bodyOf(seen);
}

async function ask(wire: WireUnderTest, question: Question, seed = 7): Promise<AnswerSeen> {
  const body = await bodyFor(wire.provider, requestFor(wire, question), seed);
  if (!question.stream) return answerFromJson(wire, jsonOf(body.toString()));
  return answerFromEvents(wire, eventsOf(wire, body));
}

/** Asks Chat Completions of a provider whole, and returns its message. */
async function chat(provider: ProviderName, more: object): Promise<unknown> {
  const body = JSON.stringify({ model: 'mock-ok', messages: [{ role: 'user', content: 'Hi' }], ...more });
  const url = new URL('http://mock.invalid/v1/chat/completions');
  const text = await bodyFor(provider, { method: 'POST', url, headers: {}, body });
  return at(jsonOf(text.toString()), 'choices', 0, 'message');
}

for (const wire of WIRES) {
  for (const stream of [true, false]) {
    describe(`${wire.name}, ${stream ? 'streamed' : 'whole'}`, () => {
      it('answers with JSON of the schema that is asked for', async () => {
        const answer = await ask(wire, { model: 'mock-ok', stream, json: PLACE });
        expect(fits(jsonOf(answer.text)), answer.text).toBe(true);
        expect(answer).toMatchObject({ finish: STOP[wire.form], isComplete: true });
        const reasoned = await ask(wire, { model: 'mock-reasoning', stream, json: PLACE });
        expect(fits(jsonOf(reasoned.text)), reasoned.text).toBe(true);
      });

      it('answers other questions with other JSON, and the same with the same', async () => {
        const texts = new Set<string>();
        for (const text of ['One?', 'Two?', 'Three?', 'One?']) {
          texts.add((await ask(wire, { model: 'mock-ok', stream, json: PLACE, text })).text);
        }
        expect(texts.size).toBe(3);
        const openai = await ask(WIRES[1] ?? wire, { model: 'mock-ok', stream: false, json: PLACE, text: 'One?' });
        expect(texts).toContain(openai.text);
      });

      it.skipIf(wire.form === 'anthropic')('answers with a small object where any will do', async () => {
        const answer = await ask(wire, { model: 'mock-ok', stream, json: 'any_object' });
        expect(jsonOf(answer.text)).toEqual({ answer: expect.any(String), confidence: expect.any(Number) });
      });

      it('breaks JSON off at a limit of tokens, and in its faults', async () => {
        const cut = await ask(wire, { model: 'mock-ok', stream, json: PLACE, maxTokens: 2 });
        expect(cut).toMatchObject({ finish: LENGTH[wire.form], outputTokens: 2, isComplete: true });
        expect(cut.text).toMatch(/^\{/);
        expect(jsonOf(cut.text)).toBe(undefined);
        const filtered = await ask(wire, { model: 'mock-content-filter', stream, json: PLACE });
        expect(jsonOf(filtered.text)).toBe(undefined);
      });

      it('writes what it says by its name whatever is asked for', async () => {
        const question = { stream, json: PLACE, text: 'no JSON' };
        expect((await ask(wire, { ...question, model: 'mock-echo' })).text).toBe('no JSON');
        expect(jsonOf((await ask(wire, { ...question, model: 'mock-multibyte' })).text)).toBe(undefined);
        expect((await ask(wire, { ...question, model: 'mock-empty' })).text).toBe('');
      });

      it('calls no tool of itself, and with mock-tool-call one whose arguments fit', async () => {
        const words = await ask(wire, { model: 'mock-ok', stream, tool: true });
        expect(words).toMatchObject({ finish: STOP[wire.form], text: expect.stringMatching(/\w+ \w+/) });
        const called = await ask(wire, { model: 'mock-tool-call', stream, tool: true });
        expect(fitsTool(called.toolArguments), JSON.stringify(called.toolArguments)).toBe(true);
      });

      it.skipIf(wire.form === 'ollama').each(['required', 'named'] as const)(
        'calls a tool that is %s',
        async (toolChoice) => {
          for (const model of ['mock-ok', 'mock-slow', 'mock-echo']) {
            const answer = await ask(wire, { model, stream, tool: true, toolChoice, json: PLACE });
            expect(fitsTool(answer.toolArguments), JSON.stringify(answer.toolArguments)).toBe(true);
            expect(answer).toMatchObject({ finish: CALLS[wire.form], text: '', isComplete: true });
          }
        },
      );

      it.skipIf(wire.form === 'ollama')('calls none where none may be', async () => {
        const answer = await ask(wire, { model: 'mock-tool-call', stream, tool: true, toolChoice: 'none' });
        expect(answer).toMatchObject({ finish: STOP[wire.form], text: expect.stringMatching(/\w+ \w+/) });
      });
    });
  }
}

describe('a choice among tools', () => {
  const tools = ['one', 'two', 'three'].map((name) => ({ type: 'function', function: { name, parameters: {} } }));
  const reference = (name: string): object => ({ type: 'function', function: { name } });
  const nameIn = (message: unknown): unknown => at(message, 'tool_calls', 0, 'function', 'name');

  it.each<readonly [unknown, string | undefined]>([
    ['required', 'one'],
    ['any', 'one'],
    ['auto', undefined],
    [reference('two'), 'two'],
    [{ type: 'allowed_tools', allowed_tools: { mode: 'required', tools: [reference('three')] } }, 'three'],
    [{ type: 'allowed_tools', allowed_tools: { mode: 'auto', tools: [reference('three')] } }, undefined],
    [reference('of no such name'), undefined],
  ])('%j calls %s', async (choice, name) => {
    const message = await chat('openai', { tools, tool_choice: choice });
    expect(nameIn(message)).toBe(name);
    expect(at(message, 'tool_calls', 1)).toBe(undefined);
  });

  it('is kept by mock-tool-call and mock-reasoning-tools too', async () => {
    const allowed = { type: 'allowed_tools', allowed_tools: { mode: 'auto', tools: [reference('three')] } };
    expect(nameIn(await chat('openai', { model: 'mock-tool-call', tools, tool_choice: allowed }))).toBe('three');
    const all = await chat('openai', { model: 'mock-reasoning-tools', tools, tool_choice: reference('two') });
    expect(at(all, 'tool_calls')).toHaveLength(1);
  });

  it('that requires a call requires it behind the results of others as well', async () => {
    const call = { id: 'a', type: 'function', function: { name: 'one', arguments: '{}' } };
    const messages = [
      { role: 'user', content: 'Hi' },
      { role: 'assistant', tool_calls: [call] },
      { role: 'tool', tool_call_id: 'a', content: 'done' },
    ];
    expect(nameIn(await chat('openai', { messages, tools, tool_choice: 'required' }))).toBe('one');
    expect(nameIn(await chat('openai', { model: 'mock-tool-call', messages, tools }))).toBe(undefined);
  });
});

describe('a schema in the prompt', () => {
  const response_format = { type: 'json_object' };
  const said = (text: string): string => `Answer in JSON of this schema, {say} no { more:\n\n${text}\n\nThank you {}.`;

  it.each<readonly [string, readonly object[]]>([
    [
      'of the system',
      [
        { role: 'system', content: said(JSON.stringify(PLACE, null, 2)) },
        { role: 'user', content: 'Rome?' },
      ],
    ],
    ['of the user, in parts', [{ role: 'user', content: [{ type: 'text', text: said(JSON.stringify(PLACE)) }] }]],
    ['as the last of two', [{ role: 'user', content: said(`${JSON.stringify(SCHEMA)} no: ${JSON.stringify(PLACE)}`) }]],
    [
      'before an answer that has another',
      [
        { role: 'user', content: said(JSON.stringify(PLACE)) },
        { role: 'assistant', content: JSON.stringify(SCHEMA) },
        { role: 'user', content: 'Again, please.' },
      ],
    ],
  ])('is kept where an API has JSON alone: %s', async (_, messages) => {
    const text = at(await chat('deepseek', { messages, response_format }), 'content');
    expect(fits(jsonOf(String(text))), String(text)).toBe(true);
  });

  it('is none where it is an example, is torn, or no JSON is asked for', async () => {
    for (const content of ['{"city": "Rome"}', said('{"type": "object", "properties": {'), '{'.repeat(5000)]) {
      const messages = [{ role: 'user', content }];
      const text = at(await chat('deepseek', { messages, response_format }), 'content');
      expect(jsonOf(String(text))).toHaveProperty('answer');
    }
    const messages = [{ role: 'user', content: said(JSON.stringify(PLACE)) }];
    expect(jsonOf(String(at(await chat('deepseek', { messages }), 'content')))).toBe(undefined);
  });
});

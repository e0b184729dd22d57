import { Ajv2020 } from 'ajv/dist/2020.js';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { FinishReason, ToolChoiceMode } from '../../gen/understudy/v1/chat_pb.ts';
import { LlmService } from '../../gen/understudy/v1/llm_pb.ts';
import { WarningCode } from '../../gen/understudy/v1/routing_pb.ts';
import { tool, user } from '../support/chat-parts.ts';
import type { RunningGateway } from '../support/gateway-doors.ts';
import { startGateway } from '../support/gateway-doors.ts';
import { rpcError } from '../support/rpc-error.ts';
import { streamedMessage } from '../support/streamed-message.ts';

const SCHEMA = {
  type: 'object',
  additionalProperties: false,
  required: ['city', 'population', 'rivers'],
  properties: {
    city: { type: 'string', minLength: 3 },
    population: { type: 'integer', minimum: 1000 },
    rivers: { type: 'array', minItems: 1, items: { type: 'string', enum: ['Tiber', 'Po', 'Arno'] } },
  },
};
const fits = new Ajv2020().compile(SCHEMA);
const fitsJson = (text: string): boolean => fits(JSON.parse(text));
const tools = [tool('weather', JSON.stringify(SCHEMA)), tool('clock')];

/** Providers that are sent a schema, with a model that takes one. */
const WITH_SCHEMAS = ['openai', 'azure-openai', 'anthropic', 'groq', 'mistral', 'ollama', 'mock'] as const;
const PROVIDERS = [...WITH_SCHEMAS, 'deepseek'] as const;
/** It cannot be made to call a tool. */
const FREE = 'ollama';

let gateway: RunningGateway;

beforeAll(async () => {
  // No other model of Anthropic's than one that is known can be made to call a tool.
  const modelOf = (provider: string): string => (provider === 'anthropic' ? 'claude-haiku-5-5' : 'mock-ok');
  const azure = { base_url: 'https://mock.invalid/openai/v1', api_key: 'none' };
  const targets = PROVIDERS.map((provider) =>
    Object.assign(
      { name: provider, provider, model: modelOf(provider), mock: true },
      provider === 'azure-openai' ? azure : {},
    ),
  );
  gateway = await startGateway({
    targets,
    retry: { max_repeats: 1 },
  });
});

afterAll(() => gateway.close());

function requestTo(target: string, wish: { readonly repair?: boolean; readonly strict?: boolean }) {
  const value = { name: 'city', schemaJson: JSON.stringify(SCHEMA), ...wish };
  const options = { responseFormat: { format: { case: 'jsonSchema', value } } } as const;
  return { messages: [user('The capital of Italy, as JSON.')], options, routing: { targets: [target] } };
}

describe.each(PROVIDERS)('the mock of %s, through its adapter', (target) => {
  it.runIf(target !== 'deepseek')('answers in JSON of the schema, in one piece and as a stream', async () => {
    const request = requestTo(target, { strict: true });
    const whole = await gateway.client.call(LlmService.method.chat, request);
    expect(fitsJson(whole.text), whole.text).toBe(true);
    expect(whole.warnings.map(({ code }) => code)).not.toContain(WarningCode.SCHEMA_MISMATCH);
    const events = await gateway.client.stream(LlmService.method.streamChat, request).done;
    expect(events.at(-1)?.event.case).toBe('finished');
    const [part] = streamedMessage(events).content;
    expect(part?.part?.value).toBe(whole.text);
  });

  it.runIf(target !== FREE)('calls the tool that is required, with arguments of its schema', async () => {
    const request = { messages: [user('Weather?')], tools, routing: { targets: [target] } };
    for (const toolNames of [[], ['weather']]) {
      const toolChoice = { mode: ToolChoiceMode.REQUIRED, toolNames };
      const answer = await gateway.client.call(LlmService.method.chat, { ...request, toolChoice });
      expect(answer.finishReason).toBe(FinishReason.TOOL_CALLS);
      const calls = answer.message?.content.flatMap(({ part }) => (part.case === 'toolCall' ? [part.value] : []));
      expect(calls?.map(({ name }) => name)).toEqual(['weather']);
      expect(fitsJson(calls?.[0]?.argumentsJson ?? '')).toBe(true);
    }
    const named = { mode: ToolChoiceMode.REQUIRED, toolNames: ['clock'] };
    const clock = await gateway.client.call(LlmService.method.chat, { ...request, toolChoice: named });
    expect(clock.message?.content.map(({ part }) => part.case === 'toolCall' && part.value.name)).toEqual(['clock']);
  });
});

describe('the mock', () => {
  it('of an API without schemas answers in JSON of one once the turn that mends shows it', async () => {
    const without = await gateway.client.call(LlmService.method.chat, requestTo('deepseek', {}));
    expect(without.warnings.map(({ code }) => code)).toContain(WarningCode.SCHEMA_MISMATCH);
    const mended = await gateway.client.call(LlmService.method.chat, requestTo('deepseek', { repair: true }));
    expect(mended.attempts).toHaveLength(2);
    expect(fitsJson(mended.text), mended.text).toBe(true);
  });

  it('of a model that cannot be made to call a tool is not asked to', async () => {
    const toolChoice = { mode: ToolChoiceMode.REQUIRED };
    const request = { messages: [user('Weather?')], tools, toolChoice, routing: { targets: [FREE] } };
    const error = await rpcError(gateway.client.call(LlmService.method.chat, request));
    expect(error).toMatchObject({ reason: 'UNSUPPORTED_PARAMETER', fields: ['tool_choice.mode'] });
  });
});

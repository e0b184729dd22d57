import { describe, expect, it } from 'vitest';
import { ReasoningEffort, Role, ToolChoiceMode } from '../../gen/understudy/v1/chat_pb.ts';
import { WarningCode } from '../../gen/understudy/v1/routing_pb.ts';
import type { Chat } from '../../src/providers/port/adapter.ts';
import { groq } from '../../src/providers/groq.ts';
import { answer, chatOf, refusal, say, wire } from '../support/chat-samples.ts';
import { file, message, PNG, request, tool } from '../support/tool-samples.ts';

const GPT_OSS = 'openai/gpt-oss-120b';

function target(model: string, stream = false) {
  return { name: 'main', provider: 'groq', model, stream } as const;
}

function sent(asked: Chat, model = GPT_OSS) {
  return wire(groq.request(asked, target(model)));
}

describe('a request to Groq', () => {
  it('has its names for the options, and names those that it does not take', () => {
    const { path, body, warnings, localStop } = sent(
      chatOf({
        temperature: 0.5,
        topP: 0.9,
        maxTokens: 100,
        stop: ['1', '2', '3', '4', '5'],
        seed: 7n,
        presencePenalty: 1,
        frequencyPenalty: 1,
        endUser: 'user-1',
      }),
    );
    expect(path).toBe('/chat/completions');
    expect(body).toEqual({
      model: GPT_OSS,
      messages: [{ role: 'user', content: 'Hi' }],
      temperature: 0.5,
      top_p: 0.9,
      max_completion_tokens: 100,
      stop: ['1', '2', '3', '4'],
      seed: 7,
      user: 'user-1',
    });
    expect(warnings).toMatchObject(
      ['options.presence_penalty', 'options.frequency_penalty'].map((field) => ({
        code: WarningCode.PARAMETER_DROPPED,
        field,
      })),
    );
    expect(localStop).toEqual(['5']);
    expect(wire(groq.request(chatOf({}), target(GPT_OSS, true))).body).toMatchObject({
      stream: true,
      stream_options: { include_usage: true },
    });
  });

  it.each([
    [GPT_OSS, ReasoningEffort.NONE, 'low', [WarningCode.PARAMETER_ADJUSTED]],
    [GPT_OSS, ReasoningEffort.HIGH, 'high', []],
    ['qwen/qwen3-32b', ReasoningEffort.NONE, 'none', []],
    ['qwen/qwen3-32b', ReasoningEffort.HIGH, 'default', []],
    ['llama-3.3-70b-versatile', ReasoningEffort.HIGH, undefined, [WarningCode.PARAMETER_DROPPED]],
    ['llama-3.3-70b-versatile', ReasoningEffort.NONE, undefined, []],
  ])('fits the effort for %s: %i becomes %s', (model, reasoningEffort, effort, codes) => {
    const { body, warnings } = sent(chatOf({ reasoningEffort }), model);
    expect(body['reasoning_effort']).toBe(effort);
    expect(warnings.map(({ code }) => code)).toEqual(codes);
  });

  it('sends only the tools that may be called, and none of them strict, which is said', () => {
    const tools = [tool('time', { strict: true }), tool('news'), tool('weather')];
    const toolChoice = { mode: ToolChoiceMode.REQUIRED, toolNames: ['time', 'news'] };
    const { body, warnings } = sent(request({ tools, toolChoice, options: { parallelToolCalls: false } }));
    expect(body).toMatchObject({
      tools: [{ function: { name: 'time' } }, { function: { name: 'news' } }],
      tool_choice: 'required',
      parallel_tool_calls: false,
    });
    expect(JSON.stringify(body)).not.toContain('strict');
    expect(warnings).toMatchObject([{ code: WarningCode.PARAMETER_DROPPED, field: 'tools[0].function.strict' }]);
  });

  it('is checked against its schema here where the model is not held to it', () => {
    const asked = (strict: boolean) => {
      const value = { name: 'a', schemaJson: '{"type":"object"}', strict };
      return chatOf({ responseFormat: { format: { case: 'jsonSchema', value } } });
    };
    expect(sent(asked(true)).body['response_format']).toMatchObject({ json_schema: { name: 'a', strict: true } });
    expect(sent(asked(true)).localSchema).toBeUndefined();
    expect(sent(asked(false)).localSchema).toBe(true);
    const other = sent(asked(true), 'llama-3.3-70b-versatile');
    expect(other.body['response_format']).toMatchObject({ json_schema: { strict: false } });
    expect(other.localSchema).toBe(true);
  });

  it('has images where the model may see, and no files', () => {
    const seen = request({ messages: [message(Role.USER, PNG)] });
    expect(sent(seen, 'meta-llama/llama-4-scout-17b-16e-instruct').body['messages']).toMatchObject([
      { content: [{ type: 'image_url' }] },
    ]);
    expect(refusal(groq.request(seen, target(GPT_OSS))).field).toBe('messages[0].content[0].image');
    const filed = request({ messages: [say(Role.USER, 'Hi'), message(Role.USER, file('application/pdf'))] });
    expect(refusal(groq.request(filed, target('llama-4'))).field).toBe('messages[1].content[0].file');
  });
});

describe('an answer of Groq', () => {
  it('has its reasoning beside its text', () => {
    const choice = {
      index: 0,
      message: { role: 'assistant', reasoning: 'Hm.', content: 'Yes' },
      finish_reason: 'stop',
    };
    const usage = { prompt_tokens: 9, completion_tokens: 3, total_tokens: 12 };
    const read = answer(groq.response({ id: 'chatcmpl-1', model: GPT_OSS, choices: [choice], usage }));
    expect(read).toMatchObject({
      text: 'Yes',
      reasoning: 'Hm.',
      usage: { inputTokens: 9 },
      finish: { reason: 'STOP' },
    });
  });

  it('may break off because the model called a tool wrongly: others may do better', () => {
    const error = { type: 'invalid_request_error', code: 'tool_use_failed', message: 'secret', failed_generation: 'x' };
    const [event] = groq.events()({ name: 'error', data: JSON.stringify({ error }) });
    expect(event).toMatchObject({
      type: 'failure',
      failure: { class: 'capability', reason: 'UNSUPPORTED_PARAMETER', providerCode: 'tool_use_failed' },
    });
    const body = JSON.stringify({ error: { ...error, code: 'json_validate_failed' } });
    const whole = groq.failure({ status: 400, headers: {}, body, wallMs: 0 });
    expect(whole).toMatchObject({ class: 'capability', providerCode: 'json_validate_failed' });
  });
});

import { describe, expect, it } from 'vitest';
import { ReasoningEffort, Role } from '../../../gen/understudy/v1/chat_pb.ts';
import { WarningCode } from '../../../gen/understudy/v1/routing_pb.ts';
import type { AdapterTarget } from '../../../src/providers/port/adapter.ts';
import { ollama } from '../../../src/providers/ollama/chat-api.ts';
import { chatOf, say, wire } from '../../support/chat-samples.ts';

const TARGET: AdapterTarget = { name: 'local', provider: 'ollama', model: 'qwen3:14b', stream: true };

describe('request to Ollama', () => {
  it('sends messages with their roles, and never lets the server shorten a prompt', () => {
    const chat = chatOf({}, [
      say(Role.SYSTEM, 'Be kind.'),
      say(Role.USER, 'One', 'Two', ''),
      say(Role.ASSISTANT, 'Three'),
      say(Role.SYSTEM, 'Be brief.'),
      say(Role.USER, 'Four'),
      say(Role.USER, ''),
    ]);
    expect(wire(ollama.request(chat, TARGET))).toEqual({
      path: '/api/chat',
      body: {
        model: 'qwen3:14b',
        stream: true,
        truncate: false,
        shift: false,
        messages: [
          { role: 'system', content: 'Be kind.' },
          { role: 'user', content: 'One\n\nTwo' },
          { role: 'assistant', content: 'Three' },
          { role: 'system', content: 'Be brief.' },
          { role: 'user', content: 'Four' },
        ],
      },
      warnings: [],
      localStop: [],
    });
  });

  it('says that it wants no stream, because the server streams by default', () => {
    expect(wire(ollama.request(chatOf({}), { ...TARGET, stream: false })).body['stream']).toBe(false);
  });

  it("sends sampling under the server's own names", () => {
    const chat = chatOf({
      temperature: 0,
      topP: 0.9,
      maxTokens: 20,
      seed: 7n,
      stop: ['END', '\n'],
      presencePenalty: 0.1,
      frequencyPenalty: 0.2,
    });
    expect(wire(ollama.request(chat, TARGET))).toMatchObject({
      body: {
        options: {
          temperature: 0,
          top_p: 0.9,
          num_predict: 20,
          seed: 7,
          stop: ['END', '\n'],
          presence_penalty: 0.1,
          frequency_penalty: 0.2,
        },
      },
      warnings: [],
      localStop: [],
    });
  });

  it('names what it leaves out', () => {
    const { body, warnings } = wire(ollama.request(chatOf({ seed: 2n ** 62n, endUser: 'user-7' }), TARGET));
    expect(body).not.toHaveProperty('options');
    expect(warnings).toMatchObject([
      { code: WarningCode.PARAMETER_DROPPED, field: 'options.seed' },
      { code: WarningCode.PARAMETER_DROPPED, field: 'options.end_user' },
    ]);
  });

  it("joins the caller's own options with those of the request; they never touch model and stream", () => {
    const chat = chatOf({
      temperature: 1,
      maxTokens: 9,
      providerOptions: {
        ollama: { options: { num_ctx: 8_192, temperature: 0 }, keep_alive: '5m', model: 'other', stream: false },
      },
    });
    const { body, warnings } = wire(ollama.request(chat, TARGET));
    expect(body).toMatchObject({
      model: 'qwen3:14b',
      stream: true,
      keep_alive: '5m',
      options: { num_ctx: 8_192, temperature: 0, num_predict: 9 },
    });
    expect(warnings.map(({ field }) => field)).toEqual([
      'options.provider_options.ollama.model',
      'options.provider_options.ollama.stream',
    ]);
  });

  it.each([
    ['qwen3:14b', ReasoningEffort.UNSPECIFIED, undefined, 0],
    ['qwen3:14b', ReasoningEffort.NONE, false, 0],
    ['qwen3:14b', ReasoningEffort.LOW, true, 1],
    ['qwen3:14b', ReasoningEffort.MAX, true, 1],
    ['gpt-oss:20b', ReasoningEffort.NONE, 'low', 1],
    ['team/gpt-oss:20b', ReasoningEffort.MINIMAL, 'low', 1],
    ['gpt-oss:20b', ReasoningEffort.LOW, 'low', 0],
    ['gpt-oss:20b', ReasoningEffort.MEDIUM, 'medium', 0],
    ['gpt-oss:120b', ReasoningEffort.XHIGH, 'high', 1],
  ])('asks %s at effort %i to think %s', (model, reasoningEffort, think, warningCount) => {
    const { body, warnings } = wire(ollama.request(chatOf({ reasoningEffort }), { ...TARGET, model }));
    expect(body['think']).toBe(think);
    expect('think' in body).toBe(think !== undefined);
    expect(warnings.map(({ field }) => field)).toEqual(Array(warningCount).fill('options.reasoning_effort'));
  });
});

import { describe, expect, it } from 'vitest';
import { ReasoningEffort, Role } from '../../../../gen/understudy/v1/chat_pb.ts';
import { WarningCode } from '../../../../gen/understudy/v1/routing_pb.ts';
import type { AdapterTarget } from '../../../../src/providers/port/adapter.ts';
import { azureOpenAi } from '../../../../src/providers/azure-openai.ts';
import { openai } from '../../../../src/providers/openai.ts';
import { chatOf, say, wire } from '../../../support/chat-samples.ts';

const responses = openai('responses');

function target(model: string, more: Partial<AdapterTarget> = {}): AdapterTarget {
  return { name: 'main', provider: 'openai', model, stream: false, ...more };
}

function responsesBody(model: string, options: Parameters<typeof chatOf>[0]) {
  return wire(responses.request(chatOf(options), target(model)));
}

function dropped(...fields: readonly string[]) {
  return fields.map((field) => expect.objectContaining({ code: WarningCode.PARAMETER_DROPPED, field }));
}

const CONVERSATION = [
  say(Role.SYSTEM, 'Be brief.'),
  say(Role.SYSTEM, 'Be kind.'),
  say(Role.USER, 'One', 'Two'),
  say(Role.ASSISTANT, 'Three'),
  say(Role.SYSTEM, 'Be quick.'),
  say(Role.USER, 'Four'),
];

describe('a request to the Responses API', () => {
  it('has leading instructions apart, later ones as developer, and is never stored', () => {
    const request = wire(responses.request(chatOf({}, CONVERSATION), target('gpt-6.1-sol')));
    expect(request.path).toBe('/responses');
    expect(request.body).toEqual({
      model: 'gpt-6.1-sol',
      instructions: 'Be brief.\n\nBe kind.',
      input: [
        {
          role: 'user',
          content: [
            { type: 'input_text', text: 'One' },
            { type: 'input_text', text: 'Two' },
          ],
        },
        { role: 'assistant', content: 'Three' },
        { role: 'developer', content: 'Be quick.' },
        { role: 'user', content: 'Four' },
      ],
      include: ['reasoning.encrypted_content'],
      store: false,
    });
  });

  it('sends instructions as input where there is nothing else', () => {
    const request = wire(responses.request(chatOf({}, [say(Role.SYSTEM, 'Go.')]), target('gpt-4o')));
    expect(request.body).toEqual({ model: 'gpt-4o', input: [{ role: 'developer', content: 'Go.' }], store: false });
  });

  it('translates the options that the API has and names those that it has not', () => {
    const request = responsesBody('gpt-4.1', {
      temperature: 0.5,
      topP: 0.9,
      maxTokens: 100,
      stop: ['END'],
      seed: 7n,
      presencePenalty: 1,
      frequencyPenalty: 1,
      endUser: 'user-1',
    });
    expect(request.body).toMatchObject({
      temperature: 0.5,
      top_p: 0.9,
      max_output_tokens: 100,
      safety_identifier: 'user-1',
    });
    expect(request.body).not.toHaveProperty('stop');
    expect(request.warnings).toEqual(dropped('options.seed', 'options.presence_penalty', 'options.frequency_penalty'));
    expect(request.localStop).toEqual(['END']);
  });

  it('reasons up to max where the model does so on this API alone', () => {
    const request = responsesBody('gpt-6-astra', {
      reasoningEffort: ReasoningEffort.MAX,
      temperature: 1,
      providerOptions: { openai: { reasoning: { summary: 'auto' } } },
    });
    expect(request.body['reasoning']).toEqual({ effort: 'max', summary: 'auto' });
    expect(request.warnings).toEqual(dropped('options.temperature'));
  });

  it('asks OpenAI, not Azure, to leave out padding', () => {
    const streamed = (adapter: typeof responses) =>
      wire(adapter.request(chatOf({}), target('gpt-4o', { stream: true }))).body;
    expect(streamed(responses)).toMatchObject({ stream: true, stream_options: { include_obfuscation: false } });
    expect(streamed(azureOpenAi('responses'))).toMatchObject({ stream: true });
    expect(streamed(azureOpenAi('responses'))).not.toHaveProperty('stream_options');
  });

  it('returns encrypted reasoning to the target that made it, without its id, and names what it leaves out', () => {
    const item = { type: 'reasoning', id: 'rs_1', summary: [], encrypted_content: 'abc' };
    const data = new TextEncoder().encode(JSON.stringify(item));
    const thought = (targetName: string) => ({
      part: { case: 'reasoning' as const, value: { text: 'Hm.' } },
      providerState: { target: targetName, data },
    });
    const messages = [
      say(Role.USER, 'Hi'),
      {
        role: Role.ASSISTANT,
        content: [thought('main'), thought('other'), ...(say(Role.ASSISTANT, 'Hello').content ?? [])],
      },
      say(Role.USER, 'Bye'),
    ];
    const request = wire(responses.request(chatOf({}, messages), target('gpt-6.1-sol')));
    expect(request.body['input']).toEqual([
      { role: 'user', content: 'Hi' },
      { type: 'reasoning', summary: [], encrypted_content: 'abc' },
      { role: 'assistant', content: 'Hello' },
      { role: 'user', content: 'Bye' },
    ]);
    expect(request.warnings).toMatchObject([
      { code: WarningCode.PROVIDER_STATE_DROPPED, field: 'messages[1].content[1].provider_state' },
    ]);
  });
});

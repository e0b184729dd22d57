import type { MessageInitShape } from '@bufbuild/protobuf';
import { create } from '@bufbuild/protobuf';
import { describe, expect, it } from 'vitest';
import { Role, ToolChoiceMode } from '../../../gen/understudy/v1/chat_pb.ts';
import { ChatRequestSchema } from '../../../gen/understudy/v1/llm_pb.ts';
import { WarningCode } from '../../../gen/understudy/v1/routing_pb.ts';
import { REASON_STATUS } from '../../../src/core/failure.ts';
import { refusal, say, wire } from '../../support/chat-samples.ts';
import { at, EVERY_ADAPTER } from '../../support/every-adapter.ts';

type ChatInit = MessageInitShape<typeof ChatRequestSchema>;

const DATED = 'https://r.openai.azure.com/openai?api-version=2024-10-21';

const ADAPTERS = [
  ...EVERY_ADAPTER,
  ...EVERY_ADAPTER.filter(({ provider }) => provider === 'azure-openai').map(({ provider, api }) =>
    at(provider, api, DATED),
  ),
];

const user = say(Role.USER, 'Hi');
const TEXT = { part: { case: 'text' as const, value: 'Hi' } };
const NOTHING = { part: { case: undefined } };

/** What all of them refuse. */
const REFUSED: readonly (readonly [string, ChatInit])[] = [
  ['tools[0]', { messages: [user], tools: [{ kind: { case: undefined } }] }],
  ['messages[0].content[0]', { messages: [{ role: Role.USER, content: [NOTHING] }] }],
  ['messages[1].role', { messages: [user, { role: Role.UNSPECIFIED, content: [TEXT] }] }],
  ['messages', { messages: [user, say(Role.ASSISTANT, 'Two')] }],
  ['messages', { messages: [user, say(Role.ASSISTANT, 'Two'), say(Role.SYSTEM, 'Three')] }],
];

describe.each(ADAPTERS)('the adapter of $provider $api$baseUrl', ({ provider, adapter }) => {
  const target = { name: 'main', provider, model: 'm', stream: true };
  const translate = (init: ChatInit) => adapter.request(create(ChatRequestSchema, init), target);

  it.each(REFUSED)('refuses what it does not translate, naming %s', (field, init) => {
    const failure = refusal(translate(init));
    expect(failure).toMatchObject({ class: 'capability', reason: 'UNSUPPORTED_PARAMETER', field });
    expect(REASON_STATUS[failure.reason]).toBe('INVALID_ARGUMENT');
  });

  it('leaves out reasoning of earlier turns, and says so of the state of other targets', () => {
    const reasoning = { part: { case: 'reasoning' as const, value: { text: 'Hm, a secret.' } } };
    const foreign = { ...reasoning, providerState: { target: 'other', data: new Uint8Array([1]) } };
    const { body, warnings } = wire(
      translate({ messages: [user, { role: Role.ASSISTANT, content: [reasoning, foreign, TEXT] }, user] }),
    );
    expect(JSON.stringify(body)).not.toContain('secret');
    expect(warnings).toMatchObject([
      { code: WarningCode.PROVIDER_STATE_DROPPED, field: 'messages[1].content[1].provider_state' },
    ]);
  });

  it('names parallel_tool_calls, which mean nothing without tools', () => {
    const { body, warnings } = wire(translate({ messages: [user], options: { parallelToolCalls: true } }));
    expect(body).not.toHaveProperty('parallel_tool_calls');
    expect(warnings).toMatchObject([{ code: WarningCode.PARAMETER_DROPPED, field: 'options.parallel_tool_calls' }]);
  });

  it('takes what asks for nothing more than text: a hint to cache, the format text, a choice of no tools', () => {
    const plain = wire(translate({ messages: [user] }));
    const hinted = wire(
      translate({
        // Anthropic has such marks.
        messages: [{ role: Role.USER, content: [{ ...TEXT, cacheBreakpoint: provider !== 'anthropic' }] }],
        toolChoice: { mode: ToolChoiceMode.NONE },
        options: { responseFormat: { format: { case: 'text', value: {} } } },
      }),
    );
    expect(hinted).toEqual(plain);
    expect(hinted.warnings).toEqual([]);
  });

  it('sends no empty text, nor a message of which nothing remains', () => {
    const messages = [say(Role.USER, 'One', '', 'Two'), say(Role.ASSISTANT, ''), say(Role.USER, 'Three')];
    const full = [say(Role.USER, 'One', 'Two'), say(Role.USER, 'Three')];
    expect(wire(translate({ messages })).body).toEqual(wire(translate({ messages: full })).body);
  });
});

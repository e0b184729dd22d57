import { create, fromJson, toJson } from '@bufbuild/protobuf';
import type { JsonObject } from '@bufbuild/protobuf';
import { describe, expect, it } from 'vitest';

import { MessageSchema } from '../../gen/understudy/v1/chat_pb.ts';
import { ChatRequestSchema, ChatResponseSchema, LlmService } from '../../gen/understudy/v1/llm_pb.ts';
import type { JsonRecord } from '../../src/providers/shared/json/value.ts';
import { asRecord, recordsOf } from '../../src/providers/shared/json/value.ts';
import type { MessageInit } from '../support/chat-parts.ts';
import { assistant, call, result, results, tool, user } from '../support/chat-parts.ts';
import { chatTarget, gatewayFor } from '../support/failover-stage.ts';
import type { RunningGateway } from '../support/gateway-doors.ts';
import type { Judgement } from '../support/judging-server.ts';
import { judgingServer, refusal, said } from '../support/judging-server.ts';
import { streamedMessage } from '../support/streamed-message.ts';

/** One turn through a door; returns what the assistant said, as the caller would send it back. */
type Turn = (gateway: RunningGateway, messages: readonly MessageInit[], to: string) => Promise<MessageInit>;

function requestFor(messages: readonly MessageInit[], to: string) {
  return { messages: [...messages], tools: [tool('weather')], routing: { targets: [to] } };
}

const DOORS: readonly (readonly [name: string, turn: Turn])[] = [
  [
    'Chat',
    async ({ client }, ...asked) => {
      const { message } = await client.call(LlmService.method.chat, requestFor(...asked));
      return message ?? create(MessageSchema);
    },
  ],
  [
    'StreamChat',
    async ({ client }, ...asked) =>
      streamedMessage(await client.stream(LlmService.method.streamChat, requestFor(...asked)).done),
  ],
  [
    'Chat of the web door',
    async ({ web }, ...asked) => {
      const body = JSON.stringify(toJson(ChatRequestSchema, create(ChatRequestSchema, requestFor(...asked))));
      const headers = { 'content-type': 'application/json' };
      const url = `${web}/understudy.v1.LlmService/Chat`;
      const answered = await fetch(url, { method: 'POST', headers, body });
      expect(answered.status).toBe(200);
      const json: JsonObject = JSON.parse(await answered.text());
      return fromJson(ChatResponseSchema, json).message ?? create(MessageSchema);
    },
  ],
];

const CALL = { id: 'call_1', type: 'function', function: { name: 'weather', arguments: '{"city":"Oslo"}' } };
const SIGNED = { google: { thought_signature: 'c2lnbmVk' } };
const DETAILS = [
  { type: 'reasoning.text', text: 'I must look.', signature: 'sig', format: 'f-1', index: 0 },
  { type: 'reasoning.encrypted', data: 'ZW5j', id: 'r-1', format: 'f-1', index: 1 },
];

/** What servers give out with a call, and what of it must stand in the next request's message of the assistant. */
const SERVERS: readonly (readonly [name: string, message: JsonRecord])[] = [
  ['a signature of a call', { tool_calls: [{ ...CALL, extra_content: SIGNED }] }],
  ['a signature beside a text', { content: 'One moment.', extra_content: SIGNED, tool_calls: [CALL] }],
  ['what it thought', { reasoning_content: 'I must look.', tool_calls: [CALL] }],
  ['what it thought, under the other name', { reasoning: 'I must look.', tool_calls: [CALL] }],
  ['details of what it thought', { reasoning_details: DETAILS, tool_calls: [CALL] }],
  [
    'blocks of what it thought',
    { thinking_blocks: [{ type: 'thinking', thinking: 'Hm.', signature: 's' }], tool_calls: [CALL] },
  ],
  [
    'fields of its own with a call',
    { tool_calls: [{ ...CALL, provider_specific_fields: { thought_signature: 's' } }] },
  ],
];

/** Answers the second turn only where what was given out comes back as it was. */
function insisting(message: JsonRecord) {
  return (body: JsonRecord): Judgement => {
    const back = recordsOf(body['messages']).find(({ role }) => role === 'assistant');
    if (back === undefined) return said(body, message, 'tool_calls');
    const isSame = Object.entries(message).every(
      ([name, value]) => JSON.stringify(back[name]) === JSON.stringify(value),
    );
    return isSame
      ? said(body, { content: 'Rain.' })
      : refusal(400, { message: 'Something of the turn before is missing.' });
  };
}

describe.each(DOORS)('over %s', (_, turn) => {
  it.each(SERVERS)('%s comes back to the server that gave it out', async (_name, message) => {
    const server = await judgingServer(insisting(message));
    const gateway = await gatewayFor({ targets: [chatTarget('lead', server.origin)] });
    const asked = [user('Weather?')];
    const called = await turn(gateway, asked, 'lead');
    const told = await turn(gateway, [...asked, called, results(result('call_1', ['rain']))], 'lead');
    expect(told.content?.map(({ part }) => part?.value)).toEqual(['Rain.']);
    expect(server.bodies).toHaveLength(2);
  });

  it('no other target sees any of it', async () => {
    const [lead, other] = [
      await judgingServer((body) =>
        said(body, { reasoning_details: DETAILS, tool_calls: [{ ...CALL, extra_content: SIGNED }] }),
      ),
      await judgingServer((body) => said(body, { content: 'Rain.' })),
    ];
    const gateway = await gatewayFor({ targets: [chatTarget('lead', lead.origin), chatTarget('other', other.origin)] });
    const called = await turn(gateway, [user('Weather?')], 'lead');
    await turn(gateway, [user('Weather?'), called, results(result('call_1', ['rain']))], 'other');
    const [, back] = recordsOf(other.bodies[0]?.['messages']);
    expect(back).toEqual({ role: 'assistant', content: null, tool_calls: [CALL] });
  });
});

describe('a history that another model has written', () => {
  it.each([
    [
      'what was thought',
      (back: JsonRecord | undefined) =>
        typeof back?.['reasoning_content'] === 'string' && back['reasoning_content'] !== '',
      'thinking is enabled but reasoning_content is missing in assistant tool call message at index 1',
    ],
    [
      'a signature',
      (back: JsonRecord | undefined) => asRecord(recordsOf(back?.['tool_calls'])[0]?.['extra_content']) !== undefined,
      'Function call is missing a thought_signature in functionCall parts.',
    ],
  ])('is taken by a server that insists on %s, once it has said so', async (_, isThere, message) => {
    const server = await judgingServer((body) => {
      const back = recordsOf(body['messages']).find(({ role }) => role === 'assistant');
      return isThere(back) ? said(body, { content: 'Rain.' }) : refusal(400, { message });
    });
    const gateway = await gatewayFor({ targets: [chatTarget('lead', server.origin)] });
    const history = [user('Weather?'), assistant(call('a', 'weather')), results(result('a', ['rain']))];
    const { text } = await gateway.client.call(LlmService.method.chat, requestFor(history, 'lead'));
    expect(text).toBe('Rain.');
    expect(server.bodies).toHaveLength(2);
  });

  it('goes to a server without what that refuses, once it has said so', async () => {
    const server = await judgingServer((body) => {
      const back = recordsOf(body['messages']).find(({ role }) => role === 'assistant');
      if (back === undefined) return said(body, { reasoning: 'Hm.', tool_calls: [CALL] }, 'tool_calls');
      return 'reasoning' in back
        ? refusal(400, { message: "'messages.1' : property 'reasoning' is unsupported" })
        : said(body, { content: 'Rain.' });
    });
    const gateway = await gatewayFor({ targets: [chatTarget('lead', server.origin)] });
    const asked = [user('Weather?')];
    const { message } = await gateway.client.call(LlmService.method.chat, requestFor(asked, 'lead'));
    const history = [...asked, message ?? create(MessageSchema), results(result('call_1', ['rain']))];
    const { text } = await gateway.client.call(LlmService.method.chat, requestFor(history, 'lead'));
    expect(text).toBe('Rain.');
  });
});

import { Code, ConnectError, createClient } from '@connectrpc/connect';
import { createConnectTransport } from '@connectrpc/connect-node';
import { describe, expect, it } from 'vitest';

import { BadRequestSchema } from '../../gen/google/rpc/error_details_pb.ts';
import { Role } from '../../gen/understudy/v1/chat_pb.ts';
import { LlmService } from '../../gen/understudy/v1/llm_pb.ts';
import { AttemptKind, WarningCode } from '../../gen/understudy/v1/routing_pb.ts';
import type { JsonRecord } from '../../src/providers/shared/json/value.ts';
import { recordsOf } from '../../src/providers/shared/json/value.ts';
import { call, result, results, tool, user } from '../support/chat-parts.ts';
import type { MessageInit } from '../support/chat-parts.ts';
import { chatTarget, gatewayFor, UNDERSTUDY } from '../support/failover-stage.ts';
import type { AnswerFields } from '../support/failover-stage.ts';
import type { RunningGateway } from '../support/gateway-doors.ts';
import type { JudgingServer, Judgement } from '../support/judging-server.ts';
import { judgingServer, refusal, said } from '../support/judging-server.ts';
import { rpcError } from '../support/rpc-error.ts';
import { textOf } from '../support/stream-text.ts';

const WAYS = ['Chat', 'StreamChat'] as const;

interface Asked {
  readonly messages?: readonly MessageInit[];
  readonly tools?: ReturnType<typeof tool>[];
  readonly options?: object;
}

async function ask(
  { client }: RunningGateway,
  way: (typeof WAYS)[number],
  { messages = [user('Hello')], ...more }: Asked = {},
): Promise<AnswerFields> {
  const request = { messages: [...messages], ...more };
  if (way === 'Chat') return client.call(LlmService.method.chat, request);
  const events = await client.stream(LlmService.method.streamChat, request).done;
  const last = events.at(-1)?.event;
  if (last?.case !== 'finished') throw new Error('a good stream ends with `finished`');
  return { ...last.value, text: textOf(events) };
}

async function before(
  judge: (body: JsonRecord) => Judgement,
  changes: Parameters<typeof chatTarget>[2] = {},
): Promise<{ readonly server: JudgingServer; readonly gateway: RunningGateway }> {
  const server = await judgingServer(judge);
  const gateway = await gatewayFor({ targets: [chatTarget('lead', server.origin, changes), UNDERSTUDY] });
  return { server, gateway };
}

const EXTRA = { type: 'extra_forbidden', loc: ['body', 'stream_options'], msg: 'Extra inputs are not permitted' };

describe('a field that the gateway writes on its own and a server refuses', () => {
  it.each(WAYS)('is left out at once, and from then on, over %s', async (way) => {
    const { server, gateway } = await before((body) =>
      body['stream_options'] === undefined
        ? said(body, { content: 'fine' })
        : { status: 422, json: { detail: [EXTRA] } },
    );
    const first = await ask(gateway, way);
    expect(first).toMatchObject({ text: 'fine', target: 'lead' });
    expect(first.attempts.map(({ kind, target }) => [kind, target])).toEqual([
      [AttemptKind.FIRST, 'lead'],
      [AttemptKind.RETRY, 'lead'],
    ]);
    const second = await ask(gateway, way);
    expect(second.attempts).toHaveLength(1);
    expect(server.bodies.map((body) => 'stream_options' in body)).toEqual([true, false, false]);
  });

  it('is refused by every call of a server that wants something else: then the next target answers', async () => {
    const { server, gateway } = await before(() => ({ status: 422, json: { detail: [EXTRA] } }));
    expect(await ask(gateway, 'StreamChat')).toMatchObject({ target: 'understudy' });
    expect(await ask(gateway, 'StreamChat')).toMatchObject({ target: 'understudy' });
    expect(server.bodies).toHaveLength(3);
  });

  it('stays where the caller has written it', async () => {
    const { server, gateway } = await before((body) =>
      'stream_options' in body ? { status: 422, json: { detail: [EXTRA] } } : said(body, { content: 'fine' }),
    );
    const options = { providerOptions: { openai: { stream_options: { extra: true } } } };
    expect(await ask(gateway, 'StreamChat', { options })).toMatchObject({ target: 'understudy' });
    expect(server.bodies).toHaveLength(1);
  });

  it.each([
    ['max_tokens', 'max_completion_tokens', "Unsupported parameter: 'max_tokens' is not supported with this model."],
    ['max_completion_tokens', 'max_tokens', 'Unrecognized request argument supplied: max_completion_tokens'],
  ])('has another name where it has two: %s becomes %s', async (refused, taken, message) => {
    const model = refused === 'max_tokens' ? 'house-model' : 'gpt-4o';
    const { server, gateway } = await before(
      (body) => (refused in body ? refusal(400, { message, param: refused }) : said(body, { content: 'fine' })),
      { model },
    );
    const options = { maxTokens: 1_000 };
    const { text, target, warnings } = await ask(gateway, 'Chat', { options });
    expect([text, target]).toEqual(['fine', 'lead']);
    expect(warnings.filter(({ field }) => field !== 'model')).toEqual([]);
    expect(server.bodies[1]).toMatchObject({ [taken]: 1_000 });
    expect(server.bodies[1]).not.toHaveProperty(refused);
  });

  it('is the role of instructions: a server that knows no developer gets them as system', async () => {
    const { server, gateway } = await before(
      (body) =>
        recordsOf(body['messages'])[0]?.['role'] === 'developer'
          ? refusal(400, { message: "'developer' is not one of ['system', 'assistant', 'user'] - 'messages.0.role'" })
          : said(body, { content: 'fine' }),
      { model: 'gpt-5' },
    );
    const messages = [{ ...user('Be brief.'), role: Role.SYSTEM }, user('Hi')];
    expect(await ask(gateway, 'StreamChat', { messages })).toMatchObject({ text: 'fine', target: 'lead' });
    expect(recordsOf(server.bodies[1]?.['messages'])[0]).toEqual({ role: 'system', content: 'Be brief.' });
  });

  it('leaves the refusal of what the caller asked for a refusal', async () => {
    const server = await judgingServer(() =>
      refusal(400, { message: "Unsupported parameter: 'seed'", code: 'unsupported_parameter', param: 'seed' }),
    );
    const gateway = await gatewayFor({ targets: [chatTarget('lead', server.origin)] });
    const error = await rpcError(ask(gateway, 'Chat', { options: { seed: 1n } }));
    expect(error).toMatchObject({ code: 'INVALID_ARGUMENT', reason: 'UNSUPPORTED_PARAMETER' });
    expect(server.bodies).toHaveLength(1);
  });
});

describe('a field by which the caller asks a provider for several answers', () => {
  it('is refused at both doors, and nothing is sent', async () => {
    const { server, gateway } = await before((body) => said(body, { content: 'fine' }));
    const asked = { messages: [user('Hello')], options: { providerOptions: { openai: { n: 2 } } } };
    const fields = ['options.provider_options["openai"]["n"]'];
    for (const way of WAYS) {
      const error = await rpcError(ask(gateway, way, asked));
      expect(error).toMatchObject({ code: 'INVALID_ARGUMENT', fields });
    }
    const web = createClient(LlmService, createConnectTransport({ baseUrl: gateway.web, httpVersion: '1.1' }));
    const thrown = ConnectError.from(await web.chat(asked).catch((error: unknown) => error));
    const [found] = thrown.findDetails(BadRequestSchema);
    expect([thrown.code, found?.fieldViolations.map(({ field }) => field)]).toEqual([Code.InvalidArgument, fields]);
    expect(server.bodies).toEqual([]);
  });
});

const SYSTEM_FIRST = refusal(400, {
  message: 'System message must be at the beginning.',
  type: 'BadRequestError',
  code: 400,
});

/** Takes a system message as the first one alone, as many templates do. */
function strictTemplate(body: JsonRecord): Judgement {
  const later = recordsOf(body['messages']).slice(1);
  return later.some(({ role }) => role === 'system') ? SYSTEM_FIRST : said(body, { content: 'fine' });
}

const rule = (words: string): MessageInit => ({ ...user(words), role: Role.SYSTEM });

describe('instructions at a server whose template takes one system message', () => {
  it.each(WAYS)('are one message where several begin the conversation, over %s', async (way) => {
    const { server, gateway } = await before(strictTemplate);
    expect(await ask(gateway, way, { messages: [rule('A'), rule('B'), user('hi')] })).toMatchObject({ target: 'lead' });
    expect(server.bodies).toHaveLength(1);
    expect(recordsOf(server.bodies[0]?.['messages'])).toEqual([
      { role: 'system', content: 'A\n\nB' },
      { role: 'user', content: 'hi' },
    ]);
  });

  it('are moved to the beginning, with a warning, once later ones were refused', async () => {
    const { server, gateway } = await before(strictTemplate);
    const told: MessageInit = { ...user('Hello.'), role: Role.ASSISTANT };
    const messages = [rule('A'), user('hi'), told, rule('B'), user('and now?')];
    const answered = await ask(gateway, 'StreamChat', { messages });
    expect(answered).toMatchObject({ text: 'fine', target: 'lead' });
    expect(answered.warnings).toMatchObject([
      { code: WarningCode.PARAMETER_ADJUSTED, field: 'messages', target: 'lead' },
    ]);
    expect(recordsOf(server.bodies[1]?.['messages'])).toEqual([
      { role: 'system', content: 'A\n\nB' },
      { role: 'user', content: 'hi' },
      { role: 'assistant', content: 'Hello.' },
      { role: 'user', content: 'and now?' },
    ]);
  });
});

const LONG_ID = `call_${'x'.repeat(70)}`;

function history(id: string): MessageInit[] {
  return [
    user('Weather?'),
    { ...user(call(id, 'weather', '{"city":"Oslo"}')), role: Role.ASSISTANT },
    results(result(id, ['rain'])),
  ];
}

function idsIn(body: JsonRecord | undefined): readonly unknown[] {
  return recordsOf(body?.['messages']).flatMap((message) => {
    const answered = 'tool_call_id' in message ? [message['tool_call_id']] : [];
    return recordsOf(message['tool_calls'])
      .map(({ id }) => id)
      .concat(answered);
  });
}

describe('ids of calls that another provider has made', () => {
  const tools = [tool('weather')];
  const needs = (pattern: RegExp, message: string) => (body: JsonRecord) =>
    idsIn(body).every((id) => typeof id === 'string' && pattern.test(id))
      ? said(body, { content: 'Rain.' })
      : refusal(400, { message, type: 'invalid_request_error' });
  const NINE = needs(/^[A-Za-z0-9]{9}$/, 'Tool call id was abc but must be a-z, A-Z, 0-9, with a length of 9.');

  it.each([
    ['mistral-large-latest', 1, NINE],
    ['mistralai/Mistral-Small-24B', 1, NINE],
    // What stands behind a name of the house is learnt.
    ['house-model', 2, NINE],
    [
      'gpt-4o',
      1,
      needs(
        /^.{1,64}$/,
        "Invalid 'messages[1].tool_calls[0].id': string too long. Expected a string with maximum length 64",
      ),
    ],
    [
      'gpt-4o',
      2,
      needs(
        /^.{1,40}$/,
        "Invalid 'messages[1].tool_calls[0].id': string too long. Expected a string with maximum length 40",
      ),
    ],
    [
      'claude-opus-5-5',
      1,
      needs(/^[\w-]{1,64}$/, "messages.1.content.0.tool_use.id: String should match pattern '^[a-zA-Z0-9_-]+$'"),
    ],
    [
      'house-model',
      2,
      needs(/^[\w-]{1,64}$/, "messages.1.content.0.tool_use.id: String should match pattern '^[a-zA-Z0-9_-]+$'"),
    ],
  ])('are written as %s wants them, at the price of %i calls', async (model, calls, judge) => {
    const { server, gateway } = await before(judge, { model });
    const id = calls === 2 && model === 'gpt-4o' ? `call_${'x'.repeat(50)}` : `${LONG_ID}:0`;
    expect(await ask(gateway, 'Chat', { messages: history(id), tools })).toMatchObject({
      text: 'Rain.',
      target: 'lead',
    });
    expect(server.bodies).toHaveLength(calls);
    const [given, answered] = idsIn(server.bodies.at(-1));
    expect(given).toBe(answered);
    await ask(gateway, 'StreamChat', { messages: history(id), tools });
    expect(idsIn(server.bodies.at(-1))).toEqual([given, answered]);
    expect(server.bodies).toHaveLength(calls + 1);
  });

  it('are left alone where they fit, or nobody refuses them', async () => {
    const { server, gateway } = await before((body) => said(body, { content: 'Rain.' }), { model: 'kimi-k2.6' });
    await ask(gateway, 'Chat', { messages: history('functions.weather:0'), tools });
    expect(idsIn(server.bodies[0])).toEqual(['functions.weather:0', 'functions.weather:0']);
  });
});

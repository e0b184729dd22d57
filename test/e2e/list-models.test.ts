import { expect, test } from 'vitest';

import { Capability, LlmService } from '../../gen/understudy/v1/llm_pb.ts';
import { respond } from '../support/chaos-upstream.ts';
import { image, user } from '../support/chat-parts.ts';
import { ask, chaosUpstream, chatTarget, gatewayFor, UNDERSTUDY } from '../support/failover-stage.ts';
import { goodAnswer } from '../support/openai-bodies.ts';
import { trailOf } from '../support/rpc-error.ts';

const supported = (is: boolean) => ({ supported: is });

const NEXT_CLAUDE = {
  id: 'claude-next',
  type: 'model',
  lifecycle: 'active',
  max_input_tokens: 2_000_000,
  max_tokens: 256_000,
  capabilities: {
    image_input: supported(true),
    pdf_input: supported(true),
    structured_outputs: supported(false),
    thinking: supported(true),
  },
};

test('ListModels shows what the catalogue knows and what the providers list', async () => {
  const upstream = await chaosUpstream();
  upstream.script(respond(200, 'application/json', JSON.stringify({ data: [NEXT_CLAUDE], has_more: false })));
  const claude = { name: 'claude', provider: 'anthropic', base_url: upstream.origin, api_key: 'sk-ant' } as const;
  const gateway = await gatewayFor({
    targets: [claude, { name: 'own', provider: 'openai', api_key: 'sk', mock: true }],
  });
  const { models } = await gateway.client.call(LlmService.method.listModels, {});
  expect(await upstream.request(0)).toMatchObject({
    method: 'GET',
    path: '/v1/models?limit=1000',
    headers: { authorization: 'Bearer sk-ant', 'anthropic-version': '2026-10-21' },
  });
  expect(models.find(({ id }) => id === 'claude-next')).toMatchObject({
    target: 'claude',
    contextWindow: 2_000_000,
    maxOutputTokens: 256_000,
    capabilities: [
      Capability.TOOLS,
      Capability.PARALLEL_TOOLS,
      Capability.IMAGE_INPUT,
      Capability.FILE_INPUT,
      Capability.REASONING,
      Capability.CACHE_BREAKPOINTS,
    ],
  });
  expect(models.find(({ id }) => id === 'gpt-6.1-sol')).toMatchObject({
    target: 'own',
    contextWindow: 1_050_000,
    capabilities: expect.arrayContaining([Capability.TOOLS, Capability.JSON_SCHEMA, Capability.REASONING]) as unknown,
    prices: { input: '2' },
  });
  expect(upstream.requestCount).toBe(1);
  await gateway.client.call(LlmService.method.listModels, {});
  expect(upstream.requestCount).toBe(1);
});

test('a list that does not come is not waited for long, and ends with the gateway', async () => {
  const upstream = await chaosUpstream();
  upstream.script({ do: 'await_close' });
  const due = new Map<number, () => void>();
  const setIdleTimer = (ms: number, fire: () => void) => due.set(ms, fire);
  const gateway = await gatewayFor({ targets: [chatTarget('lab', upstream.origin)] }, { setIdleTimer });
  const listing = gateway.client.call(LlmService.method.listModels, { target: 'lab' });
  const { connection } = await upstream.request(0);
  due.get(2_000)?.();
  expect((await listing).models.map(({ id }) => id)).toContain('model-1');
  await gateway.close();
  await (
    await upstream.connection(connection)
  ).closed;
});

test('a prompt that is far too long for a model is not sent to it', async () => {
  const lead = await chaosUpstream();
  const gateway = await gatewayFor({ targets: [chatTarget('lead', lead.origin, { model: 'small' }), UNDERSTUDY] });
  const listing = { data: [{ id: 'small', object: 'model', owned_by: 'vllm', max_model_len: 8_192 }] };
  lead.script(respond(200, 'application/json', JSON.stringify(listing)));
  await gateway.client.call(LlmService.method.listModels, {});
  const { attempts } = await ask(gateway, 'Chat', { text: 'word '.repeat(16_000) });
  expect(trailOf(attempts)).toEqual(['SKIPPED lead CONTEXT_LENGTH_EXCEEDED', 'FIRST understudy OK']);
  lead.script(...goodAnswer(false, 'hello'));
  expect(trailOf((await ask(gateway, 'Chat', { text: 'word '.repeat(2_000) })).attempts)).toEqual(['FIRST lead OK']);
});

test('what images and files are guessed at keeps no request from a model with a small window', async () => {
  const lead = await chaosUpstream();
  const gateway = await gatewayFor({ targets: [chatTarget('lead', lead.origin, { model: 'small' }), UNDERSTUDY] });
  const listing = { data: [{ id: 'small', object: 'model', owned_by: 'vllm', max_model_len: 512 }] };
  lead.script(respond(200, 'application/json', JSON.stringify(listing)));
  await gateway.client.call(LlmService.method.listModels, {});
  lead.script(...goodAnswer(false, 'a dot'));
  const scan = {
    part: {
      case: 'file',
      value: { data: Buffer.from(`%PDF-1.7${' '.repeat(100_000)}`), mediaType: 'application/pdf' },
    },
  } as const;
  const messages = [user(image(Uint8Array.of(0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a)), scan, 'What is it?')];
  const { attempts } = await gateway.client.call(LlmService.method.chat, { messages });
  expect(trailOf(attempts)).toEqual(['FIRST lead OK']);
});

import { describe, expect, it } from 'vitest';

import { ReasoningEffort, Role } from '../../../gen/understudy/v1/chat_pb.ts';
import type { OpenAiApi } from '../../../src/core/provider.ts';
import { adapterFor } from '../../../src/providers/registry.ts';
import { createHeadSource } from '../../../src/upstream/head/sdk.ts';
import { chatOf, say, wire } from '../../support/chat-samples.ts';

const RESOURCE = 'https://r.openai.azure.com';

/** What a chat completion may have in it in version 2024-10-21, as far as it is of interest here. Source: Azure/azure-rest-api-specs. */
const FIELDS_2024_10_21 = [
  'frequency_penalty',
  'max_completion_tokens',
  'max_tokens',
  'messages',
  'model',
  'presence_penalty',
  'seed',
  'stop',
  'stream',
  'stream_options',
  'temperature',
  'top_p',
  'user',
];

/** Translates a request with all options and forms its head, as a call does. */
async function call(baseUrl: string, api: OpenAiApi, model = 'my-deployment') {
  const target = { name: 'azure', provider: 'azure-openai', model, stream: true } as const;
  const chat = chatOf(
    {
      temperature: 0.5,
      topP: 0.9,
      maxTokens: 100,
      stop: ['END'],
      seed: 7n,
      presencePenalty: 1,
      frequencyPenalty: -1,
      endUser: 'user-1',
    },
    [say(Role.SYSTEM, 'Be brief.'), say(Role.USER, 'Hi')],
  );
  const { path, body, warnings } = wire(adapterFor('azure-openai', api, baseUrl).request(chat, target));
  const heads = createHeadSource({ provider: 'azure-openai', baseUrl, apiKey: 'azure-key' });
  const { url, headers } = await heads.head({ path, stream: true, model });
  return { url: url.href, headers, body, warnings };
}

describe('a call at a dated endpoint of Azure', () => {
  it.each(['/openai', '/openai/', '/openai/deployments/my-deployment'])(
    'goes to the deployment, with its version and nothing that it does not know (%s)',
    async (path) => {
      const { url, headers, body, warnings } = await call(
        `${RESOURCE}${path}?api-version=2024-10-21`,
        'chat_completions',
      );
      expect(url).toBe(`${RESOURCE}/openai/deployments/my-deployment/chat/completions?api-version=2024-10-21`);
      expect(headers).toMatchObject({ 'api-key': 'azure-key' });
      expect(headers).not.toHaveProperty('authorization');
      expect(FIELDS_2024_10_21).toEqual(expect.arrayContaining(Object.keys(body)));
      expect(body).toMatchObject({
        user: 'user-1',
        max_completion_tokens: 100,
        stream_options: { include_usage: true },
      });
      expect(warnings).toEqual([]);
    },
  );

  it('gives instructions as system, also where the deployment has the name of a model that reasons', async () => {
    const { body } = await call(`${RESOURCE}/openai?api-version=2025-04-01-preview`, 'chat_completions', 'o3');
    expect(body['messages']).toMatchObject([{ role: 'system' }, { role: 'user' }]);
    expect(body).toHaveProperty('max_completion_tokens', 100);
  });

  it('of the Responses API has no deployment in its path, but in its body', async () => {
    const { url, body } = await call(`${RESOURCE}/openai?api-version=2025-04-01-preview`, 'responses');
    expect(url).toBe(`${RESOURCE}/openai/responses?api-version=2025-04-01-preview`);
    expect(body).toMatchObject({ model: 'my-deployment', user: 'user-1' });
    expect(body).not.toHaveProperty('safety_identifier');
  });
});

describe('a call at a v1 endpoint of Azure', () => {
  it.each(['', '?api-version=preview'])(
    'has the deployment in its body, and today’s fields (query %j)',
    async (query) => {
      const { url, headers, body } = await call(`${RESOURCE}/openai/v1${query}`, 'chat_completions');
      expect(url).toBe(`${RESOURCE}/openai/v1/chat/completions${query}`);
      expect(headers).toMatchObject({ authorization: 'Bearer azure-key' });
      expect(body).toMatchObject({ model: 'my-deployment', safety_identifier: 'user-1', max_completion_tokens: 100 });
      expect(body).not.toHaveProperty('user');
    },
  );

  it('passes an effort on to a deployment of any name', () => {
    const target = { name: 'azure', provider: 'azure-openai', model: 'my-deployment', stream: false } as const;
    const chat = chatOf({ reasoningEffort: ReasoningEffort.LOW });
    const { body } = wire(adapterFor('azure-openai', 'responses', `${RESOURCE}/openai/v1`).request(chat, target));
    expect(body['reasoning']).toEqual({ effort: 'low' });
  });
});

import { AzureOpenAI, OpenAI } from 'openai';
import { describe, expect, it } from 'vitest';

import { createHeadSource } from '../../../src/upstream/head/sdk.ts';
import type { HeadTarget } from '../../../src/upstream/port/request-head.ts';
import { comparable, JSON_ANSWER, useSdkHarness } from './sdk-harness.ts';

const KEY = 'sk-test-key';

const LEAKS = {
  OPENAI_API_KEY: 'sk-leak',
  OPENAI_ADMIN_KEY: 'sk-admin-leak',
  OPENAI_ORG_ID: 'org-leak',
  OPENAI_PROJECT_ID: 'proj-leak',
  OPENAI_BASE_URL: 'http://127.0.0.1:9/leak',
  OPENAI_WEBHOOK_SECRET: 'whsec-leak',
  OPENAI_LOG: 'leak-level',
  OPENAI_CUSTOM_HEADERS: 'X-Leak: leak\nUser-Agent: leak\nAuthorization: Bearer leak\nX-Stainless-Lang: leak',
  OPENAI_API_VERSION: 'leak-version',
  AZURE_OPENAI_API_KEY: 'leak-azure',
  AZURE_OPENAI_ENDPOINT: 'http://127.0.0.1:9/leak-azure',
} as const;

const chat = { model: 'some-model', messages: [{ role: 'user' as const, content: 'Grüße 😀' }] };
const streamedChat = { model: 'some-model', messages: [], stream: true as const };
const responses = { model: 'some-model', input: 'Grüße 😀', store: false } satisfies object;

const harness = useSdkHarness(LEAKS);

const STREAM_ANSWER = { status: 200, headers: { 'content-type': 'text/event-stream' }, body: 'data: [DONE]\n\n' };

describe('a request with a formed head is the request of the untouched SDK', () => {
  const client = (): OpenAI => new OpenAI({ apiKey: KEY, baseURL: `${harness.server.origin}/v1`, maxRetries: 0 });

  it('of the Responses API', async () => {
    const theirs = await harness.theirs(JSON_ANSWER, () => client().responses.create(responses));
    const ours = await harness.ours(
      { provider: 'openai', baseUrl: `${harness.server.origin}/v1`, apiKey: KEY },
      '/responses',
      responses,
    );
    expect(comparable(ours)).toEqual(comparable(theirs));
    expect(ours.path).toBe('/v1/responses');
  });

  it('of the Responses API, streamed', async () => {
    const body = { ...responses, stream: true } as const;
    const theirs = await harness.theirs(STREAM_ANSWER, () => client().responses.create(body));
    const ours = await harness.ours(
      { provider: 'openai', baseUrl: `${harness.server.origin}/v1`, apiKey: KEY },
      '/responses',
      body,
    );
    expect(comparable(ours)).toEqual(comparable(theirs));
  });

  it.each(['openai', 'deepseek', 'azure-openai', 'mock'] as const)('of Chat Completions (%s)', async (provider) => {
    const theirs = await harness.theirs(JSON_ANSWER, () => client().chat.completions.create(chat));
    const ours = await harness.ours(
      { provider, baseUrl: `${harness.server.origin}/v1`, apiKey: KEY },
      '/chat/completions',
      chat,
    );
    expect(comparable(ours)).toEqual(comparable(theirs));
    expect(ours.headers.authorization).toBe(`Bearer ${KEY}`);
  });

  it('of Chat Completions, streamed', async () => {
    const theirs = await harness.theirs(STREAM_ANSWER, () => client().chat.completions.create(streamedChat));
    const ours = await harness.ours(
      { provider: 'openai', baseUrl: `${harness.server.origin}/v1/`, apiKey: KEY },
      '/chat/completions',
      streamedChat,
    );
    expect(comparable(ours)).toEqual(comparable(theirs));
  });

  it.each(['/openai', '/openai/deployments/some-model'])('of a dated endpoint of Azure (%s)', async (base) => {
    const azure = new AzureOpenAI({
      apiKey: KEY,
      baseURL: `${harness.server.origin}${base}`,
      apiVersion: '2024-10-21',
      maxRetries: 0,
    });
    const theirs = await harness.theirs(JSON_ANSWER, () => azure.chat.completions.create(chat));
    const baseUrl = `${harness.server.origin}${base}?api-version=2024-10-21`;
    const ours = await harness.ours({ provider: 'azure-openai', baseUrl, apiKey: KEY }, '/chat/completions', chat);
    expect(comparable(ours)).toEqual(comparable(theirs));
    expect(ours.path).toBe('/openai/deployments/some-model/chat/completions?api-version=2024-10-21');
    expect(ours.headers['api-key']).toBe(KEY);
    expect(ours.headers.authorization).toBeUndefined();
  });
});

describe('the environment', () => {
  const targets: readonly HeadTarget[] = [
    { provider: 'openai', baseUrl: 'https://api.openai.test/v1', apiKey: KEY },
    { provider: 'openai', baseUrl: 'http://127.0.0.1:8000/v1' },
    { provider: 'deepseek', baseUrl: 'https://api.deepseek.test', apiKey: KEY },
    { provider: 'azure-openai', baseUrl: 'https://r.openai.azure.test/openai/v1', apiKey: KEY },
    { provider: 'azure-openai', baseUrl: 'https://r.openai.azure.test/openai?api-version=2024-10-21', apiKey: KEY },
    { provider: 'ollama', baseUrl: 'http://127.0.0.1:11434' },
    { provider: 'mock', baseUrl: 'http://mock.test/v1' },
  ];

  it.each(targets)('leaks nothing into a request to $provider at $baseUrl', async (target) => {
    const request = { path: '/chat/completions', stream: true, model: 'm' };
    const clean = await createHeadSource(target).head(request);
    Object.assign(process.env, LEAKS);
    const head = await createHeadSource(target).head(request);
    expect(head).toEqual(clean);
    expect(`${head.url.href} ${JSON.stringify(head.headers)}`).not.toContain('leak');
  });

  it('does leak into the untouched SDK, so that this test can fail', async () => {
    Object.assign(process.env, LEAKS, { OPENAI_LOG: 'off' });
    const { headers } = await harness.theirs(JSON_ANSWER, () =>
      new OpenAI({ baseURL: harness.server.origin, maxRetries: 0 }).models.list().catch(() => undefined),
    );
    expect(headers).toMatchObject({ 'x-leak': 'leak', 'openai-organization': 'org-leak' });
  });
});

describe('a head', () => {
  it('without a key has no authorization', async () => {
    const { headers } = await createHeadSource({ provider: 'openai', baseUrl: `${harness.server.origin}/v1` }).head({
      path: '/chat/completions',
      stream: false,
      model: 'm',
    });
    expect(headers['authorization']).toBeUndefined();
    expect(headers['content-length']).toBeUndefined();
    expect(headers['content-type']).toBe('application/json');
  });

  it('names the organization to OpenAI alone', async () => {
    const request = { path: '/responses', stream: false, model: 'm' };
    const own = { baseUrl: `${harness.server.origin}/v1`, apiKey: KEY, organization: 'org-own' };
    expect((await createHeadSource({ ...own, provider: 'openai' }).head(request)).headers['openai-organization']).toBe(
      'org-own',
    );
    expect(
      (await createHeadSource({ ...own, provider: 'deepseek' }).head(request)).headers['openai-organization'],
    ).toBeUndefined();
  });

  it('of Ollama is plain, with a key where its cloud wants one', async () => {
    const request = { path: '/api/chat', stream: true, model: 'm' };
    const local = await createHeadSource({ provider: 'ollama', baseUrl: 'http://localhost:11434/' }).head(request);
    expect(local).toEqual({
      url: new URL('http://localhost:11434/api/chat'),
      headers: { accept: 'application/x-ndjson', 'content-type': 'application/json' },
    });
    const cloud = await createHeadSource({ provider: 'ollama', baseUrl: 'https://ollama.test', apiKey: KEY }).head(
      request,
    );
    expect(cloud.headers['authorization']).toBe(`Bearer ${KEY}`);
  });

  it('is formed once, and then there at once', async () => {
    const heads = createHeadSource({ provider: 'openai', baseUrl: `${harness.server.origin}/v1`, apiKey: KEY });
    const request = { path: '/responses', stream: false, model: 'm' };
    const forming = heads.head(request);
    expect(forming).toBeInstanceOf(Promise);
    const formed = await forming;
    expect(heads.head({ ...request, model: 'another' })).toBe(formed);
    expect(harness.server.requests).toHaveLength(0);
  });

  it('of each deployment at a dated endpoint of Azure is its own', async () => {
    const heads = createHeadSource({
      provider: 'azure-openai',
      baseUrl: `${harness.server.origin}/openai?api-version=1`,
      apiKey: KEY,
    });
    const paths = ['one', 'two'].map(async (model) => {
      const { url } = await heads.head({ path: '/chat/completions', stream: false, model });
      return url.pathname;
    });
    expect(await Promise.all(paths)).toEqual([
      '/openai/deployments/one/chat/completions',
      '/openai/deployments/two/chat/completions',
    ]);
  });

  it('of a base URL that is none is refused, each time', async () => {
    const heads = createHeadSource({ provider: 'openai', baseUrl: 'no url', apiKey: KEY });
    const request = { path: '/responses', stream: false, model: 'm' };
    await expect(heads.head(request)).rejects.toThrow();
    await expect(heads.head(request)).rejects.toThrow();
  });
});

import { Anthropic } from '@anthropic-ai/sdk';
import { describe, expect, it } from 'vitest';

import { Role } from '../../../gen/understudy/v1/chat_pb.ts';
import { anthropic } from '../../../src/providers/anthropic/messages-api.ts';
import { createHeadSource } from '../../../src/upstream/head/sdk.ts';
import type { HeadTarget } from '../../../src/upstream/port/request-head.ts';
import { chatOf, say, wire } from '../../support/chat-samples.ts';
import { comparable, JSON_ANSWER, useSdkHarness } from './sdk-harness.ts';

const KEY = 'sk-ant-test-key';

/** Every variable that the SDK reads, the places of its profiles among them. */
const LEAKS = {
  ANTHROPIC_API_KEY: 'sk-ant-leak',
  ANTHROPIC_AUTH_TOKEN: 'token-leak',
  ANTHROPIC_BASE_URL: 'http://127.0.0.1:9/leak',
  ANTHROPIC_CUSTOM_HEADERS:
    'X-Leak: leak\nUser-Agent: leak\nAuthorization: Bearer leak\nX-Api-Key: leak\nanthropic-version: leak',
  ANTHROPIC_FEDERATION_RULE_ID: 'rule-leak',
  ANTHROPIC_IDENTITY_TOKEN: 'identity-leak',
  ANTHROPIC_SERVICE_ACCOUNT_ID: 'account-leak',
  ANTHROPIC_SCOPE: 'scope-leak',
  ANTHROPIC_OPEN_TELEMETRY: 'true',
  ANTHROPIC_PROFILE: 'leak',
  ANTHROPIC_CONFIG_DIR: '/leak',
  ANTHROPIC_LOG: 'leak-level',
  ANTHROPIC_WEBHOOK_SIGNING_KEY: 'whsec-leak',
  ANTHROPIC_WORKSPACE_ID: 'wrkspc_leak',
  ANTHROPIC_ORGANIZATION_ID: 'org-leak',
} as const;

const harness = useSdkHarness(LEAKS);

const STREAM_ANSWER = {
  status: 200,
  headers: { 'content-type': 'text/event-stream' },
  body: 'event: message_stop\ndata: {"type":"message_stop"}\n\n',
};

function target(more: Partial<HeadTarget> = {}): HeadTarget {
  return { provider: 'anthropic', baseUrl: harness.server.origin, apiKey: KEY, ...more };
}

/** The body that the gateway sends for a greeting. */
function bodyOf(stream: boolean) {
  const chat = chatOf({ maxTokens: 100 }, [say(Role.SYSTEM, 'Be brief.'), say(Role.USER, 'Grüße 😀')]);
  const { path, body } = wire(
    anthropic.request(chat, { name: 'claude', provider: 'anthropic', model: 'claude-sonnet-5-5', stream }),
  );
  return { path, body: { ...body, model: 'claude-sonnet-5-5', stream } };
}

describe('a request with a formed head is the request of the untouched SDK', () => {
  const client = (): Anthropic => new Anthropic({ apiKey: KEY, baseURL: harness.server.origin, maxRetries: 0 });
  const params = {
    model: 'claude-sonnet-5-5',
    max_tokens: 100,
    system: [{ type: 'text', text: 'Be brief.' }],
    messages: [{ role: 'user', content: [{ type: 'text', text: 'Grüße 😀' }] }],
  } satisfies Anthropic.MessageCreateParamsNonStreaming;

  it.each([false, true])('of messages.create, streamed: %s', async (stream) => {
    const theirs = await harness.theirs(stream ? STREAM_ANSWER : JSON_ANSWER, () =>
      client().messages.create({ ...params, stream }),
    );
    const { path, body } = bodyOf(stream);
    const ours = await harness.ours(target(), path, body);
    const [own, others] = [comparable(ours), comparable(theirs)];
    expect({ ...own, body: JSON.parse(ours.body) as unknown }).toEqual({
      ...others,
      body: JSON.parse(theirs.body) as unknown,
    });
    expect(ours.path).toBe('/v1/messages');
    expect(ours.headers).toMatchObject({
      'anthropic-version': '2026-10-21',
      authorization: `Bearer ${KEY}`,
      'x-stainless-retry-count': '0',
    });
    expect(ours.headers).not.toHaveProperty('x-api-key');
  });

  it('behind a base URL with a path', async () => {
    const baseURL = `${harness.server.origin}/anthropic/`;
    const theirs = await harness.theirs(JSON_ANSWER, () =>
      new Anthropic({ apiKey: KEY, baseURL, maxRetries: 0 }).messages.create(params),
    );
    const { path, body } = bodyOf(false);
    const ours = await harness.ours(target({ baseUrl: baseURL }), path, body);
    expect([ours.path, theirs.path]).toEqual(['/anthropic/v1/messages', '/anthropic/v1/messages']);
  });
});

describe('the environment', () => {
  it.each([{ apiKey: KEY }, { apiKey: undefined }])(
    'leaks nothing into a request, key: $apiKey',
    async ({ apiKey }) => {
      const request = { path: '/v1/messages', stream: true, model: 'claude-sonnet-5-5' };
      const clean = await createHeadSource(target({ apiKey })).head(request);
      Object.assign(process.env, LEAKS);
      const head = await createHeadSource(target({ apiKey })).head(request);
      expect(head).toEqual(clean);
      expect(`${head.url.href} ${JSON.stringify(head.headers)}`).not.toContain('leak');
      expect(head.headers['authorization']).toBe(apiKey === undefined ? undefined : `Bearer ${KEY}`);
      expect(harness.server.requests).toHaveLength(0);
    },
  );

  it('does leak into the untouched SDK, so that this test can fail', async () => {
    Object.assign(process.env, LEAKS, { ANTHROPIC_LOG: 'off' });
    const { headers } = await harness.theirs(JSON_ANSWER, () =>
      new Anthropic({ baseURL: harness.server.origin, maxRetries: 0 }).models.list(),
    );
    expect(headers).toMatchObject({ 'x-leak': 'leak', 'anthropic-version': 'leak' });
  });
});

import { describe, expect, onTestFinished, test } from 'vitest';

import { Role } from '../../gen/understudy/v1/chat_pb.ts';
import type { ChatResponse, GenerateResponse } from '../../gen/understudy/v1/llm_pb.ts';
import { LlmService } from '../../gen/understudy/v1/llm_pb.ts';
import type { Attempt } from '../../gen/understudy/v1/routing_pb.ts';
import { WarningCode } from '../../gen/understudy/v1/routing_pb.ts';
import { CostSource } from '../../gen/understudy/v1/usage_pb.ts';
import { costOf } from '../../src/pricing/cost.ts';
import { createPriceTable } from '../../src/pricing/price-table.ts';
import { say } from '../support/chat-samples.ts';
import type { Provider } from '../support/five-providers.ts';
import { CHAT_PATHS, DEFAULT_MODELS, FIVE, fiveProviders, INSTALLED_MODELS, KEYS } from '../support/five-providers.ts';
import type { Stories } from '../support/five-stories.ts';
import { recordedStories, WRITTEN } from '../support/five-stories.ts';
import { loadRecordings } from '../support/recordings.ts';
import type { ReplayServer } from '../support/replay-server.ts';
import { startReplayServer } from '../support/replay-server.ts';
import type { RpcClient } from '../support/rpc-client.ts';
import { openRpcClient } from '../support/rpc-client.ts';
import { rpcError, trailOf } from '../support/rpc-error.ts';
import { startUnderstudy } from '../support/understudy-process.ts';

const PROMPT = 'Who is there?';
const NOTHING = { nanoUsd: 0n, source: CostSource.EXACT };
const TIMEOUT_MS = 60_000;
const PRICES = createPriceTable();
/** No price is that of busy hours. */
const SUNDAY = Date.UTC(2026, 10, 22, 12, 0);

const recordings = loadRecordings();

/** Everything that one call needs: a process, a client, and the providers behind it. */
interface Scene {
  readonly client: RpcClient;
  readonly providers: ReplayServer;
  /** What the process has printed. */
  stdout(): string;
}

/** Starts a process that knows nothing but the environment; the first `failing` providers fail, the others answer. */
async function sceneOf(stories: Stories, failing: number): Promise<Scene> {
  const providers = await startReplayServer({ seed: 5 + failing });
  onTestFinished(() => providers.close());
  providers.route('/api/tags', INSTALLED_MODELS);
  for (const [index, provider] of FIVE.entries()) {
    const { fault, answer } = stories[provider];
    providers.route(CHAT_PATHS[provider], (index < failing ? fault : answer).reply);
  }
  const child = startUnderstudy([], fiveProviders(providers.origin));
  onTestFinished(() => child.close());
  const { grpc } = await child.doors;
  const client = openRpcClient(grpc);
  onTestFinished(() => client.close());
  return { client, providers, stdout: child.stdout };
}

/** One line for each attempt that fails, as the trail tells them. */
function failedTrail(stories: Stories, failing: number): readonly string[] {
  return FIVE.slice(0, failing).flatMap((provider, index) => {
    const { reason, isRepeated } = stories[provider].fault;
    const first = `${index === 0 ? 'FIRST' : 'FAILOVER'} ${provider} ${reason}`;
    return isRepeated ? [first, `RETRY ${provider} ${reason}`] : [first];
  });
}

function isOneOfFive(name: string): name is Provider {
  return FIVE.some((provider) => provider === name);
}

/** Checks what the trail tells of attempts that failed: status, code, model, and that they cost nothing. */
function expectFailed(attempts: readonly Attempt[], stories: Stories): void {
  for (const { target, provider, model, httpStatus, providerCode, cost, usage } of attempts) {
    if (!isOneOfFive(target)) throw new Error(`no such target: ${target}`);
    const { reply, code } = stories[target].fault;
    expect({ provider, model, httpStatus, providerCode, usage }).toEqual({
      provider: target,
      model: DEFAULT_MODELS[target],
      httpStatus: reply.status,
      providerCode: code,
      usage: undefined,
    });
    expect(cost).toMatchObject(NOTHING);
  }
}

/** Checks an answer of `provider` after all before it have failed. */
function expectAnswer(response: ChatResponse | GenerateResponse, provider: Provider, stories: Stories): void {
  const failing = FIVE.indexOf(provider);
  const { reply, text, model, totalTokens, nanoUsd } = stories[provider].answer;
  const { attempts } = response;
  expect(trailOf(attempts)).toEqual([
    ...failedTrail(stories, failing),
    `${failing === 0 ? 'FIRST' : 'FAILOVER'} ${provider} OK`,
  ]);
  expect(attempts.map(({ number }) => number)).toEqual(attempts.map((_, index) => index + 1));
  expectFailed(attempts.slice(0, -1), stories);
  expect(attempts.at(-1)).toMatchObject({ model: DEFAULT_MODELS[provider], httpStatus: reply.status });
  expect(response).toMatchObject({ provider, target: provider, model, text, tokensUsed: totalTokens });
  // A well-known name that the server at this address answers with another one; a deployment's is not known.
  const isAnother = !['azure-openai', 'ollama'].includes(provider) && !model.startsWith(DEFAULT_MODELS[provider]);
  const codes = response.warnings.map(({ code }) => code);
  expect(codes).toEqual(isAnother ? [WarningCode.MODEL_SUBSTITUTED] : []);
  // These are not the providers' own hosts: only what is free anywhere has a price. Failed attempts are free, so that the whole
  // costs what the answer does.
  const isFree = provider === 'ollama';
  for (const cost of [attempts.at(-1)?.cost, response.cost]) {
    expect(cost?.nanoUsd).toBe(isFree ? 0n : undefined);
    expect(cost?.source).toBe(isFree ? CostSource.EXACT : CostSource.UNKNOWN);
  }
  expect(response.costUsd).toBe(isFree ? 0 : undefined);
  // What the provider itself would have charged for the usage that was told.
  const asked = { provider, target: provider, ownHost: true, model: DEFAULT_MODELS[provider], reportedModel: model };
  const usage = response.usage && { ...response.usage, serviceTier: response.usage.serviceTier || undefined };
  const charged = costOf(PRICES, { ...asked, usage, wallMs: SUNDAY });
  expect(charged.nanoUsd).toBe(nanoUsd);
  expect(charged.source).toBe(nanoUsd === undefined ? 'UNKNOWN' : 'EXACT');
  expect(response.latencyMs).toBeGreaterThan(0);
}

/** Checks what the providers got: each its own path, model and key, in the order of the trail. */
function expectAsked({ requests }: ReplayServer, attempts: readonly Attempt[]): void {
  const [list, ...calls] = requests;
  expect(list).toMatchObject({ method: 'GET', path: '/api/tags' });
  expect(calls.map(({ method, path }) => `${method} ${path}`)).toEqual(
    attempts.map(({ target }) => `POST ${isOneOfFive(target) ? CHAT_PATHS[target] : ''}`),
  );
  for (const [index, { headers, body }] of calls.entries()) {
    const target = attempts[index]?.target;
    expect(JSON.parse(body)).toMatchObject({ model: attempts[index]?.model });
    expect(body).toContain(PROMPT);
    const sent = JSON.stringify(headers);
    const keys = Object.entries(KEYS).flatMap(([provider, key]) => (sent.includes(key) ? [provider] : []));
    expect(keys).toEqual(target === 'ollama' ? [] : [target]);
  }
}

const CASES = FIVE.map((provider, failing) => ({ provider, failing }));

describe('five providers from the environment alone', () => {
  test.each(CASES)(
    '$provider answers after $failing that fail as their documents say',
    async ({ provider, failing }) => {
      const { client, providers, stdout } = await sceneOf(WRITTEN, failing);
      expect(stdout()).toMatch(/^default +azure-openai, openai, anthropic, deepseek, ollama$/m);
      const response = await client.call(LlmService.method.generate, { prompt: PROMPT });
      expectAnswer(response, provider, WRITTEN);
      expectAsked(providers, response.attempts);
    },
    TIMEOUT_MS,
  );

  test(
    'where all five fail, the status tells of each',
    async () => {
      const { client, providers } = await sceneOf(WRITTEN, FIVE.length);
      const error = await rpcError(client.call(LlmService.method.generate, { prompt: PROMPT }));
      expect(error).toMatchObject({ reason: 'ALL_PROVIDERS_FAILED', domain: 'understudy', pushback: '-1' });
      expect(trailOf(error.trail)).toEqual(failedTrail(WRITTEN, FIVE.length));
      expectFailed(error.trail, WRITTEN);
      expectAsked(providers, error.trail);
      for (const key of Object.values(KEYS)) expect(error.everything).not.toContain(key);
    },
    TIMEOUT_MS,
  );
});

describe.skipIf(recordings.length === 0)(
  'five providers as they were recorded (skipped without ../shared/fixtures)',
  () => {
    test.each(CASES)(
      '$provider answers after $failing that fail',
      async ({ provider, failing }) => {
        const stories = recordedStories(recordings);
        const { client, providers } = await sceneOf(stories, failing);
        const response = await client.call(LlmService.method.chat, { messages: [say(Role.USER, PROMPT)] });
        expectAnswer(response, provider, stories);
        expectAsked(providers, response.attempts);
      },
      TIMEOUT_MS,
    );
  },
);

import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { toJson } from '@bufbuild/protobuf';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';

import { Role } from '../../gen/understudy/v1/chat_pb.ts';
import { HealthResponseSchema, ListModelsResponseSchema, LlmService } from '../../gen/understudy/v1/llm_pb.ts';
import { PROVIDERS } from '../../src/core/provider.ts';
import { say } from '../support/chat-samples.ts';
import type { EchoUpstream } from '../support/echo-upstream.ts';
import { ECHO_FAULTS, startEchoUpstream, UPSTREAM_WORDS } from '../support/echo-upstream.ts';
import { startGateway } from '../support/gateway-doors.ts';
import type { RpcClient } from '../support/rpc-client.ts';
import { openRpcClient } from '../support/rpc-client.ts';
import { rpcError } from '../support/rpc-error.ts';
import { firstStatus } from '../support/status-events.ts';
import { startUnderstudy } from '../support/understudy-process.ts';
import { get } from '../support/web-calls.ts';

/** All that are called over the network. */
const CALLED = PROVIDERS.filter((provider) => provider !== 'mock');
const PROMPT = 'planted-prompt-of-the-caller';
const SYSTEM = 'planted-system-of-the-caller';
const ORGANIZATION = 'org-planted-in-the-environment';
const URL_WORDS = 'planted-path-of-the-url';

const KEYS = Object.fromEntries(CALLED.map((provider) => [provider, `sk-planted-key-of-${provider}-1234567890`]));
/** None of these may come out anywhere. */
const PLANTED = [...Object.values(KEYS), 'sk-planted', PROMPT, SYSTEM, ORGANIZATION, URL_WORDS, UPSTREAM_WORDS];

const messages = [say(Role.SYSTEM, SYSTEM), say(Role.USER, `Repeat: ${PROMPT}`)];

let upstream: EchoUpstream;
beforeAll(async () => {
  upstream = await startEchoUpstream();
});
afterAll(() => upstream.close());

/** One target for each provider and each way to answer badly. */
function targetsFor(keyOf: (provider: string) => string) {
  return CALLED.flatMap((provider) =>
    Object.keys(ECHO_FAULTS).map((fault) => ({
      name: `${provider}.${fault}`,
      provider,
      base_url: `${upstream.origin}/${fault}/${URL_WORDS}`,
      api_key: keyOf(provider),
      model: 'some-model',
    })),
  );
}

/** Writes a config file that goes with the test. */
async function fileOf(config: object): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'understudy-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  const path = join(folder, 'understudy.json');
  await writeFile(path, JSON.stringify(config));
  return path;
}

/** Meets every fault with each call, also over the web, and returns all that a caller could read. */
async function askAll(client: RpcClient, web: string, targets: readonly string[]): Promise<readonly string[]> {
  const told: string[] = [];
  const onHeaders = (headers: { getMap(): object }): void => void told.push(JSON.stringify(headers.getMap()));
  const collect = async (call: Promise<unknown>): Promise<void> => void told.push((await rpcError(call)).everything);
  for (const target of targets) {
    const routing = { targets: [target] };
    const options = { maxTokens: 2 };
    // The same state for all: what was suspended or limited by the call before would not be asked.
    await Promise.all([
      collect(client.call(LlmService.method.generate, { prompt: PROMPT, system: SYSTEM, routing }, { onHeaders })),
      collect(client.call(LlmService.method.chat, { messages, options, routing }, { onHeaders })),
      collect(client.stream(LlmService.method.streamChat, { messages, routing }, { onHeaders }).done),
      overWeb(web, target).then((answer) => told.push(answer)),
    ]);
  }
  await collect(client.call(LlmService.method.chat, { messages: [...messages, say(Role.TOOL, PROMPT)] }));
  return [...told, ...(await readState(client))];
}

async function overWeb(web: string, target: string): Promise<string> {
  const response = await fetch(`${web}/understudy.v1.LlmService/Chat`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({
      messages: [{ role: 'ROLE_USER', content: [{ text: PROMPT }] }],
      routing: { targets: [target] },
    }),
  });
  const body = await response.text();
  expect(response.status).toBeGreaterThanOrEqual(400);
  const decoded = [...body.matchAll(/"value":"([^"]*)"/g)].map(([, value = '']) =>
    Buffer.from(value, 'base64').toString('latin1'),
  );
  return [JSON.stringify([...response.headers]), body, ...decoded].join('\n');
}

async function readState(client: RpcClient): Promise<readonly string[]> {
  const health = await client.call(LlmService.method.health, {});
  const models = await client.call(LlmService.method.listModels, {});
  return [
    JSON.stringify(toJson(HealthResponseSchema, health)),
    JSON.stringify(toJson(ListModelsResponseSchema, models)),
  ];
}

function expectNothingPlanted(told: readonly string[]): void {
  const leaks = told.flatMap((text) => PLANTED.filter((word) => text.includes(word)).map((word) => `${word}: ${text}`));
  expect(leaks).toEqual([]);
}

describe('keys, prompts, URLs and the words of providers', () => {
  test('reach the provider, and come out nowhere in a process that logs and measures', async () => {
    const nameOf = (provider: string): string => `PLANTED_${provider.replace('-', '_').toUpperCase()}`;
    const targets = targetsFor((provider) =>
      provider === 'openai' ? (KEYS[provider] ?? '') : `\${${nameOf(provider)}}`,
    );
    const variables = Object.entries(KEYS).map(([provider, key]) => [nameOf(provider), key]);
    const child = startUnderstudy(
      ['--config', await fileOf({ targets, retry: { max_repeats: 0 } })],
      Object.fromEntries(variables),
    );
    onTestFinished(() => child.close());
    const { grpc, web, admin } = await child.doors;
    const client = openRpcClient(grpc);
    onTestFinished(() => client.close());

    const told = await askAll(
      client,
      web,
      targets.map(({ name }) => name),
    );
    const metrics = await get(`${admin}/metrics`);
    expect(metrics.status).toBe(200);
    const status = await firstStatus(admin);
    const ids = [...status.matchAll(/"requestId":"([^"]+)"/g)].map(([, id = '']) => id);
    expect(ids.length).toBeGreaterThan(5);
    const trails = await Promise.all(ids.map(async (id) => (await get(`${admin}/trail?request_id=${id}`)).body));
    child.kill('SIGTERM');
    expect(await child.ended).toEqual({ code: 0, signal: null });
    // The words were there to be found: the provider got them, and the log tells of these calls.
    for (const word of [...Object.values(KEYS), PROMPT, SYSTEM]) expect(upstream.received()).toContain(word);
    expect(child.stdout()).toContain('PROVIDER_AUTH_FAILED');
    expect(told.length).toBeGreaterThan(targets.length * 4);
    expectNothingPlanted([...told, metrics.body, status, ...trails, child.stdout(), child.stderr()]);
  });

  test('come out nowhere where everything is found in the environment', async () => {
    const child = startUnderstudy(['--config', await fileOf({ retry: { max_repeats: 0 } })], {
      OPENAI_API_KEY: KEYS['openai'] ?? '',
      OPENAI_ORG_ID: ORGANIZATION,
      OPENAI_BASE_URL: `${upstream.origin}/unauthorized/${URL_WORDS}`,
      AZURE_OPENAI_API_KEY: KEYS['azure-openai'] ?? '',
      AZURE_OPENAI_ENDPOINT: `${upstream.origin}/failed/${URL_WORDS}`,
      AZURE_OPENAI_DEPLOYMENT: 'some-deployment',
      ANTHROPIC_API_KEY: KEYS['anthropic'] ?? '',
      ANTHROPIC_BASE_URL: `${upstream.origin}/limited/${URL_WORDS}`,
      DEEPSEEK_API_KEY: KEYS['deepseek'] ?? '',
      DEEPSEEK_BASE_URL: `${upstream.origin}/page/${URL_WORDS}`,
    });
    onTestFinished(() => child.close());
    const { grpc, web, admin } = await child.doors;
    const client = openRpcClient(grpc);
    onTestFinished(() => client.close());
    const told = await askAll(client, web, ['openai', 'azure-openai', 'anthropic', 'deepseek']);
    expect(upstream.received()).toContain(ORGANIZATION);
    const metrics = await get(`${admin}/metrics`);
    child.kill('SIGTERM');
    await child.ended;
    expectNothingPlanted([...told, metrics.body, child.stdout(), child.stderr()]);
  });

  test('come out nowhere in a program that embeds the gateway', async () => {
    // The first process has met all of them; here two kinds of answers are enough.
    const targets = targetsFor((provider) => KEYS[provider] ?? '').filter(({ provider }) => provider.startsWith('o'));
    const gateway = await startGateway({ targets, retry: { max_repeats: 0 } });
    onTestFinished(() => gateway.close());
    const names = targets.map(({ name }) => name);
    expectNothingPlanted(await askAll(gateway.client, gateway.web, names));
  });

  test('a key in the wrong place of a config file is not shown', async () => {
    const key = KEYS['openai'] ?? '';
    const lead = {
      name: 'lead',
      provider: 'openai',
      base_url: `http://user:${key}@example.com`,
      api_key: [key],
      apikey: key,
    };
    const child = startUnderstudy(['--config', await fileOf({ targets: [lead], server: { api_key: key } })]);
    onTestFinished(() => child.close());
    expect((await child.ended).code).toBe(1);
    expect(child.stderr()).toContain('targets[0].api_key');
    expectNothingPlanted([child.stdout(), child.stderr()]);
  });
});

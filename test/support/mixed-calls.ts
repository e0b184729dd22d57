import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { Role } from '../../gen/understudy/v1/chat_pb.ts';
import { LlmService } from '../../gen/understudy/v1/llm_pb.ts';
import type { ConfigInput } from '../../src/config/file/schema.ts';
import type { ChaosUpstream } from './chaos-upstream.ts';
import { chunk, startChaosUpstream } from './chaos-upstream.ts';
import { say } from './chat-samples.ts';
import { jsonReply } from './five-providers.ts';
import { WRITTEN } from './five-stories.ts';
import { completion, ROLE_EVENT, STREAM_END, STREAM_HEAD, textEvent } from './openai-bodies.ts';
import type { ReplayServer } from './replay-server.ts';
import { startReplayServer } from './replay-server.ts';
import type { RpcClient } from './rpc-client.ts';
import type { ToldCall, ToldRequest } from './told-calls.ts';
import { tell } from './told-calls.ts';

/** Words that neither log nor metrics may hold. */
export const PLANTED = {
  prompt: 'planted-prompt-of-the-caller',
  system: 'planted-system-of-the-caller',
  answer: 'planted-answer-of-the-provider',
  error: 'planted-error-of-the-provider',
  key: 'sk-planted-key-0123456789',
  path: 'planted-path-of-the-url',
} as const;

/** Labels of every call: they go to the log, never to metrics. */
export const LABELS = { team: 'stage' } as const;

/** The call that its caller leaves. */
export const LEFT = 'left';

/** Providers that answer, fail, are silent or break off, each behind a target of its own. */
export interface MixedUpstreams {
  readonly replay: ReplayServer;
  /** Behind the target `chaos`: whatever the test scripts. */
  readonly chaos: ChaosUpstream;
  /** Path of the config file. */
  readonly config: string;
  close(): Promise<void>;
}

/** Starts the providers and writes the config of a gateway before them. */
export async function startMixedUpstreams(): Promise<MixedUpstreams> {
  const [replay, chaos] = [await startReplayServer({ seed: 9 }), await startChaosUpstream()];
  const stream = [ROLE_EVENT, textEvent(PLANTED.answer), STREAM_END].join('');
  const error = { message: PLANTED.error, type: 'server_error', param: null, code: null };
  const below = (name: string): string => `/${name}/${PLANTED.path}`;
  replay.route(below('plain'), jsonReply(200, JSON.parse(completion(PLANTED.answer))));
  replay.route(below('streamed'), { status: 200, headers: { 'content-type': 'text/event-stream' }, body: stream });
  replay.route(below('cached'), WRITTEN.anthropic.answer.reply);
  replay.route(below('unpriced'), jsonReply(200, JSON.parse(completion(PLANTED.answer, 'model-of-nobody'))));
  replay.route(below('broken'), jsonReply(500, { error }));
  replay.route(below('limited'), jsonReply(429, { error }, { 'retry-after': '60' }));
  replay.route(below('refused'), jsonReply(401, { error }));
  const prices = [{ model: 'model-1', input: '1.5', output: '2.25' }];
  const common = { api_key: PLANTED.key, model: 'model-1' };
  const at = (name: string) => ({ name, ...common, base_url: `${replay.origin}${below(name)}` });
  const config: ConfigInput = {
    targets: [
      { ...at('plain'), provider: 'openai', prices },
      { ...at('streamed'), provider: 'openai', prices },
      { ...at('cached'), provider: 'anthropic', model: 'claude-sonnet-5-5' },
      { ...at('unpriced'), provider: 'openai' },
      { ...at('broken'), provider: 'openai' },
      { ...at('limited'), provider: 'azure-openai' },
      { ...at('refused'), provider: 'deepseek' },
      { name: 'chaos', provider: 'openai', base_url: chaos.origin, ...common, prices },
    ],
    circuit_breaker: { failures: 2 },
    retry: { max_repeats: 0 },
  };
  const folder = await mkdtemp(join(tmpdir(), 'understudy-'));
  await writeFile(join(folder, 'understudy.json'), JSON.stringify(config));
  return {
    replay,
    chaos,
    config: join(folder, 'understudy.json'),
    close: async () => {
      await Promise.all([replay.close(), chaos.close(), rm(folder, { recursive: true })]);
    },
  };
}

/** Makes calls of every kind, one after the other, and returns what their callers were told. */
export async function makeMixedCalls(client: RpcClient, { chaos }: MixedUpstreams): Promise<readonly ToldCall[]> {
  const told: ToldCall[] = [];
  const call = async (method: ToldCall['method'], targets: readonly string[], more: Partial<ToldRequest> = {}) => {
    const { prompt, system } = PLANTED;
    const request = { prompt, system, labels: LABELS, routing: { targets: [...targets] }, ...more };
    told.push(await tell(client, method, `call-${told.length}`, request));
  };
  for (const method of ['Generate', 'Chat', 'StreamChat'] as const) await call(method, ['plain']);
  for (const method of ['StreamChat', 'StreamChat', 'Chat'] as const) await call(method, ['streamed']);
  await call('Chat', ['cached']);
  await call('Chat', ['unpriced']);
  // Twice to the open circuit, once past it.
  for (let count = 0; count < 3; count += 1) await call('Chat', ['broken', 'plain']);
  await call('StreamChat', ['refused', 'streamed']);
  await call('Generate', ['limited']);
  await call('StreamChat', ['limited', 'refused', 'broken']);
  await call('Chat', ['plain'], { options: { temperature: 99 } });
  await call('StreamChat', ['nobody']);
  chaos.script(STREAM_HEAD, chunk(ROLE_EVENT), chunk(textEvent(PLANTED.answer)), { do: 'reset' });
  await call('StreamChat', ['chaos']);
  return told;
}

/** Starts a call to a provider that stays silent, and waits until the provider has it; its caller is to leave. */
export async function startSilentCall(
  client: RpcClient,
  { chaos }: MixedUpstreams,
): Promise<{ leave(): Promise<void> }> {
  const before = chaos.requestCount;
  chaos.script({ do: 'await_close' });
  const stream = client.stream(LlmService.method.streamChat, {
    messages: [say(Role.USER, PLANTED.prompt)],
    labels: LABELS,
    requestId: LEFT,
    routing: { targets: ['chaos'] },
  });
  const { connection } = await chaos.request(before);
  return {
    leave: async () => {
      stream.cancel();
      await (
        await chaos.connection(connection)
      ).closed;
    },
  };
}

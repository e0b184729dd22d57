import { connect } from 'node:http2';
import { create, toBinary } from '@bufbuild/protobuf';
import { describe, expect, onTestFinished, test } from 'vitest';

import type { StreamChatResponse } from '../../gen/understudy/v1/llm_pb.ts';
import { ChatRequestSchema, LlmService, StreamChatRequestSchema } from '../../gen/understudy/v1/llm_pb.ts';
import type { ChaosStep, ChaosUpstream } from '../support/chaos-upstream.ts';
import { chunk, head, send } from '../support/chaos-upstream.ts';
import type { Method } from '../support/failover-stage.ts';
import { ask, chaosUpstream, chatTarget, gatewayFor, requestOf } from '../support/failover-stage.ts';
import type { RunningGateway } from '../support/gateway-doors.ts';
import { completion, errorAnswer, goodAnswer, ROLE_EVENT, STREAM_HEAD, textEvent } from '../support/openai-bodies.ts';
import { rpcError, trailOf } from '../support/rpc-error.ts';
import { REAL_TIME } from '../support/real-time.ts';

const UNTIL_GONE: ChaosStep = { do: 'await_close' };

/** Where the provider is when the caller leaves. */
interface Phase {
  readonly name: string;
  readonly method: Method;
  readonly steps: readonly ChaosStep[];
  /** Whether the caller has got some of the answer. */
  readonly hasText?: boolean;
}

const PHASES: readonly Phase[] = [
  { name: 'a stream before headers', method: 'StreamChat', steps: [] },
  { name: 'a stream before its first token', method: 'StreamChat', steps: [STREAM_HEAD, chunk(ROLE_EVENT)] },
  {
    name: 'a stream in its middle',
    method: 'StreamChat',
    steps: [STREAM_HEAD, chunk(ROLE_EVENT), chunk(textEvent('To be, '))],
    hasText: true,
  },
  { name: 'a unary call before headers', method: 'Chat', steps: [] },
  {
    name: 'a unary call within the answer',
    method: 'Chat',
    steps: [
      head(200, { 'content-type': 'application/json', 'content-length': 4000 }),
      send(completion('never whole').slice(0, 50)),
    ],
  },
];

interface Scene {
  readonly first: ChaosUpstream;
  readonly second: ChaosUpstream;
  readonly gateway: RunningGateway;
}

async function scene(backoff: string): Promise<Scene> {
  const [first, second] = [await chaosUpstream(), await chaosUpstream()];
  const targets = [chatTarget('first', first.origin), chatTarget('second', second.origin, { model: 'model-2' })];
  return { first, second, gateway: await gatewayFor({ targets, retry: { backoff: [backoff], jitter: 'NONE' } }) };
}

/** A step that tells when the upstream has come to it. */
function milestone(): { readonly step: ChaosStep; readonly reached: Promise<void> } {
  const { promise: reached, resolve } = Promise.withResolvers<void>();
  const step: ChaosStep = {
    do: 'hold',
    get until() {
      resolve();
      return reached;
    },
  };
  return { step, reached };
}

/** Lets a call come to a phase; returns how its provider sees the connection. */
async function untilPhase({ first }: Scene, phase: Phase, start: () => Promise<void>) {
  const { step, reached } = milestone();
  first.script(...phase.steps, step, UNTIL_GONE);
  await start();
  await reached;
  const { connection } = await first.request(0);
  return first.connection(connection);
}

/** The provider was left at once and nobody else was asked. */
async function expectGone({ first, second }: Scene, connection: { readonly closed: Promise<void> }): Promise<void> {
  await connection.closed;
  expect(first.requestCount).toBe(1);
  expect(second.connectionCount).toBe(0);
}

describe('a caller that cancels', () => {
  test.each(PHASES)('$name: the provider is hung up on', async (phase) => {
    const set = await scene('10ms');
    const abort = new AbortController();
    let told: Promise<unknown> = Promise.resolve();
    const connection = await untilPhase(set, phase, async () => {
      const options = { signal: abort.signal };
      if (phase.method === 'Chat') {
        told = rpcError(ask(set.gateway, 'Chat', {}, options));
        return;
      }
      const stream = set.gateway.client.stream(LlmService.method.streamChat, requestOf(), options);
      told = rpcError(stream.done);
      if (phase.hasText === true) await untilText(stream.at(0), stream.at(1));
    });
    abort.abort();
    await expectGone(set, connection);
    expect(await told).toMatchObject({ code: 'CANCELLED' });
  });

  test.each<Method>(['Chat', 'StreamChat'])('%s in the wait before a repeat: there is no repeat', async (method) => {
    const set = await scene('400ms');
    const { first, gateway } = set;
    const abort = new AbortController();
    first.script(...errorAnswer(500, null));
    const left = rpcError(ask(gateway, method, {}, { signal: abort.signal }));
    await untilFailed(gateway);
    abort.abort();
    expect(await left).toMatchObject({ code: 'CANCELLED' });
    // A second caller waits as long as the first would have: when its repeat comes, that of the first is overdue.
    first.script(...errorAnswer(500, null));
    first.script(...goodAnswer(method === 'StreamChat', 'for the second caller'));
    const { attempts, text } = await ask(gateway, method);
    expect(trailOf(attempts)).toEqual(['FIRST first PROVIDER_UNAVAILABLE', 'RETRY first OK']);
    expect(text).toBe('for the second caller');
    expect([first.requestCount, set.second.connectionCount]).toEqual([3, 0]);
  });
});

describe('a caller whose connection is gone', () => {
  test.each(PHASES)('over gRPC, $name: the provider is hung up on', async (phase) => {
    const set = await scene('10ms');
    const session = connect(`http://${set.gateway.address}`);
    onTestFinished(() => session.destroy());
    const connection = await untilPhase(set, phase, async () => {
      const stream = session.request({
        ':method': 'POST',
        ':path': `/understudy.v1.LlmService/${phase.method}`,
        'content-type': 'application/grpc',
        te: 'trailers',
      });
      stream.on('error', () => undefined);
      stream.end(framed(phase.method));
      if (phase.hasText === true) await new Promise((resolve) => stream.once('data', resolve));
    });
    session.destroy();
    await expectGone(set, connection);
  });

  test.each(PHASES)('over the web, $name: the provider is hung up on', async (phase) => {
    const set = await scene('10ms');
    const abort = new AbortController();
    let told: Promise<unknown> = Promise.resolve();
    const connection = await untilPhase(set, phase, async () => {
      const streams = phase.method === 'StreamChat';
      const response = fetch(`${set.gateway.web}/understudy.v1.LlmService/${phase.method}`, {
        method: 'POST',
        headers: { 'content-type': streams ? 'application/connect+proto' : 'application/proto' },
        body: streams ? framed(phase.method) : messageOf(phase.method),
        signal: abort.signal,
      });
      told = response.then((answer) => answer.arrayBuffer()).catch(() => 'gone');
      if (phase.hasText === true) await response;
    });
    abort.abort();
    await expectGone(set, connection);
    expect(await told).toBe('gone');
  });
});

describe('a deadline', REAL_TIME, () => {
  test('that passes on any of them reaches the provider', async () => {
    const passes = async (phase: Phase): Promise<void> => {
      const set = await scene('10ms');
      set.first.script(...phase.steps, UNTIL_GONE);
      const call = ask(set.gateway, phase.method, { routing: { targets: ['first'] } }, { deadlineMs: 3_000 });
      expect(await rpcError(call), phase.name).toMatchObject({ code: 'DEADLINE_EXCEEDED' });
      const { connection } = await set.first.request(0);
      await expectGone(set, await set.first.connection(connection));
    };
    await Promise.all(PHASES.map(passes));
  });
});

async function untilText(...events: readonly Promise<StreamChatResponse>[]): Promise<void> {
  const cases = (await Promise.all(events)).map(({ event }) => event.case);
  expect(cases).toEqual(['started', 'textDelta']);
}

/** Asks for the health of the targets until the first one has failed once. */
async function untilFailed({ client }: RunningGateway): Promise<void> {
  for (;;) {
    const { providers } = await client.call(LlmService.method.health, {});
    if (providers[0]?.failures === 1n) return;
  }
}

function messageOf(method: Method): Uint8Array<ArrayBuffer> {
  return method === 'Chat'
    ? toBinary(ChatRequestSchema, create(ChatRequestSchema, { ...requestOf(), options: { maxTokens: 2 } }))
    : toBinary(StreamChatRequestSchema, create(StreamChatRequestSchema, requestOf()));
}

/** A message in the frame that gRPC and streams of Connect share. */
function framed(method: Method): Buffer<ArrayBuffer> {
  const message = messageOf(method);
  const frame = Buffer.alloc(5 + message.byteLength);
  frame.writeUInt32BE(message.byteLength, 1);
  frame.set(message, 5);
  return frame;
}

// The conformance program of a caller that has nothing but grpc-js and the generated messages: what anybody can do without a client of ours.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as passed } from 'node:timers/promises';
import { fromBinary } from '@bufbuild/protobuf';
import { credentials, status } from '@grpc/grpc-js';

import {
  HealthCheckRequestSchema,
  HealthCheckResponse_ServingStatus,
  HealthCheckResponseSchema,
} from '../../../gen/grpc/health/v1/health_pb.ts';
import { BadRequestSchema, ErrorInfoSchema, RetryInfoSchema } from '../../../gen/google/rpc/error_details_pb.ts';
import { Role } from '../../../gen/understudy/v1/chat_pb.ts';
import { AttemptTrailSchema, Recovery } from '../../../gen/understudy/v1/routing_pb.ts';
import { LlmService } from '../../../gen/understudy/v1/llm_pb.ts';
import { collect, detailOf, expect, failureOf, streamChat, unary, withClient } from './bare-calls.ts';

const RETRY_CONFIG = JSON.stringify({
  methodConfig: [
    {
      name: [{}],
      retryPolicy: {
        maxAttempts: 3,
        initialBackoff: '0.1s',
        maxBackoff: '1s',
        backoffMultiplier: 2,
        retryableStatusCodes: ['UNAVAILABLE'],
      },
    },
  ],
});
const PROMPT = 'Say hello.';
const MESSAGES = [{ role: Role.USER, content: [{ part: { case: 'text' as const, value: PROMPT } }] }];
const TRACE = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';

const { generate, chat, health, listModels } = LlmService.method;
const HEALTH = {
  parent: { typeName: 'grpc.health.v1.Health' },
  input: HealthCheckRequestSchema,
  output: HealthCheckResponseSchema,
};

/** Streams words and goes after three of them: `cancel` is what ends the call, since leaving the loop of grpc-js does not. */
function leave(name: string, breaks: boolean): Promise<string> {
  return withClient('UNDERSTUDY_WORDS_ADDRESS', async (client) => {
    const stream = streamChat(client, { messages: MESSAGES });
    let words = 0;
    try {
      for await (const { event } of stream) {
        if (event.case === 'textDelta') words += 1;
        if (words < 3) continue;
        process.stdout.write(`${JSON.stringify({ case: name, mark: 'left' })}\n`);
        stream.cancel();
        if (breaks) break;
      }
    } catch (error) {
      expect(String(error).includes('CANCELLED'), String(error));
    }
    await passed(3_000);
    return `${words} words`;
  });
}

async function retry(variable: string, timeoutMs: number): Promise<unknown> {
  return withClient(
    variable,
    async (client) => {
      const begunAtMs = performance.now();
      const error = await failureOf(unary(client, generate, { prompt: PROMPT }, { timeoutMs }));
      const ms = Math.round(performance.now() - begunAtMs);
      return { code: status[error.code], reason: detailOf(error, ErrorInfoSchema)?.reason ?? '', ms };
    },
    RETRY_CONFIG,
  );
}

const CASES: Readonly<Record<string, () => Promise<unknown>>> = {
  generate: () =>
    withClient('UNDERSTUDY_ADDRESS', async (client) => {
      const { text, provider } = await unary(client, generate, { prompt: PROMPT });
      expect(text !== '' && provider === 'mock', `${provider}: ${text}`);
      return text;
    }),
  chat: () =>
    withClient('UNDERSTUDY_ADDRESS', async (client) => {
      const { text, provider } = await unary(client, chat, { messages: MESSAGES });
      expect(text !== '' && provider === 'mock', `${provider}: ${text}`);
      return text;
    }),
  stream: () =>
    withClient('UNDERSTUDY_ADDRESS', async (client) => {
      const whole = await unary(client, chat, { messages: MESSAGES });
      const { text } = await collect(streamChat(client, { messages: MESSAGES }));
      expect(text === whole.text, `${text} instead of ${whole.text}`);
      return text;
    }),
  health: () =>
    withClient('UNDERSTUDY_ADDRESS', async (client) => {
      const { providers } = await unary(client, health, {});
      expect(
        providers.some(({ target }) => target === 'mock'),
        'no target mock',
      );
      return providers.map(({ target }) => target).join();
    }),
  'list-models': () =>
    withClient('UNDERSTUDY_ADDRESS', async (client) => {
      const { models } = await unary(client, listModels, {});
      expect(models.length > 0, 'no model');
      return `${models.length} models`;
    }),
  'health-check': () =>
    withClient('UNDERSTUDY_ADDRESS', async (client) => {
      const answer = await unary(client, { ...HEALTH, name: 'Check' }, {}, { timeoutMs: 5_000 });
      expect(answer.status === HealthCheckResponse_ServingStatus.SERVING, String(answer.status));
      return 'SERVING';
    }),
  'health-watch': () =>
    withClient('UNDERSTUDY_ADDRESS', async (client) => {
      const watch = client.makeServerStreamRequest(
        '/grpc.health.v1.Health/Watch',
        (bytes: Buffer) => bytes,
        (bytes: Buffer) => fromBinary(HealthCheckResponseSchema, bytes),
        Buffer.alloc(0),
      );
      watch.on('error', () => undefined);
      for await (const answer of watch) {
        watch.cancel();
        expect(answer.status === HealthCheckResponse_ServingStatus.SERVING, String(answer.status));
        return 'SERVING';
      }
      throw new Error('no answer');
    }),
  deadline: () =>
    withClient('UNDERSTUDY_ADDRESS', async (client) => {
      const call = unary(client, generate, { prompt: PROMPT, model: 'mock-silence' }, { timeoutMs: 1_000 });
      const error = await failureOf(call);
      const attempts = detailOf(error, AttemptTrailSchema)?.attempts.length ?? 0;
      const reason = detailOf(error, ErrorInfoSchema)?.reason ?? 'without a reason';
      expect(
        error.code === status.DEADLINE_EXCEEDED && reason === 'DEADLINE' && attempts > 0,
        `${error.code} ${reason}`,
      );
      return `${attempts} attempts`;
    }),
  cancel: () => leave('cancel', false),
  'left-loop': () => leave('left-loop', true),
  'decoded-error': () =>
    withClient('UNDERSTUDY_ADDRESS', async (client) => {
      const empty = await failureOf(unary(client, generate, { prompt: '' }));
      const fields = detailOf(empty, BadRequestSchema)?.fieldViolations.map(({ field }) => field) ?? [];
      expect(empty.code === status.INVALID_ARGUMENT && fields.includes('prompt'), `${empty.code}: ${fields.join()}`);
      const limited = await failureOf(unary(client, generate, { prompt: PROMPT, model: 'mock-429' }));
      const reason = detailOf(limited, ErrorInfoSchema)?.reason ?? '';
      expect(['ALL_PROVIDERS_FAILED', 'PROVIDER_RATE_LIMITED'].includes(reason), reason);
      expect((detailOf(limited, AttemptTrailSchema)?.attempts.length ?? 0) > 0, 'no attempts');
      expect(detailOf(limited, RetryInfoSchema) !== undefined, 'no retry info');
      return reason;
    }),
  restarted: () =>
    withClient('UNDERSTUDY_ADDRESS', async (client) => {
      const alone = await collect(streamChat(client, { messages: MESSAGES, routing: { targets: ['second'] } }));
      const routing = { route: 'broken' };
      const answer = await collect(streamChat(client, { messages: MESSAGES, routing, recovery: Recovery.RESTART }));
      expect(answer.restarts === 1, `${answer.restarts} restarts`);
      expect(answer.text === alone.text, `${answer.text} instead of ${alone.text}`);
      return answer.text;
    }),
  tls: async () => {
    const pem = (name: string): Buffer => readFileSync(join(process.env['UNDERSTUDY_TLS_FOLDER'] ?? '', name));
    const call = (name?: string) => {
      const own = name === undefined ? [null, null] : [pem(`${name}.key`), pem(`${name}.crt`)];
      const [key = null, cert = null] = own;
      return withClient(
        'UNDERSTUDY_TLS_ADDRESS',
        (client) => unary(client, generate, { prompt: PROMPT }),
        undefined,
        credentials.createSsl(pem('ca.crt'), key, cert),
      );
    };
    expect((await call('caller')).text !== '', 'text is empty');
    for (const [name, why] of [
      [undefined, 'A client certificate is required.'],
      ['expired', 'The client certificate has expired.'],
    ] as const) {
      const { code, details } = await failureOf(call(name));
      expect(code === status.UNAUTHENTICATED && details === why, `${status[code]} ${details}`);
    }
    return 'TLS';
  },
  metadata: () =>
    withClient('UNDERSTUDY_ECHO_ADDRESS', async (client) => {
      const headers = { authorization: 'Bearer key', 'x-request-id': 'conformance-1', traceparent: TRACE };
      const { text } = await unary(client, generate, { prompt: PROMPT }, { headers });
      const all = [...Object.values(headers), 'grpc-timeout'];
      expect(
        all.every((value) => text.includes(value)),
        text,
      );
      return text;
    }),
  large: () =>
    withClient('UNDERSTUDY_ECHO_ADDRESS', async (client) => {
      const prompt = '0123456789abcdef'.repeat(655_360);
      expect((await unary(client, generate, { prompt })).text === prompt, 'it differs');
      return `${prompt.length} bytes`;
    }),
  streams: () =>
    withClient('UNDERSTUDY_ADDRESS', async (client) => {
      const request = { messages: MESSAGES, model: 'mock-slow' };
      const answers = await Promise.all(Array.from({ length: 200 }, () => collect(streamChat(client, request))));
      expect(
        answers.every(({ text }) => text !== ''),
        'an answer is empty',
      );
      return `${answers.length} answers`;
    }),
  rolling: () =>
    withClient('UNDERSTUDY_PAIR_ADDRESSES', async (client) => {
      const calls: Promise<string>[] = [];
      for (let call = 0; call < 200; call += 1) {
        calls.push(unary(client, generate, { prompt: PROMPT }).then(() => '', String));
        await passed(50);
      }
      const failures = (await Promise.all(calls)).filter((failure) => failure !== '');
      expect(failures.length === 0, `${failures.length} calls failed, the first: ${failures[0]}`);
      return `${calls.length} calls`;
    }),
  'retry-before': () => retry('UNDERSTUDY_CLOSED_ADDRESS', 5_000),
  'retry-after': () => retry('UNDERSTUDY_CONTACTED_ADDRESS', 5_000),
  'retry-late': () => retry('UNDERSTUDY_CLOSED_ADDRESS', 1_000),
};

for (const name of process.argv.slice(2)) {
  const run = CASES[name] ?? (() => Promise.reject(new Error('unknown case')));
  const report = await run().then(
    (detail) => ({ case: name, ok: true, detail }),
    (error: unknown) => ({ case: name, ok: false, detail: error instanceof Error ? error.message : String(error) }),
  );
  if (!report.ok) process.exitCode = 1;
  process.stdout.write(`${JSON.stringify(report)}\n`);
}

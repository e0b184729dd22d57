// Runs the cases that are named as arguments against the gateways of the environment; one JSON line for each.
import { readFileSync } from 'node:fs';
import { setTimeout as passed } from 'node:timers/promises';
import { create, fromBinary, toBinary } from '@bufbuild/protobuf';
import {
  AttemptKind,
  Code,
  createLlmClient,
  decodeError,
  GenerateRequestSchema,
  GenerateResponseSchema,
  Recovery,
  ServingStatus,
  userMessage,
} from '@understudy/client';

const PROMPT = 'Say hello.';
const messages = [userMessage(PROMPT)];
const TRACE = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';

function print(line) {
  process.stdout.write(`${JSON.stringify(line)}\n`);
}

function expect(what, holds) {
  if (!holds) throw new Error(what);
}

function addressOf(variable) {
  const address = process.env[variable];
  expect(`${variable} is not set`, address);
  return address;
}

/** Gives a client to a function and closes it behind it. */
async function using(variable, use, options) {
  const client = createLlmClient(addressOf(variable), options);
  try {
    return await use(client);
  } finally {
    client.close();
  }
}

async function errorOf(call) {
  try {
    await call;
  } catch (error) {
    return decodeError(error);
  }
  throw new Error('the call did not fail');
}

const ask = (use, options) => using('UNDERSTUDY_ADDRESS', use, options);

async function leave(name, isByLoop) {
  return using('UNDERSTUDY_WORDS_ADDRESS', async (client) => {
    const controller = new AbortController();
    let deltas = 0;
    let ended;
    try {
      for await (const { event } of client.streamChat({ messages }, { signal: controller.signal })) {
        if (event.case === 'textDelta') deltas += 1;
        if (deltas === 3 && isByLoop) break;
        if (deltas === 3) controller.abort();
      }
    } catch (error) {
      ended = decodeError(error);
    }
    print({ case: name, mark: 'left' });
    if (!isByLoop) expect(`it ended with ${JSON.stringify(ended)}`, ended?.code === Code.Canceled);
    await passed(3000);
    return `${deltas} deltas`;
  });
}

/** A bare client of grpc-js with a retry policy: what comes of a call, and when. */
async function bareRetry(variable, timeoutMs) {
  const { Client, credentials, status } = await import('@grpc/grpc-js');
  const retryPolicy = {
    maxAttempts: 3,
    initialBackoff: '0.1s',
    maxBackoff: '1s',
    backoffMultiplier: 2,
    retryableStatusCodes: ['UNAVAILABLE'],
  };
  const config = JSON.stringify({ methodConfig: [{ name: [{}], retryPolicy }] });
  const client = new Client(addressOf(variable), credentials.createInsecure(), { 'grpc.service_config': config });
  const startedAtMs = performance.now();
  const error = await new Promise((resolve) => {
    client.makeUnaryRequest(
      '/understudy.v1.LlmService/Generate',
      (request) => Buffer.from(toBinary(GenerateRequestSchema, create(GenerateRequestSchema, request))),
      (bytes) => fromBinary(GenerateResponseSchema, bytes),
      { prompt: PROMPT },
      { deadline: Date.now() + timeoutMs },
      (failure) => resolve(failure),
    );
  });
  client.close();
  const ms = Math.round(performance.now() - startedAtMs);
  const details = String(error?.metadata?.get('grpc-status-details-bin')[0] ?? '');
  const [reason = ''] =
    /CIRCUIT_OPEN|OVERLOADED|ALL_PROVIDERS_FAILED|PROVIDER_UNAVAILABLE|DEADLINE/.exec(details) ?? [];
  return { code: status[error?.code ?? 0], reason, ms };
}

const cases = {
  generate: () =>
    ask(async (client) => {
      const { text, provider } = await client.generate({ prompt: PROMPT });
      expect('text is empty', text);
      expect(`provider is ${provider}`, provider === 'mock');
      return text;
    }),
  chat: () =>
    ask(async (client) => {
      const { text, provider } = await client.chat({ messages });
      expect('text is empty', text);
      expect(`provider is ${provider}`, provider === 'mock');
      return text;
    }),
  stream: () =>
    ask(async (client) => {
      const whole = await client.chat({ messages });
      const { text, finished } = await client.streamChat({ messages }).collect();
      expect(`text is ${text}`, text === whole.text);
      return `finished by ${finished.target}`;
    }),
  health: () =>
    ask(async (client) => {
      const { providers } = await client.health();
      expect(
        'no target mock',
        providers.some(({ target }) => target === 'mock'),
      );
      return `${providers.length} targets`;
    }),
  'list-models': () =>
    ask(async (client) => {
      const listed = [];
      for await (const model of client.models()) listed.push(model);
      expect('no model', listed.length > 0);
      return `${listed.length} models`;
    }),
  'health-check': () =>
    ask(async (client) => {
      const { status } = await client.check();
      expect(`status is ${status}`, status === ServingStatus.SERVING);
      return ServingStatus[status];
    }),
  'health-watch': () =>
    ask(async (client) => {
      for await (const { status } of client.watch()) {
        expect(`status is ${status}`, status === ServingStatus.SERVING);
        return ServingStatus[status];
      }
      throw new Error('no answer');
    }),
  deadline: () =>
    ask(async (client) => {
      const call = client.generate({ prompt: PROMPT, model: 'mock-silence' }, { timeoutMs: 1000 });
      const { code, reason, attempts, message } = await errorOf(call);
      expect(`code is ${Code[code]}: ${message}`, code === Code.DeadlineExceeded);
      expect(`reason is "${reason}": ${message}`, reason === 'DEADLINE');
      expect(
        'no attempt in the trail',
        attempts.some(({ kind }) => kind !== AttemptKind.SKIPPED),
      );
      return `${attempts.length} attempts`;
    }),
  cancel: () => leave('cancel', false),
  'left-loop': () => leave('left-loop', true),
  'decoded-error': () =>
    ask(async (client) => {
      const invalid = await errorOf(client.generate({ prompt: '' }));
      expect(`code is ${Code[invalid.code]}`, invalid.code === Code.InvalidArgument);
      expect(
        'prompt is not named',
        invalid.violations.some(({ field }) => field === 'prompt'),
      );
      const limited = await errorOf(client.generate({ prompt: PROMPT, model: 'mock-429' }));
      const isKnown = ['ALL_PROVIDERS_FAILED', 'PROVIDER_RATE_LIMITED'].includes(limited.reason);
      expect(`reason is ${limited.reason}`, isKnown);
      expect('no attempts', limited.attempts.length > 0);
      expect('no retry info', limited.retryAfterMs !== undefined);
      return `${limited.reason}, again after ${limited.retryAfterMs} ms`;
    }),
  restarted: () =>
    ask(async (client) => {
      const request = { messages, routing: { route: 'broken' }, recovery: Recovery.RESTART };
      const { text, restarts } = await client.streamChat(request).collect();
      const second = await client.chat({ messages, routing: { targets: ['second'] } });
      expect(`text is ${text}`, text === second.text);
      expect(`${restarts.length} restarts`, restarts.length === 1);
      return text;
    }),
  tls: async () => {
    const pem = (name) => readFileSync(`${addressOf('UNDERSTUDY_TLS_FOLDER')}/${name}`);
    const ca = pem('ca.crt');
    const own = (name) => ({ tls: { ca, cert: pem(`${name}.crt`), key: pem(`${name}.key`) } });
    const call = (options) => using('UNDERSTUDY_TLS_ADDRESS', (client) => client.generate({ prompt: PROMPT }), options);
    expect('text is empty', (await call(own('caller'))).text !== '');
    for (const [options, why] of [
      [{ tls: { ca } }, 'A client certificate is required.'],
      [own('expired'), 'The client certificate has expired.'],
    ]) {
      const { code, message } = await errorOf(call(options));
      expect(`${Code[code]} ${message}`, code === Code.Unauthenticated && message.includes(why));
    }
    return 'TLS';
  },
  metadata: () =>
    using(
      'UNDERSTUDY_ECHO_ADDRESS',
      async (client) => {
        const options = { requestId: 'conformance-1', traceparent: TRACE };
        const { text } = await client.generate({ prompt: PROMPT }, options);
        const seen = JSON.parse(text);
        expect(`authorization is ${seen.authorization}`, seen.authorization === 'Bearer secret');
        expect(`x-request-id is ${seen['x-request-id']}`, seen['x-request-id'] === 'conformance-1');
        expect(`traceparent is ${seen.traceparent}`, seen.traceparent === TRACE);
        expect(`user-agent is ${seen['user-agent']}`, seen['user-agent'].startsWith('understudy-typescript/'));
        const leftMs = Number(/^(\d+)m$/.exec(seen['grpc-timeout'])?.[1]);
        expect(`grpc-timeout is ${seen['grpc-timeout']}`, leftMs > 110_000 && leftMs <= 120_000);
        return `grpc-timeout ${seen['grpc-timeout']}`;
      },
      { apiKey: () => 'secret' },
    ),
  large: () =>
    using('UNDERSTUDY_ECHO_ADDRESS', async (client) => {
      const prompt = 'x'.repeat(10 << 20);
      const { text } = await client.generate({ prompt });
      expect(`${text.length} characters came back`, text === prompt);
      return `${text.length} characters`;
    }),
  streams: () =>
    ask(async (client) => {
      const one = async () => client.streamChat({ messages, model: 'mock-slow' }).collect();
      const answers = await Promise.all(Array.from({ length: 200 }, one));
      expect(
        'some are empty',
        answers.every(({ text }) => text !== ''),
      );
      return `${answers.length} finished`;
    }),
  rolling: () =>
    using('UNDERSTUDY_PAIR_ADDRESSES', async (client) => {
      const calls = [];
      const failures = [];
      const endAtMs = performance.now() + 10_000;
      for (let atMs = performance.now(); atMs < endAtMs; atMs += 50) {
        await passed(Math.max(0, atMs - performance.now()));
        calls.push(client.generate({ prompt: PROMPT }).catch((error) => failures.push(decodeError(error))));
      }
      await Promise.all(calls);
      const [first] = failures;
      const told = first && { ...first, code: Code[first.code], attempts: first.attempts.length };
      expect(`${failures.length} of ${calls.length} failed: ${JSON.stringify(told)}`, failures.length === 0);
      return `${calls.length} calls`;
    }),
  'retry-before': () => bareRetry('UNDERSTUDY_CLOSED_ADDRESS', 5000),
  'retry-after': () => bareRetry('UNDERSTUDY_CONTACTED_ADDRESS', 5000),
  'retry-late': () => bareRetry('UNDERSTUDY_CLOSED_ADDRESS', 1000),
};

let isOk = true;
for (const name of process.argv.slice(2)) {
  const run = Object.hasOwn(cases, name) ? cases[name] : undefined;
  try {
    print({ case: name, ok: run !== undefined, detail: run === undefined ? 'unknown case' : await run() });
    isOk &&= run !== undefined;
  } catch (error) {
    isOk = false;
    const { reason, message } = decodeError(error);
    print({ case: name, ok: false, detail: reason === '' ? message : `${reason}: ${message}` });
  }
}
process.exitCode = isOk ? 0 : 1;

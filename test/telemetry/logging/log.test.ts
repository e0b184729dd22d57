import { describe, expect, test } from 'vitest';

import type { CallReport, CallOutcome } from '../../../src/telemetry/report/call-report.ts';
import { createCallLog } from '../../../src/telemetry/logging/log.ts';
import type { CallLog, CallLogOptions } from '../../../src/telemetry/logging/log.ts';
import { failedAttempt, failedEnd, okAttempt, okEnd } from '../ends.ts';

interface Written {
  readonly log: CallLog;
  readonly lines: readonly string[];
  /** The lines as objects. */
  readonly objects: () => readonly Readonly<Record<string, unknown>>[];
}

function openLog(options: Partial<CallLogOptions> = {}): Written {
  const lines: string[] = [];
  const write = (text: string): void => void lines.push(...(text.match(/.*?\n/gs) ?? []));
  const log = createCallLog({ write, wall: () => 1_795_305_600_000, ...options });
  return { log, lines, objects: () => lines.map((line) => JSON.parse(line) as Record<string, unknown>) };
}

function logged(end: CallReport): Readonly<Record<string, unknown>> | undefined {
  const { log, objects } = openLog();
  log.callEnded(end);
  log.flush();
  return objects()[0];
}

describe('the line of a call', () => {
  test('says everything about a good answer', () => {
    const end = okEnd({ attempts: [failedAttempt(), okAttempt({ number: 2, kind: 'FAILOVER' })] });
    expect(logged(end)).toEqual({
      level: 'info',
      time: 1_795_305_600_000,
      msg: 'call ended',
      'understudy.request_id': 'request-1',
      'rpc.method': 'understudy.v1.LlmService/StreamChat',
      'rpc.status_code': 'OK',
      'gen_ai.operation.name': 'chat',
      'gen_ai.provider.name': 'azure.ai.openai',
      'gen_ai.request.model': 'gpt-6.1-sol',
      'gen_ai.request.stream': true,
      'gen_ai.response.model': 'gpt-6.1-sol-2026-10-01',
      'gen_ai.response.finish_reasons': ['stop'],
      'gen_ai.response.time_to_first_chunk': 0.3505,
      'gen_ai.usage.input_tokens': 100,
      'gen_ai.usage.cache_read.input_tokens': 40,
      'gen_ai.usage.cache_creation.input_tokens': 10,
      'gen_ai.usage.output_tokens': 50,
      'gen_ai.usage.reasoning.output_tokens': 20,
      'understudy.target': 'azure-eu',
      'understudy.duration_ms': 1600.123,
      'understudy.first_output_ms': 350.5,
      'understudy.cost.nano_usd': 1_500_000,
      'understudy.cost.source': 'EXACT',
      'understudy.labels': { team: 'search' },
      'understudy.trail': [
        {
          number: 1,
          kind: 'FIRST',
          provider: 'openai',
          target: 'openai',
          model: 'gpt-6.1-sol',
          reported_model: 'gpt-6.1-sol-2026-10-01',
          outcome: 'PROVIDER_RATE_LIMITED',
          status: 429,
          code: 'rate_limit_exceeded',
          ms: 80,
          slice_ms: 60_000,
          phase: 'TAIL',
          circuit: 'CLOSED',
          generation: 2,
          nano_usd: 0,
          cost_source: 'EXACT',
        },
        {
          number: 2,
          kind: 'FAILOVER',
          provider: 'azure-openai',
          target: 'azure-eu',
          model: 'gpt-6.1-sol',
          reported_model: 'gpt-6.1-sol-2026-10-01',
          outcome: 'OK',
          status: 200,
          ms: 1500,
          slice_ms: 60_000,
          first_output_ms: 300,
          phase: 'TAIL',
          circuit: 'CLOSED',
          generation: 2,
          input_tokens: 100,
          cached_input_tokens: 40,
          cache_write_tokens: 10,
          output_tokens: 50,
          reasoning_tokens: 20,
          nano_usd: 1_500_000,
          cost_source: 'EXACT',
        },
      ],
    });
  });

  test('leaves out what is not known', () => {
    const end = failedEnd({
      method: 'Chat',
      outcome: { status: 'INVALID_ARGUMENT', reason: 'INVALID_REQUEST' },
      labels: {},
      requestedModel: '',
      durationMs: 0,
      attempts: [],
    });
    expect(logged(end)).toEqual({
      level: 'info',
      time: 1_795_305_600_000,
      msg: 'call ended',
      'understudy.request_id': 'request-1',
      'rpc.method': 'understudy.v1.LlmService/Chat',
      'rpc.status_code': 'INVALID_ARGUMENT',
      'error.type': 'INVALID_REQUEST',
      'gen_ai.operation.name': 'chat',
      'gen_ai.request.stream': false,
      'understudy.duration_ms': 0,
    });
  });

  test('tells of an answer that broke off after its first words the code, or else the reason of what broke it', () => {
    const broken = { class: 'interrupted', reason: 'STREAM_INTERRUPTED', brokenBy: 'PROVIDER_TIMEOUT' } as const;
    const attempts = [failedAttempt(broken), failedAttempt({ ...broken, providerCode: undefined })];
    expect(logged(okEnd({ attempts }))).toMatchObject({
      'understudy.trail': [
        { outcome: 'STREAM_INTERRUPTED', code: 'rate_limit_exceeded' },
        { outcome: 'STREAM_INTERRUPTED', code: 'PROVIDER_TIMEOUT' },
      ],
    });
  });

  test('never takes an unknown cost for 0', () => {
    const line = logged(okEnd({ cost: { source: 'UNKNOWN' } }));
    expect(line).toMatchObject({ 'understudy.cost.source': 'UNKNOWN' });
    expect(line).not.toHaveProperty(['understudy.cost.nano_usd']);
  });

  test.each<[string, CallOutcome]>([
    ['info', { status: 'OK' }],
    ['info', { status: 'INVALID_ARGUMENT', reason: 'CONTEXT_LENGTH_EXCEEDED' }],
    ['info', { status: 'NOT_FOUND', reason: 'MODEL_NOT_FOUND' }],
    ['info', { status: 'CANCELLED', reason: 'CANCELLED' }],
    ['warn', { status: 'UNAVAILABLE', reason: 'ALL_PROVIDERS_FAILED' }],
    ['warn', { status: 'INTERNAL', reason: 'PROVIDER_AUTH_FAILED' }],
    ['warn', { status: 'ABORTED', reason: 'STREAM_INTERRUPTED' }],
    ['error', { status: 'INTERNAL', reason: 'INTERNAL' }],
  ])('has level %s for %o', (level, outcome) => {
    expect(logged(okEnd({ outcome }))).toMatchObject({ level });
  });

  test('shows nothing of what a failure says', () => {
    const secret = 'sk-planted-secret';
    const failure = { message: secret, cause: new Error(secret), field: secret };
    const { log, lines } = openLog();
    log.callEnded(failedEnd({ attempts: [failedAttempt(failure, { providerRequestId: secret })] }));
    log.alert('openai', { class: 'auth', reason: 'PROVIDER_AUTH_FAILED', ...failure });
    log.flush();
    expect(lines).toHaveLength(2);
    expect(lines.join('')).not.toContain(secret);
  });

  test('stays one line of JSON whatever callers write', () => {
    const odd = 'a "b" \\ \n\r\u2028\u0000\uD800 {"level":"error"}';
    const { log, lines, objects } = openLog();
    const { entry } = okAttempt().record;
    log.callEnded(
      okEnd({
        labels: { [odd]: odd, ['__proto__']: 'x' },
        requestedModel: odd,
        attempts: [okAttempt({ entry: { ...entry, model: odd } })],
      }),
    );
    log.flush();
    expect(lines).toHaveLength(1);
    expect(lines[0]).toMatch(/^[^\n\r]+\n$/);
    const [line] = objects();
    expect(line).toMatchObject({ level: 'info', 'gen_ai.request.model': odd, 'understudy.trail': [{ model: odd }] });
    expect(line?.['understudy.labels']).toMatchObject({ [odd]: odd });
  });

  test('cuts what callers wrote too long', () => {
    const labels = Object.fromEntries(
      Array.from({ length: 40 }, (_, index) => [`${index}`.padEnd(900, 'k'), 'v'.repeat(900)]),
    );
    const line = logged(okEnd({ requestedModel: 'm'.repeat(9_000), labels }));
    const cut = line?.['understudy.labels'] as Record<string, string>;
    expect(Object.keys(cut)).toHaveLength(16);
    expect(Object.keys(cut).every((key) => key.length === 64)).toBe(true);
    expect(Object.values(cut).every((value) => value.length === 256)).toBe(true);
    expect(line?.['gen_ai.request.model']).toHaveLength(256);
  });
});

describe('the log', () => {
  test('writes the lines of calls when it is their turn, in order', () => {
    const turns: (() => void)[] = [];
    const { log, lines, objects } = openLog({ defer: (work) => turns.push(work) });
    log.callEnded(okEnd({ requestId: 'a' }));
    log.callEnded(okEnd({ requestId: 'b' }));
    expect(lines).toHaveLength(0);
    expect(turns).toHaveLength(1);
    turns.shift()?.();
    expect(objects().map((line) => line['understudy.request_id'])).toEqual(['a', 'b']);
    log.callEnded(okEnd({ requestId: 'c' }));
    turns.shift()?.();
    expect(lines).toHaveLength(3);
  });

  test('writes the lines of calls that wait together at once', () => {
    const writes: string[] = [];
    const { log } = openLog({ write: (text) => writes.push(text) });
    log.callEnded(okEnd({ requestId: 'a' }));
    log.callEnded(okEnd({ requestId: 'b' }));
    log.flush();
    expect(writes).toHaveLength(1);
    expect(writes[0]?.match(/\n/g)).toHaveLength(2);
    expect(writes[0]).toMatch(/\n$/);
  });

  test('does not hold calls without bound where their turn never comes', () => {
    const { log, lines } = openLog({ defer: () => {} });
    for (let index = 0; index < 2_500; index++) log.callEnded(okEnd());
    expect(lines).toHaveLength(2_000);
    log.flush();
    expect(lines).toHaveLength(2_500);
  });

  test('writes sentences and alerts at once', () => {
    const { log, objects } = openLog();
    log.info('100% ready');
    log.warn('a key is missing');
    log.alert('azure-eu', { class: 'quota', reason: 'PROVIDER_QUOTA_EXHAUSTED', httpStatus: 429, providerCode: 'x' });
    const time = 1_795_305_600_000;
    expect(objects()).toEqual([
      { level: 'info', time, msg: '100% ready' },
      { level: 'warn', time, msg: 'a key is missing' },
      {
        level: 'warn',
        time,
        msg: 'target needs attention',
        'understudy.target': 'azure-eu',
        'error.type': 'PROVIDER_QUOTA_EXHAUSTED',
        'understudy.failure.class': 'quota',
        'http.response.status_code': 429,
        'understudy.provider_code': 'x',
      },
    ]);
  });

  test('writes the same alert once a minute, and says how many it held back', () => {
    let nowMs = 0;
    const { log, objects } = openLog({ now: () => nowMs });
    const refused = { class: 'auth', reason: 'PROVIDER_AUTH_FAILED', httpStatus: 401 } as const;
    for (let index = 0; index < 500; index++) log.alert('openai', refused);
    log.alert('azure-eu', refused);
    log.alert('openai', { ...refused, httpStatus: 403 });
    nowMs = 59_999;
    log.alert('openai', refused);
    nowMs = 60_000;
    log.alert('openai', refused);
    const told = objects().map((line) => [
      line['understudy.target'],
      line['http.response.status_code'],
      line['understudy.alerts_held_back'],
    ]);
    expect(told).toEqual([
      ['openai', 401, undefined],
      ['azure-eu', 401, undefined],
      ['openai', 403, undefined],
      ['openai', 401, 500],
    ]);
  });

  test('writes the same fault once a minute, and says how many it held back', () => {
    let nowMs = 0;
    const { log, objects } = openLog({ now: () => nowMs });
    const times = [...Array<number>(500).fill(0), 59_999, 60_000];
    for (const [index, atMs] of times.entries()) {
      nowMs = atMs;
      // Of one place in the program, whatever they say; and others.
      log.fault(new TypeError(`of call ${index}`));
      if (index === 0) log.fault(new RangeError('another'));
    }
    const told = objects().map((line) => [line['level'], line['exception.type'], line['understudy.alerts_held_back']]);
    expect(told).toEqual([
      ['error', 'TypeError', undefined],
      ['error', 'RangeError', undefined],
      ['error', 'TypeError', 500],
    ]);
  });

  test('tells of used up descriptors once, whichever of the targets and whoever else has noticed', () => {
    const { log, objects } = openLog({ now: () => 0 });
    for (const target of ['openai', 'azure-eu', 'ollama']) {
      log.alert(target, { class: 'local_refusal', reason: 'OVERLOADED', providerCode: 'EMFILE' });
    }
    log.outOfDescriptors();
    expect(objects()).toEqual([
      { level: 'warn', time: 1_795_305_600_000, msg: 'no file descriptor is left: connections are refused' },
    ]);
  });

  test('tells who has done what as an operator, and how it ended', () => {
    const { log, objects } = openLog();
    log.operatorActed({ method: 'ForceCircuit', peer: '10.0.0.9:4711', target: 'openai', state: 'OPEN', status: 'OK' });
    expect(objects()).toEqual([
      {
        level: 'info',
        time: 1_795_305_600_000,
        msg: 'operator acted',
        'client.address': '10.0.0.9:4711',
        'rpc.method': 'understudy.v1.AdminService/ForceCircuit',
        'rpc.status_code': 'OK',
        'understudy.target': 'openai',
        'understudy.state': 'OPEN',
      },
    ]);
  });

  test('writes nothing below its level', () => {
    const { log, objects } = openLog({ level: 'warn' });
    log.info('no');
    log.callEnded(okEnd());
    log.callEnded(failedEnd());
    log.flush();
    expect(objects()).toMatchObject([{ level: 'warn', 'error.type': 'ALL_PROVIDERS_FAILED' }]);
  });

  test('writes what operators do at any level', () => {
    const { log, objects } = openLog({ level: 'error' });
    log.warn('no');
    log.operatorActed({ method: 'ResetTarget', peer: '10.0.0.9:4711', target: 'openai', status: 'OK' });
    expect(objects()).toMatchObject([{ level: 'info', msg: 'operator acted' }]);
  });

  test('writes a share of the good calls, which say so, and all that failed', () => {
    const chances = [0.009, 0.5, 0.01, 0];
    const { log, objects } = openLog({ goodShare: 0.01, random: () => chances.shift() ?? 1 });
    for (let call = 0; call < 4; call++) log.callEnded(okEnd());
    log.callEnded(failedEnd());
    log.flush();
    expect(objects().map((line) => [line['rpc.status_code'], line['understudy.logged_share']])).toEqual([
      ['OK', 0.01],
      ['OK', 0.01],
      ['UNAVAILABLE', undefined],
    ]);
  });

  test('is written as it is configured meanwhile, what becomes of the configuration at any level', () => {
    const { log, objects } = openLog();
    log.configure({ level: 'error', goodShare: 1 });
    log.callEnded(failedEnd());
    log.configHappened({ kind: 'read', changed: ['log changed: level'], needRestart: [], warnings: [] });
    log.configure({ level: 'info', goodShare: 0 });
    log.callEnded(okEnd());
    log.callEnded(failedEnd());
    log.flush();
    expect(objects()).toMatchObject([{ level: 'info' }, { 'error.type': 'ALL_PROVIDERS_FAILED' }]);
  });

  test('writes no good call, or all of them without a word of it', () => {
    const none = openLog({ goodShare: 0, random: () => 0 });
    none.log.callEnded(okEnd());
    none.log.callEnded(failedEnd());
    none.log.flush();
    expect(none.objects()).toMatchObject([{ 'error.type': 'ALL_PROVIDERS_FAILED' }]);
    const all = openLog({ goodShare: 1, random: () => 0.999 });
    all.log.callEnded(okEnd());
    all.log.flush();
    expect(all.objects()).toHaveLength(1);
    expect(all.objects()[0]).not.toHaveProperty('understudy.logged_share');
  });

  test('never throws, whatever breaks', () => {
    const fail = (): never => {
      throw new Error('broken');
    };
    const deaf = openLog({ write: fail, defer: fail });
    expect(() => {
      deaf.log.callEnded(okEnd());
      deaf.log.info('x');
      deaf.log.alert('openai', { class: 'auth', reason: 'PROVIDER_AUTH_FAILED' });
      deaf.log.flush();
    }).not.toThrow();
    const { log, lines } = openLog({ defer: fail });
    const broken = okEnd();
    Object.defineProperty(broken, 'labels', { get: fail });
    expect(() => {
      log.callEnded(broken);
      log.callEnded(okEnd());
    }).not.toThrow();
    expect(lines).toHaveLength(1);
  });
});

test('what is wrong with a token is told once a minute for each fault, with one address', () => {
  const { log, objects } = openLog();
  for (const token of ['aud', 'aud', 'kid'] as const)
    log.credentialsRefused({ credentials: 'invalid_token', token }, '192.0.2.7:4711');
  log.credentialsRefused({ credentials: 'expired_token' }, '192.0.2.7:4711');
  log.flush();
  const told = objects().map((line) => [line['understudy.credentials'], line['understudy.token_fault']]);
  expect(told).toEqual([
    ['invalid_token', 'aud'],
    ['invalid_token', 'kid'],
    ['expired_token', undefined],
  ]);
});

import { describe, expect, test } from 'vitest';

import type { TargetHealth } from '../../../src/engine/port/call.ts';
import { engineLoad, failedAttempt, failedEnd, healthyTarget, okAttempt, okEnd } from '../ends.ts';
import { valueOf } from '../exposition.ts';
import { createBareMetrics, record, scrape } from '../scrape.ts';

const AZURE = { target: 'azure-eu', provider: 'azure-openai', model: 'gpt-6.1-sol' };
const OPENAI = { target: 'openai', provider: 'openai', model: 'gpt-6.1-sol' };
const GEN_AI = {
  gen_ai_operation_name: 'chat',
  gen_ai_provider_name: 'azure.ai.openai',
  gen_ai_request_model: 'gpt-6.1-sol',
  understudy_target: 'azure-eu',
};

describe('metrics of calls', () => {
  test('count calls by method, status and reason', async () => {
    const scraped = await record(okEnd(), okEnd(), okEnd({ method: 'Chat' }), failedEnd({ method: 'Chat' }));
    const calls = 'understudy_calls_total';
    expect(valueOf(scraped, calls, { method: 'StreamChat', status: 'OK' })).toBe(2);
    expect(valueOf(scraped, calls, { method: 'Chat', status: 'OK' })).toBe(1);
    expect(valueOf(scraped, calls, { method: 'Generate', status: 'OK' })).toBe(0);
    const failed = { method: 'Chat', status: 'UNAVAILABLE', reason: 'ALL_PROVIDERS_FAILED' };
    expect(valueOf(scraped, calls, failed)).toBe(1);
  });

  test('put duration and tokens of a call down to the target that answered', async () => {
    const scraped = await record(
      okEnd({ attempts: [failedAttempt(), okAttempt({ number: 2, kind: 'FAILOVER' })], durationMs: 2_000 }),
    );
    expect(valueOf(scraped, 'gen_ai_client_operation_duration_seconds_sum', GEN_AI)).toBe(2);
    expect(valueOf(scraped, 'gen_ai_client_operation_duration_seconds_bucket', { ...GEN_AI, le: '1.28' })).toBe(0);
    expect(valueOf(scraped, 'gen_ai_client_operation_duration_seconds_bucket', { ...GEN_AI, le: '2.56' })).toBe(1);
    const tokens = 'gen_ai_client_token_usage_sum';
    expect(valueOf(scraped, tokens, { ...GEN_AI, gen_ai_token_type: 'input' })).toBe(100);
    expect(valueOf(scraped, tokens, { ...GEN_AI, gen_ai_token_type: 'output' })).toBe(50);
  });

  test('name the reason of a failed call, and the last target that was asked', async () => {
    const skipped = failedAttempt({ reason: 'CIRCUIT_OPEN' }, { kind: 'SKIPPED', entry: okAttempt().record.entry });
    const scraped = await record(failedEnd({ attempts: [failedAttempt(), skipped] }));
    const labels = { ...GEN_AI, gen_ai_provider_name: 'openai', understudy_target: 'openai' };
    const count = 'gen_ai_client_operation_duration_seconds_count';
    expect(valueOf(scraped, count, { ...labels, error_type: 'ALL_PROVIDERS_FAILED' })).toBe(1);
  });

  test('show the time to the first chunk for streams alone', async () => {
    const scraped = await record(okEnd({ firstOutputMs: 250 }), okEnd({ method: 'Chat', firstOutputMs: 4_000 }));
    const name = 'gen_ai_client_operation_time_to_first_chunk_seconds';
    expect(valueOf(scraped, `${name}_count`, GEN_AI)).toBe(1);
    expect(valueOf(scraped, `${name}_sum`, GEN_AI)).toBe(0.25);
  });

  test('only count a call that asked nobody', async () => {
    const end = failedEnd({ outcome: { status: 'INVALID_ARGUMENT', reason: 'INVALID_REQUEST' }, attempts: [] });
    const { samples } = await record(end);
    const moved = samples.filter(({ value }) => value !== 0).map(({ name }) => name);
    expect(moved).toEqual(['understudy_calls_total']);
  });

  test('show the calls under way, each once', async () => {
    const metrics = createBareMetrics();
    const end = metrics.callStarted();
    metrics.callStarted();
    expect(valueOf(await scrape(metrics), 'understudy_calls_in_flight')).toBe(2);
    end();
    end();
    expect(valueOf(await scrape(metrics), 'understudy_calls_in_flight')).toBe(1);
  });
});

describe('metrics of attempts', () => {
  test('count every attempt by target, model, kind and outcome', async () => {
    const scraped = await record(
      okEnd({
        attempts: [
          failedAttempt(),
          failedAttempt({}, { kind: 'RETRY', number: 2 }),
          okAttempt({ kind: 'FAILOVER', number: 3 }),
        ],
      }),
    );
    const attempts = 'understudy_attempts_total';
    expect(valueOf(scraped, attempts, { ...OPENAI, kind: 'FIRST', outcome: 'PROVIDER_RATE_LIMITED' })).toBe(1);
    expect(valueOf(scraped, attempts, { ...OPENAI, kind: 'RETRY', outcome: 'PROVIDER_RATE_LIMITED' })).toBe(1);
    expect(valueOf(scraped, attempts, { ...AZURE, kind: 'FAILOVER', outcome: 'OK' })).toBe(1);
    const duration = 'understudy_attempt_duration_seconds';
    expect(valueOf(scraped, `${duration}_sum`, { ...OPENAI, result: 'failed' })).toBe(0.16);
    expect(valueOf(scraped, `${duration}_sum`, { ...AZURE, result: 'ok' })).toBe(1.5);
    expect(valueOf(scraped, 'understudy_attempt_first_output_seconds_sum', AZURE)).toBe(0.3);
    expect(valueOf(scraped, 'understudy_attempt_first_output_seconds_count', OPENAI)).toBeUndefined();
  });

  test('count an answer that broke off after its first words by what broke it', async () => {
    const broken = { class: 'interrupted', reason: 'STREAM_INTERRUPTED', brokenBy: 'PROVIDER_TIMEOUT' } as const;
    const scraped = await record(okEnd({ attempts: [failedAttempt(broken), okAttempt()] }));
    const labels = { ...OPENAI, kind: 'FIRST', outcome: 'PROVIDER_TIMEOUT' };
    expect(valueOf(scraped, 'understudy_attempts_total', labels)).toBe(1);
  });

  test('count a skip without a duration', async () => {
    const skip = failedAttempt({ reason: 'CIRCUIT_OPEN' }, { kind: 'SKIPPED' });
    const scraped = await record(failedEnd({ attempts: [{ record: skip.record }] }));
    const labels = { ...OPENAI, kind: 'SKIPPED', outcome: 'CIRCUIT_OPEN' };
    expect(valueOf(scraped, 'understudy_attempts_total', labels)).toBe(1);
    const names = new Set(scraped.samples.map(({ name }) => name));
    expect(names).not.toContain('understudy_attempt_duration_seconds_count');
    expect(names).not.toContain('understudy_cost_usd_total');
  });

  test('add up tokens by type, those of failed attempts too', async () => {
    const broken = failedAttempt({ class: 'interrupted' }, { usage: { inputTokens: 7, outputTokens: 3 } });
    const scraped = await record(okEnd(), okEnd({ attempts: [broken, okAttempt()] }));
    const tokens = (labels: Record<string, string>): number | undefined =>
      valueOf(scraped, 'understudy_tokens_total', labels);
    expect(tokens({ ...AZURE, type: 'input' })).toBe(200);
    expect(tokens({ ...AZURE, type: 'cached_input' })).toBe(80);
    expect(tokens({ ...AZURE, type: 'cache_write' })).toBe(20);
    expect(tokens({ ...AZURE, type: 'output' })).toBe(100);
    expect(tokens({ ...AZURE, type: 'reasoning' })).toBe(40);
    expect(tokens({ ...OPENAI, type: 'input' })).toBe(7);
    expect(tokens({ ...OPENAI, type: 'output' })).toBe(3);
    expect(tokens({ ...OPENAI, type: 'reasoning' })).toBeUndefined();
  });

  test('add up cost in USD, and never take unknown for 0', async () => {
    const scraped = await record(
      okEnd({
        attempts: [
          okAttempt({}, { nanoUsd: 1_500_000n, source: 'EXACT' }),
          okAttempt({}, { nanoUsd: 2_000_000_000n, source: 'EXACT' }),
          okAttempt({}, { nanoUsd: 250_000_000n, source: 'ESTIMATED' }),
          okAttempt({}, { source: 'UNKNOWN' }),
        ],
      }),
    );
    expect(valueOf(scraped, 'understudy_cost_usd_total', { ...AZURE, source: 'EXACT' })).toBeCloseTo(2.0015, 12);
    expect(valueOf(scraped, 'understudy_cost_usd_total', { ...AZURE, source: 'ESTIMATED' })).toBe(0.25);
    expect(valueOf(scraped, 'understudy_cost_usd_total', { ...AZURE, source: 'UNKNOWN' })).toBeUndefined();
    expect(valueOf(scraped, 'understudy_cost_unknown_total', AZURE)).toBe(1);
  });
});

describe('metrics of targets', () => {
  test('count what adapters do not know', async () => {
    const metrics = createBareMetrics();
    for (const _ of [1, 2]) metrics.unknownEvent('azure-eu', 'azure-openai');
    const labels = { target: 'azure-eu', provider: 'azure-openai' };
    expect(valueOf(await scrape(metrics), 'understudy_unknown_events_total', labels)).toBe(2);
  });

  test('show the state of the moment, and forget what is gone', async () => {
    const targets: readonly TargetHealth[] = [
      healthyTarget({
        available: false,
        suspendedReason: 'auth',
        rateLimitedForMs: 2_500,
        inFlight: 3,
        circuits: [
          { model: 'gpt-6.1-sol', state: 'OPEN', reopensInMs: 20_000 },
          { model: 'gpt-6-luna', state: 'HALF_OPEN' },
          { model: 'other', state: 'CLOSED' },
        ],
      }),
    ];
    const metrics = createBareMetrics();
    const labels = { target: 'azure-eu', provider: 'azure-openai' };
    const sick = await scrape(metrics, targets);
    expect(valueOf(sick, 'understudy_target_available', labels)).toBe(0);
    expect(valueOf(sick, 'understudy_target_suspended', labels)).toBe(1);
    expect(valueOf(sick, 'understudy_target_rate_limited_seconds', labels)).toBe(2.5);
    expect(valueOf(sick, 'understudy_target_in_flight', labels)).toBe(3);
    expect(valueOf(sick, 'understudy_circuit_state', AZURE)).toBe(2);
    expect(valueOf(sick, 'understudy_circuit_state', { ...AZURE, model: 'gpt-6-luna' })).toBe(1);
    expect(valueOf(sick, 'understudy_circuit_state', { ...AZURE, model: 'other' })).toBe(0);
    const well = await scrape(metrics, [healthyTarget()]);
    expect(valueOf(well, 'understudy_target_available', labels)).toBe(1);
    expect(valueOf(well, 'understudy_target_suspended', labels)).toBe(0);
    expect(valueOf(well, 'understudy_target_rate_limited_seconds', labels)).toBe(0);
    expect(valueOf(well, 'understudy_circuit_state', AZURE)).toBe(0);
    expect(valueOf(well, 'understudy_circuit_state', { ...AZURE, model: 'gpt-6-luna' })).toBeUndefined();
  });

  test('show the worst of all models that only callers name, and none of their names', async () => {
    const circuits = [
      { model: 'other', state: 'CLOSED' },
      { model: 'made-up', circuit: 'other', state: 'OPEN' },
      { model: 'made-up-too', circuit: 'other', state: 'HALF_OPEN' },
    ] as const;
    const scraped = await scrape(createBareMetrics(), [healthyTarget({ circuits })]);
    expect(valueOf(scraped, 'understudy_circuit_state', { ...AZURE, model: 'other' })).toBe(2);
    expect(JSON.stringify(scraped)).not.toContain('made-up');
  });

  test('show what admission holds and has refused, each time anew', async () => {
    const metrics = createBareMetrics();
    const refused = 'understudy_admission_refused_total';
    const busy = await scrape(metrics, [], engineLoad());
    expect(valueOf(busy, 'understudy_admission_active')).toBe(5);
    expect(valueOf(busy, 'understudy_admission_max_active')).toBe(1_000);
    expect(valueOf(busy, 'understudy_admission_queued')).toBe(2);
    expect(valueOf(busy, 'understudy_admission_max_queued')).toBe(100);
    expect(valueOf(busy, refused, { cause: 'share' })).toBe(3);
    expect(valueOf(busy, refused, { cause: 'wait' })).toBe(0);
    const later = await scrape(metrics, [], engineLoad({ active: 0, queued: 0 }));
    expect(valueOf(later, 'understudy_admission_active')).toBe(0);
    expect(valueOf(later, refused, { cause: 'share' })).toBe(3);
  });
});

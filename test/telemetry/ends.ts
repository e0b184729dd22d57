import type { Failure } from '../../src/core/failure.ts';
import type { AttemptRecord, TargetHealth } from '../../src/engine/port/call.ts';
import type { EngineLoad } from '../../src/engine/port/engine-load.ts';
import type { CallReport, EndedAttempt } from '../../src/telemetry/report/call-report.ts';

/** An attempt that went well on target `azure-eu`, with all figures. */
export function okAttempt(record: Partial<AttemptRecord> = {}, cost?: EndedAttempt['cost']): EndedAttempt {
  return {
    record: {
      number: 1,
      kind: 'FIRST',
      entry: {
        target: 'azure-eu',
        provider: 'azure-openai',
        model: 'gpt-6.1-sol',
        circuit: 'gpt-6.1-sol',
        modelNamedByCaller: false,
      },
      reportedModel: 'gpt-6.1-sol-2026-10-01',
      httpStatus: 200,
      startedAtWallMs: 0,
      startedAfterMs: 0,
      durationMs: 1_500,
      firstOutputMs: 300,
      waitBeforeMs: 0,
      usage: {
        inputTokens: 100,
        cachedInputTokens: 40,
        cacheWriteTokens: 10,
        outputTokens: 50,
        reasoningTokens: 20,
      },
      outputBytes: 200,
      sliceMs: 60_000,
      phase: 'TAIL',
      circuit: { state: 'CLOSED', generation: 2 },
      ...record,
    },
    cost: cost ?? { nanoUsd: 1_500_000n, source: 'EXACT' },
  };
}

/** An attempt on target `openai` that a provider refused with 429. */
export function failedAttempt(failure: Partial<Failure> = {}, record: Partial<AttemptRecord> = {}): EndedAttempt {
  const { record: base } = okAttempt();
  return {
    record: {
      ...base,
      entry: { ...base.entry, target: 'openai', provider: 'openai' },
      failure: {
        class: 'rate_limit',
        reason: 'PROVIDER_RATE_LIMITED',
        message: 'the provider limits the rate of calls',
        httpStatus: 429,
        providerCode: 'rate_limit_exceeded',
        ...failure,
      },
      httpStatus: 429,
      durationMs: 80,
      firstOutputMs: undefined,
      usage: undefined,
      ...record,
    },
    cost: { nanoUsd: 0n, source: 'EXACT' },
  };
}

/** A streamed call that went well at once, with every field. */
export function okEnd(end: Partial<CallReport> = {}): CallReport {
  return {
    method: 'StreamChat',
    requestId: 'request-1',
    labels: { team: 'search' },
    outcome: { status: 'OK' },
    finishReason: 'STOP',
    requestedModel: 'gpt-6.1-sol',
    serving: { target: 'azure-eu', provider: 'azure-openai', model: 'gpt-6.1-sol-2026-10-01' },
    durationMs: 1_600.123_456,
    firstOutputMs: 350.5,
    usage: okAttempt().record.usage,
    cost: { nanoUsd: 1_500_000n, source: 'EXACT' },
    attempts: [okAttempt()],
    skipsLeftOut: 0,
    ...end,
  };
}

/** A call that every provider failed. */
export function failedEnd(end: Partial<CallReport> = {}): CallReport {
  return okEnd({
    outcome: { status: 'UNAVAILABLE', reason: 'ALL_PROVIDERS_FAILED' },
    finishReason: undefined,
    serving: undefined,
    firstOutputMs: undefined,
    usage: undefined,
    cost: undefined,
    attempts: [failedAttempt()],
    ...end,
  });
}

/** An engine that has something to do, and has refused some requests. */
export function engineLoad(load: Partial<EngineLoad> = {}): EngineLoad {
  return {
    active: 5,
    maxActive: 1_000,
    queued: 2,
    maxQueued: 100,
    refused: { overloaded: 1, queue_full: 2, share: 3, wait: 0 },
    fullForMs: 0,
    isOverloaded: false,
    ...load,
  };
}

/** A target without a care. */
export function healthyTarget(health: Partial<TargetHealth> = {}): TargetHealth {
  return {
    target: 'azure-eu',
    provider: 'azure-openai',
    available: true,
    circuit: 'CLOSED',
    circuits: [{ model: 'gpt-6.1-sol', state: 'CLOSED' }],
    inFlight: 0,
    requests: 0,
    failures: 0,
    tokensUsed: 0,
    ...health,
  };
}

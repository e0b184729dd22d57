import { create } from '@bufbuild/protobuf';
import { type Cost, CostSchema, CostSource } from '../../../gen/understudy/v1/usage_pb.ts';
import type { Delta, Finish } from '../../../src/core/answer.ts';
import type { Failure } from '../../../src/core/failure.ts';
import type {
  AttemptRecord,
  Call,
  CallFailure,
  CallResult,
  ChainEntry,
  Serving,
  TargetHealth,
} from '../../../src/engine/port/call.ts';
import type { GatewayPort, CallEnd, Plan, PlanRequest } from '../../../src/server/port/gateway-port.ts';

export type Result = CallResult<Delta, Finish>;
export type Run = (call: Call<Delta, Finish>) => Promise<Result>;

const ENTRY: ChainEntry = {
  target: 'lead',
  provider: 'openai',
  model: 'model-1',
  circuit: 'model-1',
  modelNamedByCaller: false,
};

export const SERVING: Serving = {
  number: 1,
  target: 'lead',
  provider: 'openai',
  model: 'model-1-2026',
  requestedModel: 'model-1',
};

/** An attempt that took 10 ms and succeeded, unless told otherwise. */
export function attempt(changes: Partial<AttemptRecord> = {}): AttemptRecord {
  return {
    number: 1,
    kind: 'FIRST',
    entry: ENTRY,
    startedAtWallMs: 0,
    startedAfterMs: 1,
    durationMs: 10,
    waitBeforeMs: 0,
    outputBytes: 2,
    sliceMs: 1000,
    phase: 'SETTLED',
    ...changes,
  };
}

export function failure(changes: Partial<Failure> = {}): Failure {
  return { class: 'overload', reason: 'PROVIDER_UNAVAILABLE', message: 'the provider is overloaded', ...changes };
}

export function success(outputs: readonly Delta[] = [], changes: Partial<Extract<Result, { ok: true }>> = {}): Result {
  return {
    ok: true,
    serving: SERVING,
    final: { reason: 'STOP', raw: 'stop', responseId: 'resp_1' },
    outputs,
    usage: { inputTokens: 3, outputTokens: 4 },
    attempts: [attempt()],
    skipsLeftOut: 0,
    elapsedMs: 12,
    deadlineClamped: false,
    empty: false,
    ...changes,
  };
}

export function failed(changes: Partial<CallFailure> = {}, attempts: readonly AttemptRecord[] = []): Result {
  const told: CallFailure = {
    status: 'UNAVAILABLE',
    reason: 'ALL_PROVIDERS_FAILED',
    message: 'all providers failed',
    contacted: true,
    ...changes,
  };
  return { ok: false, failure: told, attempts, skipsLeftOut: 0, elapsedMs: 5, usage: undefined };
}

/** Resolves with the cancelled result when the call's signal aborts. */
export function untilAborted(call: Call<Delta, Finish>): Promise<Result> {
  const cancelled = failed({ status: 'CANCELLED', reason: 'CANCELLED', message: 'cancelled' });
  if (call.signal.aborted) return Promise.resolve(cancelled);
  return new Promise((resolve) => {
    call.signal.addEventListener('abort', () => resolve(cancelled), { once: true });
  });
}

export function targetHealth(changes: Partial<TargetHealth> = {}): TargetHealth {
  return {
    target: 'lead',
    provider: 'openai',
    available: true,
    circuit: 'CLOSED',
    circuits: [],
    inFlight: 0,
    requests: 0,
    failures: 0,
    tokensUsed: 0,
    ...changes,
  };
}

export function exactCost(nanoUsd: bigint): Cost {
  return create(CostSchema, { nanoUsd, source: CostSource.EXACT, priceTableVersion: 'v1' });
}

/** A plan of one target. Every attempt that was made costs a thousandth of a dollar. */
export function fakePlan(changes: Partial<Plan> = {}): Plan {
  return {
    chain: [ENTRY],
    streams: false,
    prepare: () => failure(),
    warnings: () => [],
    account: (record) => (record.kind === 'SKIPPED' ? undefined : exactCost(1_000_000n)),
    ...changes,
  };
}

/** What a request was planned with. */
interface Planned {
  readonly request: PlanRequest;
  readonly streams: boolean;
}

/** A gateway that answers with a script and remembers what it was asked. */
export interface FakeGateway extends GatewayPort {
  readonly plans: Planned[];
  readonly calls: Call<Delta, Finish>[];
  readonly ends: CallEnd[];
}

export function fakeGateway(run: Run, changes: Partial<GatewayPort> = {}): FakeGateway {
  const plans: Planned[] = [];
  const calls: Call<Delta, Finish>[] = [];
  const ends: CallEnd[] = [];
  return {
    plans,
    calls,
    ends,
    plan: (request, streams) => {
      plans.push({ request, streams });
      return fakePlan();
    },
    run: (call) => {
      calls.push(call);
      return run(call);
    },
    targets: () => [targetHealth()],
    costOfTarget: () => undefined,
    models: () => Promise.resolve([]),
    newRequestId: () => 'made-here',
    uptimeMs: () => 1500,
    callEnded: (end) => {
      ends.push(end);
    },
    version: '0.0.0-test',
    ...changes,
  };
}

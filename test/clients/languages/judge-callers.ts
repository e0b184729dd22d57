import { setTimeout as passed } from 'node:timers/promises';

import type { CallerKind } from '../stage/named-callers.ts';
import type { Stage } from '../stage/stage.ts';
import { runCases } from './program.ts';
import type { ConformanceProgram } from './recipes.ts';

/** What a program says of one call. */
interface CallOutcome {
  /** The name of the gRPC status. */
  readonly code: string;
  readonly reason?: string;
  /** Whether the client says that a repeat cannot bill twice; absent where there is no client of ours. */
  readonly mayRetry?: boolean;
  readonly retryAfterMs?: number | null;
  /** Subjects of QuotaFailure. */
  readonly quota?: readonly string[];
  /** Of ErrorInfo. */
  readonly renewsAt?: string;
  readonly ms: number;
}

interface CallerCase {
  readonly caller: CallerKind;
  /** Whether the gateway has room as soon as it has refused the first call. */
  readonly isReleased?: boolean;
  /** What is wrong; empty where all is well. */
  readonly wrong: (outcome: CallOutcome, calls: number) => string;
}

/** How long the gateway asks callers to wait that have too many calls under way, in milliseconds. */
const PUSHBACK_MS = 1_000;
/** What comes back at once comes back within this, on a busy machine too. */
const AT_ONCE_MS = 20_000;

const refusedOnce = ({ mayRetry }: CallOutcome, calls: number): string =>
  calls !== 1 ? 'one call should have come' : mayRetry === true ? 'it says that a repeat is of use' : '';

const budget: CallerCase = {
  caller: 'spent',
  wrong: (outcome, calls) => {
    const { code, reason, retryAfterMs, quota = [], renewsAt = '' } = outcome;
    if (code !== 'RESOURCE_EXHAUSTED' || reason !== 'BUDGET_EXHAUSTED') return 'not BUDGET_EXHAUSTED';
    if (typeof retryAfterMs === 'number') return 'it says when to repeat';
    if (!quota.includes('caller:spent')) return 'whose budget it is, is not told';
    if (!/^\d{4}-\d\d-01T00:00:00Z$/.test(renewsAt)) return 'when it renews is not told';
    return refusedOnce(outcome, calls);
  },
};

const CALLER_CASES: Readonly<Record<string, CallerCase>> = {
  budget,
  'budget-stream': budget,
  rate: {
    caller: 'busy',
    isReleased: true,
    wrong: ({ code, reason, mayRetry, retryAfterMs, ms }, calls) => {
      if (code === 'OK') {
        // How soon there is room depends on this machine.
        if (calls < 2) return 'two calls should have come';
        return ms < PUSHBACK_MS ? 'it came again before its time' : '';
      }
      if (code !== 'RESOURCE_EXHAUSTED' || reason !== 'CALLER_RATE_LIMITED') return 'not CALLER_RATE_LIMITED';
      if (mayRetry !== undefined) return 'it should have come again';
      if (calls !== 1) return 'one call should have come';
      return (retryAfterMs ?? 0) < PUSHBACK_MS ? 'when to come again is not told' : '';
    },
  },
  'rate-late': {
    caller: 'rated',
    wrong: (outcome, calls) => {
      const { code, reason, retryAfterMs, ms } = outcome;
      if (code !== 'RESOURCE_EXHAUSTED' || reason !== 'CALLER_RATE_LIMITED') return 'not CALLER_RATE_LIMITED';
      if (ms > AT_ONCE_MS) return 'it should have come back at once';
      return (retryAfterMs ?? 0) < PUSHBACK_MS ? 'when there is room again is not told' : refusedOnce(outcome, calls);
    },
  },
  'wrong-key': {
    caller: 'unknown',
    wrong: (outcome, calls) => {
      const { code, reason, retryAfterMs } = outcome;
      if (code !== 'UNAUTHENTICATED' || reason !== 'AUTH_INVALID') return 'not AUTH_INVALID';
      return typeof retryAfterMs === 'number' ? 'it says when to repeat' : refusedOnce(outcome, calls);
    },
  },
};

/** Whether {@link judgeCallerCase} judges a case. */
export function isCallerCase(name: string): boolean {
  return Object.hasOwn(CALLER_CASES, name);
}

/** Runs a case whose call the gateway refuses for who makes it, and counts the calls that come. `warmUp` goes before it. */
export async function judgeCallerCase(
  name: string,
  warmUp: string,
  program: ConformanceProgram,
  stage: Stage,
): Promise<{ readonly ok: boolean; readonly detail: string }> {
  const asked = CALLER_CASES[name];
  if (asked === undefined) throw new Error(`there is no case ${name}`);
  const { key, release } = await stage.namedCallers.useUp(asked.caller);
  const before = await stage.callsAt('callers');
  const ended = new AbortController();
  const env = { ...stage.env, UNDERSTUDY_API_KEY: key };
  const reports = runCases(program, [warmUp, name], env).finally(() => ended.abort());
  if (asked.isReleased === true) {
    while (!ended.signal.aborted && (await stage.callsAt('callers')) === before) await passed(20);
    release();
  }
  const { ok = false, detail } = (await reports).get(name) ?? {};
  release();
  if (!ok || !isOutcome(detail)) return { ok: false, detail: JSON.stringify(detail) ?? 'it said nothing' };
  // The call that was held to use up the room ends as well, and counts.
  await stage.idleAt('callers');
  const calls = (await stage.callsAt('callers')) - before - (asked.caller === 'busy' ? 1 : 0);
  const wrong = asked.wrong(detail, calls);
  const said = `${calls} calls, ${detail.code} ${detail.reason ?? ''} after ${detail.ms} ms`;
  return { ok: wrong === '', detail: wrong === '' ? said : `${said}; ${wrong}: ${JSON.stringify(detail)}` };
}

function isOutcome(detail: unknown): detail is CallOutcome {
  return typeof detail === 'object' && detail !== null && 'code' in detail && 'ms' in detail;
}

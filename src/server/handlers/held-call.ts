import type { CallTicket } from '../../callers/port/call-limits.ts';
import type { Caller } from '../../callers/port/caller.ts';
import type { Delta, Finish } from '../../core/answer.ts';
import type { Failure } from '../../core/failure.ts';
import { BYTES_PER_TOKEN } from '../../core/ports.ts';
import type { AttemptRecord, Call, CallResult } from '../../engine/port/call.ts';
import { totalTokens } from '../answers/attempt-trail.ts';
import type { GatewayPort, Plan } from '../port/gateway-port.ts';

/** Lets a call of a caller begin, or says why not; undefined where nothing holds it. */
export function enterCall(
  { limits }: Pick<GatewayPort, 'limits'>,
  caller: Caller | undefined,
  plan: Plan,
): ReturnType<NonNullable<GatewayPort['limits']>['enter']> {
  if (caller === undefined || limits === undefined) return undefined;
  return limits.enter(caller, plan.size?.() ?? { promptTokens: 0 }, () => plan.bounds?.());
}

/** Makes what the engine asks of a call: each attempt needs the ticket's leave, and is settled when it has ended. */
export function heldCall(
  plan: Plan,
  ticket: CallTicket | undefined,
): Pick<Call<Delta, Finish>, 'prepare' | 'attemptEnded'> {
  if (ticket?.hasBudget !== true) return { prepare: (entry) => plan.prepare(entry) };
  return {
    prepare: (entry) => plan.prepare(entry, ticket),
    attemptEnded: (record) => {
      let cost: bigint | undefined;
      try {
        cost = plan.account(record)?.nanoUsd;
      } finally {
        ticket.settle(cost);
      }
    },
  };
}

/** Notes the end of a call, with the tokens that it has taken as far as they are known. */
export function leaveCall(
  ticket: CallTicket | Failure | undefined,
  plan: Plan | undefined,
  { attempts }: CallResult<Delta, Finish>,
): void {
  if (ticket === undefined || 'reason' in ticket) return;
  ticket.leave(attempts.reduce((sum, attempt) => sum + tokensOf(attempt, plan), 0));
}

/** What came of an attempt is counted where its provider has not; a refusal takes nothing. */
function tokensOf({ kind, failure, usage, outputBytes }: AttemptRecord, plan: Plan | undefined): number {
  if (kind === 'SKIPPED') return 0;
  const counted = totalTokens(usage);
  if (counted !== undefined) return counted;
  if (failure !== undefined && outputBytes === 0) return 0;
  return (plan?.size?.().promptTokens ?? 0) + Math.ceil(outputBytes / BYTES_PER_TOKEN);
}

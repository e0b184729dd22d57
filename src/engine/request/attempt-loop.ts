import type { Failure } from '../../core/failure.ts';
import { decideAfterAttempt } from '../policy/after-attempt.ts';
import { decideAfterTurns } from '../policy/after-turns.ts';
import type { Decision } from '../policy/decision.ts';
import type { Call, CallResult, ChainEntry, Repair } from '../port/call.ts';
import { clientCancelled, internalFault } from '../port/failures.ts';
import type { Slot } from './admission-queue.ts';
import { longestSlotWaitMs } from './admission-queue.ts';
import { admit, lacksTime } from './admit.ts';
import type { AttemptFault } from './make-attempt.ts';
import { hasBegun, makeAttempt } from './make-attempt.ts';
import type { RequestContext } from './request.ts';
import { Request } from './request.ts';
import { Visit } from './visit.ts';

/** The attempt loop of the engine's rules: carries out what the policy decides, attempt by attempt and round by round. */
export class AttemptLoop<Output, Final> {
  readonly #call: Call<Output, Final>;
  readonly #context: RequestContext;
  readonly #request: Request<Output, Final>;
  /** Until when, since the beginning, full targets are waited for. */
  #slotWaitUntilMs: number | undefined;

  constructor(call: Call<Output, Final>, context: RequestContext) {
    this.#call = call;
    this.#context = context;
    this.#request = new Request(call, context);
  }

  /** Runs the request to its end. Call once; never rejects. */
  async run(): Promise<CallResult<Output, Final>> {
    const request = this.#request;
    const { admission, drain } = this.#context;
    const { shareKey = '', signal } = this.#call;
    const cancel = (): void => {
      request.end(clientCancelled());
    };
    signal.addEventListener('abort', cancel, { once: true });
    if (signal.aborted) cancel();
    let slot: Slot | undefined;
    let place: number | undefined;
    try {
      const entered = request.isOver ? undefined : admission.enter(shareKey, request.time.remainingMs, signal);
      const outcome = entered instanceof Promise ? await entered : entered;
      if (outcome !== undefined && 'release' in outcome) slot = outcome;
      else if (outcome !== undefined) request.end(outcome);
      place = drain.onBegin(() => {
        request.drain();
      });
      // It may have closed since it gave the slot away.
      if (admission.isClosed) request.drain();
      return (await this.#rounds()) ?? request.failed();
    } catch (error) {
      request.end(internalFault(error));
      return request.failed();
    } finally {
      slot?.release();
      if (place !== undefined) drain.forget(place);
      signal.removeEventListener('abort', cancel);
      request.close();
    }
  }

  async #rounds(): Promise<CallResult<Output, Final> | undefined> {
    const request = this.#request;
    const { drain } = this.#context;
    const { allowance, chain, trail } = request;
    while (!request.isOver) {
      const attemptsBefore = trail.attempts;
      const turns = chain.candidates(allowance);
      for (const [index, entry] of turns.entries()) {
        const answer = await this.#visit(entry, turns.slice(index + 1));
        if (answer !== undefined || request.isOver) return answer;
      }
      const visited = trail.attempts > attemptsBefore;
      const decision = this.#afterTurns(visited);
      if (decision.kind !== 'ROUND') return undefined;
      // Whoever would only wait may do so elsewhere (engine rule D2).
      if (drain.hasBegun) request.drain();
      else await request.wait(decision.waitMs);
      if (drain.hasBegun) return undefined;
    }
    return undefined;
  }

  /** One visit to a target: an attempt, and what the policy decides to make of it here. */
  async #visit(entry: ChainEntry, later: readonly ChainEntry[]): Promise<CallResult<Output, Final> | undefined> {
    const request = this.#request;
    const { allowance } = request;
    let visit = new Visit(request, entry, later);
    let isRepeat = request.chain.failureOf(entry) !== undefined;
    let repair: Repair<Output, Final> | undefined;
    let rewritten: 'RETRY' | undefined;
    for (;;) {
      const ready = admit(request, visit, isRepeat, repair);
      if (ready === undefined || !('permit' in ready)) {
        if (ready !== undefined) this.#skip(entry, ready);
        return repair === undefined ? undefined : request.tolerable;
      }
      const isRestart = allowance.attempt(entry, isRepeat);
      const again = isRestart ? 'RESTART' : rewritten;
      const { answer, fault } = await makeAttempt(request, visit, ready, repair === undefined ? again : 'REPAIR');
      if (fault === undefined) return answer;
      allowance.failed(entry, fault.cause.class, fault.isBehindHead);
      const decision = this.#afterAttempt(visit, fault, repair !== undefined);
      if (decision.kind === 'ANSWER') return fault.rejection?.isTolerable === true ? answer : request.tolerable;
      this.#note(decision, entry, fault);
      if (request.isOver) return undefined;
      repair = undefined;
      rewritten = undefined;
      switch (decision.kind) {
        case 'REWRITE':
          request.chain.rewrite(entry);
          visit.rewrites++;
          isRepeat = false;
          rewritten = 'RETRY';
          break;
        case 'REPAIR':
          ({ repair } = fault.rejection ?? {});
          if (fault.rejection?.isTolerable === true && answer !== undefined) request.tolerate(answer);
          visit = new Visit(request, entry, later);
          isRepeat = true;
          break;
        case 'REPEAT':
          isRepeat = !decision.isReplacement;
          if (isRepeat) visit.repeats++;
          else visit.staleSocketReplaced = true;
          await request.wait(decision.waitMs);
          if (request.isOver) return undefined;
          break;
        case 'NEXT':
        case 'ROUND':
        case 'GIVE_UP':
          return undefined;
      }
    }
  }

  /** Notes in the trail why an entry was passed over, and what follows from it. */
  #skip(entry: ChainEntry, refusal: Failure): void {
    const request = this.#request;
    const { observer, runtime } = this.#context;
    request.trail.skip(entry, refusal, runtime);
    if (refusal.reason === 'DEADLINE') request.lacksTime(entry);
    if (refusal.class !== 'internal') return;
    observer.alert?.(entry.target, refusal);
    // A fault of ours is passed on to one other target, not to all (class C21).
    if (request.chain.hasInternalFault) request.giveUp(refusal);
    request.chain.failed(entry, refusal);
  }

  #note(decision: Decision, entry: ChainEntry, fault: AttemptFault<Output, Final>): void {
    const request = this.#request;
    const { cause, failure } = fault;
    request.chain.failed(entry, failure);
    if (fault.isBehindHead) request.chain.brokeBehindHead(entry);
    if (hasBegun(fault)) request.hadBegun(failure);
    if ('begins' in decision) request.begins(decision.begins, entry, cause, failure);
    else if (decision.kind === 'GIVE_UP') request.giveUp(decision.isDecisive ? failure : undefined);
  }

  #afterAttempt(
    visit: Visit<Output, Final>,
    { cause, failure, rejection, hasOutput, isBehindHead, isRewritable }: AttemptFault<Output, Final>,
    isRepair: boolean,
  ): Decision {
    const request = this.#request;
    const { allowance, chain, delivery, recovery, time } = request;
    const { config, drain, runtime, stateOf } = this.#context;
    const { entry, repeats, rewrites, staleSocketReplaced } = visit;
    return decideAfterAttempt(
      {
        cause,
        failure,
        hasOutput,
        isBehindHead,
        hasBegunBefore: request.begunFailure !== undefined,
        isCommitted: delivery.isCommitted,
        recovery,
        rejection: rejection && {
          isTolerable: rejection.isTolerable,
          hasRepair: rejection.repair !== undefined,
        },
        ownHost: stateOf(entry).target.ownHost,
        isRewritable,
        rewritesInVisit: rewrites,
        isRepair,
        hasTolerableAnswer: isRepair && request.tolerable !== undefined,
        hasInternalFault: chain.hasInternalFault,
        isDraining: drain.hasBegun,
        hasRepeats: allowance.hasRepeats,
        mayRepeat: allowance.mayRepeat(entry),
        isWorthRepeating: allowance.isWorthRepeating(entry),
        mayRestart: allowance.mayRestart(entry),
        repeatsInVisit: repeats,
        staleSocketReplaced,
        anotherIsAvailable: chain.hasOtherThan(entry),
        anotherIsSound: chain.hasSoundOther(entry),
        unavailable: chain.unavailable(entry),
        remainingMs: time.remainingMs,
        sliceMs: visit.sliceMs,
        minAttemptMs: time.minAttemptMs,
      },
      config.retry,
      () => runtime.random(),
    );
  }

  #afterTurns(visited: boolean): Decision {
    const { config, drain, runtime } = this.#context;
    const { allowance, chain, time, trail } = this.#request;
    const inTime = chain.candidates(allowance).filter((entry) => !lacksTime(this.#request, entry));
    const candidates = inTime.map((entry) => ({
      lastClass: chain.failureOf(entry)?.class,
      mayRepeat: allowance.mayRepeat(entry),
      unavailable: chain.unavailable(entry),
    }));
    const isFull = candidates.some(({ unavailable }) => unavailable?.reason === 'OVERLOADED');
    return decideAfterTurns(
      {
        repeats: allowance.repeats,
        visited,
        isDraining: drain.hasBegun && trail.attempts > 0,
        remainingMs: time.remainingMs,
        minAttemptMs: time.minAttemptMs,
        slotWaitMs: isFull ? this.#slotWaitMs() : 0,
        candidates,
      },
      config.retry,
      () => runtime.random(),
    );
  }

  /** A full target is waited for like a slot of the engine's own, counted from the first time (engine rules A2, L1). */
  #slotWaitMs(): number {
    const { elapsedMs, remainingMs } = this.#request.time;
    this.#slotWaitUntilMs ??= elapsedMs + longestSlotWaitMs(this.#context.config.admission, remainingMs);
    return this.#slotWaitUntilMs - elapsedMs;
  }
}

import type { Failure } from '../../core/failure.ts';
import { decideAfterAttempt } from '../policy/after-attempt.ts';
import { decideAfterTurns } from '../policy/after-turns.ts';
import type { Decision } from '../policy/decision.ts';
import type { Call, CallResult, ChainEntry, Repair } from '../port/call.ts';
import { clientCancelled, internalFault } from '../port/failures.ts';
import type { Slot } from './slots/admission-queue.ts';
import { admit, admitWithLeave } from './admit.ts';
import { OpenChain } from './last-resort.ts';
import type { AttemptFault } from './make-attempt.ts';
import { hasBegun, makeAttempt, mayBePaid } from './make-attempt.ts';
import type { RequestContext } from './request.ts';
import { Request } from './request.ts';
import { failedAttempt, turnsTaken } from './situation.ts';
import { Visit } from './visit.ts';

/** The attempt loop of the engine's rules: carries out what the policy decides, attempt by attempt and round by round. */
export class AttemptLoop<Output, Final> {
  readonly #call: Call<Output, Final>;
  readonly #context: RequestContext;
  readonly #request: Request<Output, Final>;

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
    let slotWaitMs: number | undefined;
    try {
      const entered = request.isOver ? undefined : admission.enter(shareKey, request.time.remainingMs, signal);
      const outcome = entered instanceof Promise ? await entered : entered;
      if (entered instanceof Promise) slotWaitMs = request.time.elapsedMs;
      if (outcome !== undefined && 'release' in outcome) slot = outcome;
      else if (outcome !== undefined) request.end(outcome);
      place = drain.add(request);
      // It may have closed since it gave the slot away.
      if (admission.isClosed) request.drain();
      const result = (await this.#rounds()) ?? request.failed();
      return slotWaitMs === undefined ? result : { ...result, slotWaitMs };
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
    const { config, drain, runtime } = this.#context;
    const { allowance, chain, trail } = request;
    let openChain: OpenChain<Output, Final> | undefined;
    let attemptsBefore = 0;
    let turns = chain.candidates(allowance);
    while (!request.isOver) {
      let begun = 0;
      for (const entry of turns) {
        begun += 1;
        const answer = await this.#visit(entry, turns.slice(begun));
        if (answer !== undefined || request.isOver) return answer;
      }
      const visited = trail.attempts > attemptsBefore;
      const decision = decideAfterTurns(turnsTaken(request, visited), config.retry, () => runtime.random());
      const resort = decision.kind === 'ROUND' ? decision : (openChain ??= new OpenChain(request)).next();
      if (resort === undefined) return undefined;
      if ('ahead' in resort) {
        const answer = await this.#visit(resort.ahead, [], true);
        if (answer !== undefined) return answer;
        // Nobody else has a turn for it.
        turns = [];
        continue;
      }
      // Whoever would only wait may do so elsewhere (engine rule D2).
      if (drain.hasBegun) request.drain();
      else await request.wait(resort.waitMs);
      if (drain.hasBegun) return undefined;
      attemptsBefore = trail.attempts;
      turns = chain.candidates(allowance);
    }
    return undefined;
  }

  /**
   * One visit to a target: an attempt, and what the policy decides to make of it here.
   * @param isAhead whether its first attempt may go ahead of the time of its circuit (engine rule K9)
   */
  async #visit(
    entry: ChainEntry,
    later: readonly ChainEntry[],
    isAhead = false,
  ): Promise<CallResult<Output, Final> | undefined> {
    const request = this.#request;
    const { allowance } = request;
    let visit = new Visit(request, entry, later);
    let isRepeat = request.chain.failureOf(entry) !== undefined;
    let repair: Repair<Output, Final> | undefined;
    let rewritten: 'RETRY' | undefined;
    for (let mayGoAhead = isAhead; ; mayGoAhead = false) {
      const asked = { visit, isRepeat, repair, isAhead: mayGoAhead };
      const looked = admit(request, asked);
      const ready = looked !== undefined && 'claim' in looked ? await admitWithLeave(request, looked, asked) : looked;
      if (ready === undefined || !('permit' in ready)) {
        if (ready !== undefined) this.#skip(entry, ready);
        return repair === undefined ? undefined : request.tolerable;
      }
      const isRestart = allowance.attempt(entry, isRepeat);
      const again = isRestart ? 'RESTART' : rewritten;
      const { answer, fault } = await makeAttempt(request, visit, ready, repair === undefined ? again : 'REPAIR');
      if (fault === undefined) return answer;
      allowance.failed(entry, fault.cause.class, mayBePaid(fault, request.time.remainingMs));
      const { config, runtime } = this.#context;
      const failed = failedAttempt(request, visit, fault, repair !== undefined);
      const decision = decideAfterAttempt(failed, config.retry, () => runtime.random());
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
    if (refusal.reason === 'CIRCUIT_OPEN') this.#context.refusedByCircuit(entry);
    if (refusal.reason === 'DEADLINE') request.lacksTime(entry);
    if (refusal.class === 'budget') request.mayNotSpend(refusal);
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
}

import type { Verdict } from '../../../src/core/failure.ts';
import type { CircuitState } from '../../../src/engine/port/call.ts';
import type { CircuitBreakerConfig } from '../../../src/engine/port/config.ts';
import type { OperatorState } from '../../../src/engine/target/operator-switch.ts';
import type { CallFacts } from '../sim-call.ts';
import { OutageModel } from './outage-model.ts';

/** A circuit as a call found it. */
export interface CircuitSeen {
  readonly state: CircuitState;
  readonly reopensAtMs: number;
  /** The probes that were under way. */
  readonly probes: readonly CallFacts[];
  /** How many probes had succeeded. */
  readonly successes: number;
  /** Whether the call is a probe. */
  readonly isProbe: boolean;
  /** Whether it was let through ahead of its time, and whether it was within the rules that it was. */
  readonly ahead: 'allowed' | 'forbidden' | undefined;
  /** Until when one probe at a time goes through. */
  readonly singleUntilMs: number;
}

interface Permit {
  readonly generation: number;
  readonly isProbe: boolean;
}

/** How a call has ended, as far as it bears on how long a circuit stays open. */
interface Ended {
  readonly retryAfterMs: number | undefined;
  readonly wasSilent: boolean;
}

interface Verdicted {
  readonly atMs: number;
  readonly verdict: 'success' | 'failure';
  /** Whether it counts for sure: where others might have done the work, only the engine knows (K1). */
  readonly isSure: boolean;
}

/** Whether a target of a request stands by that could be asked and is not suspect; `perhaps`: the models cannot tell. */
export type StandsBy = 'some' | 'none' | 'perhaps';

/** Whose call it is that has ended, and who else could have been asked (K1). */
export interface Asker {
  readonly request: object;
  readonly soundOthers: StandsBy;
}

const STEADY_MS = 5_000;

/** First output, progress, the slow reader and some more, the least of each (engine rule K7). */
export const LEAST_LEASE_MS = 900 + 30_000 + 60_000 + 10_000;

/**
 * The breaker of the rules (K1 to K6), written from the rules alone and with lists: it remembers everything and reckons anew
 * each time.
 */
export class BreakerModel {
  readonly #config: CircuitBreakerConfig;
  readonly #permits = new Map<CallFacts, Permit>();
  #state: CircuitState = 'CLOSED';
  #generation = 0;
  outage: OutageModel;
  /** Calls that it has let through, whatever has become of their permits. */
  readonly #letThrough = new Set<CallFacts>();
  readonly #beside = new Set<CallFacts>();
  /** Probes that have lost their place, and are under way yet. */
  readonly #lost = new Set<CallFacts>();
  /** Probes that are under way, and those that have succeeded, since the circuit is half open. */
  #probes: readonly CallFacts[] = [];
  #succeeded: readonly CallFacts[] = [];
  readonly #verdicts: Verdicted[] = [];
  /** Failures since the last closing. */
  #failures: Verdicted[] = [];
  /** Whose failures have counted, and in which generation. */
  readonly #counted: { readonly request: object; readonly generation: number }[] = [];
  #lastSuccessStartMs = Number.NEGATIVE_INFINITY;
  #wish: OperatorState = 'AUTOMATIC';
  /** When the state was what, for questions about the past. */
  readonly #history: { readonly atMs: number; readonly state: CircuitState }[] = [
    { atMs: Number.NEGATIVE_INFINITY, state: 'CLOSED' },
  ];
  /** The rules leave more than one answer open; the engine's is taken from then on. */
  isUndecided = false;

  constructor(config: CircuitBreakerConfig) {
    this.#config = config;
    this.outage = new OutageModel(config.cooldownMs);
  }

  /** As people see it: what an operator wants comes first. */
  get state(): CircuitState {
    return this.#wish === 'OPEN' || this.#wish === 'CLOSED' ? this.#wish : this.#state;
  }

  /** Whether no operator has a say. */
  get isAutomatic(): boolean {
    return this.#wish === 'AUTOMATIC';
  }

  get reopensAtMs(): number {
    return this.#state === 'OPEN' ? this.outage.reopensAtMs : Number.NEGATIVE_INFINITY;
  }

  get probes(): readonly CallFacts[] {
    return this.#probes;
  }

  /** Whether a call may go through. */
  admits(nowMs: number): boolean {
    if (this.#wish !== 'AUTOMATIC') return this.#wish === 'CLOSED';
    if (this.#state === 'OPEN') return nowMs >= this.outage.reopensAtMs;
    return this.#state === 'CLOSED' || this.#hasPlace(nowMs);
  }

  /** Whether a call may perhaps go through: the lease of a probe may have run out, whatever its caller does (K7). */
  mayAdmit(nowMs: number): boolean {
    return this.admits(nowMs) || this.#probes.some(({ openedAtMs }) => nowMs - openedAtMs >= LEAST_LEASE_MS);
  }

  /** Whether it was anything but closed at a moment, at its edges included. */
  wasNotClosedAt(atMs: number): boolean {
    return this.#history.some(({ atMs: fromMs, state }, index) => {
      const toMs = this.#history[index + 1]?.atMs ?? Number.POSITIVE_INFINITY;
      return state !== 'CLOSED' && fromMs <= atMs + 0.001 && atMs <= toMs + 0.001;
    });
  }

  /** Whether it has been anything but closed at any moment since. */
  wasNotClosedSince(atMs: number): boolean {
    return this.#history.some(({ state }, index) => {
      const toMs = this.#history[index + 1]?.atMs ?? Number.POSITIVE_INFINITY;
      return state !== 'CLOSED' && atMs <= toMs + 0.001;
    });
  }

  /** Takes an operator's wish in. */
  force(wish: OperatorState, nowMs: number): void {
    this.#wish = wish;
    this.#note(nowMs);
  }

  /** Begins anew; what is under way counts for nothing. */
  reset(nowMs: number): void {
    this.#generation += 1;
    this.#forgetProbes();
    this.outage = new OutageModel(this.#config.cooldownMs);
    this.#letThrough.clear();
    this.#beside.clear();
    this.#verdicts.length = 0;
    this.#failures = [];
    this.#lastSuccessStartMs = Number.NEGATIVE_INFINITY;
    this.#state = 'CLOSED';
    this.force('AUTOMATIC', nowMs);
  }

  /** Takes a call in, whether it should have been let through or not. */
  opened(call: CallFacts, nowMs: number): CircuitSeen {
    if (this.#wish !== 'AUTOMATIC') {
      const reopensAtMs = this.#wish === 'CLOSED' ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY;
      return {
        state: this.state,
        reopensAtMs,
        probes: [],
        successes: 0,
        isProbe: false,
        ahead: undefined,
        singleUntilMs: 0,
      };
    }
    // What the circuit itself would refuse goes ahead of its time, in a half-open one beside the probes.
    const isAhead = !this.mayAdmit(nowMs - 0.001) && !this.mayAdmit(nowMs + 0.001);
    const isBeside = isAhead && this.#state === 'HALF_OPEN';
    const isProbe = this.#state !== 'CLOSED' && !isBeside;
    const ahead = isAhead ? (this.outage.mayGoAhead(nowMs) ? 'allowed' : 'forbidden') : undefined;
    const { probes, reopensAtMs } = this;
    const { singleUntilMs } = this.outage;
    const successes = this.#succeeded.length;
    const seen: CircuitSeen = { state: this.#state, reopensAtMs, probes, successes, isProbe, ahead, singleUntilMs };
    this.#letThrough.add(call);
    if (isBeside) {
      this.#beside.add(call);
      return seen;
    }
    if (this.#state === 'OPEN') {
      this.#generation += 1;
      this.#become('HALF_OPEN', nowMs);
    }
    if (isProbe) {
      // One that is given up no longer counts.
      const [lost] = this.#hasPlace(Number.POSITIVE_INFINITY) ? [] : this.#probes;
      if (lost !== undefined) {
        this.#permits.delete(lost);
        this.#lost.add(lost);
      }
      this.#probes = [...this.#probes.filter((one) => one !== lost), call];
    }
    this.#permits.set(call, { generation: this.#generation, isProbe });
    return seen;
  }

  /** A probe that has been answering for long enough to count as a success; time in which the caller does not read is left out. */
  steadyProbe(nowMs: number, slackMs = -0.01): CallFacts | undefined {
    return this.#probes.find(({ firstOutputAtMs, pausedAtMs, pausedMs }) => {
      if (firstOutputAtMs === undefined) return false;
      const allPausedMs = pausedMs + (pausedAtMs === undefined ? 0 : nowMs - pausedAtMs);
      return nowMs - firstOutputAtMs - allPausedMs >= STEADY_MS + slackMs;
    });
  }

  /** A probe has succeeded: with its answer, or provisionally. Its place stays taken, and the last success closes the circuit. */
  succeeded(probe: CallFacts, nowMs: number): void {
    if (!this.#probes.includes(probe)) return;
    this.#probes = this.#probes.filter((one) => one !== probe);
    this.#succeeded = [...this.#succeeded, probe];
    if (this.#succeeded.length >= this.#config.probes) this.#close(probe, nowMs);
  }

  /** Whether it has failed lately and no call that was begun since has succeeded; by what has counted for sure, or perhaps. */
  isSuspect(nowMs: number, how: 'surely' | 'perhaps'): boolean {
    const last = this.#failures.findLast(({ isSure }) => isSure || how === 'perhaps');
    if (last === undefined || last.atMs <= nowMs - this.#config.windowMs) return false;
    return last.atMs >= this.#lastSuccessStartMs;
  }

  /** A call has begun to answer; of what was let through while the circuit is not closed that is a sign of life. */
  answered(call: CallFacts, nowMs: number): void {
    const isLetThrough = this.#beside.has(call) || this.#permits.get(call)?.isProbe === true || this.#lost.has(call);
    if (isLetThrough && this.#state !== 'CLOSED') this.outage.answered(nowMs);
  }

  /** Takes the end of a call in; false where its outcome counts for nothing. */
  ended(call: CallFacts, verdict: Verdict, how: Ended, nowMs: number, asker: Asker): boolean {
    this.isUndecided = false;
    const isOwn = this.#letThrough.delete(call);
    if (isOwn && verdict === 'success' && this.#state !== 'CLOSED') this.outage.succeeded(nowMs);
    this.#lost.delete(call);
    if (this.#beside.delete(call)) {
      if (this.#state !== 'CLOSED') this.#noteVerdict(verdict, nowMs);
      return false;
    }
    const permit = this.#permits.get(call);
    this.#permits.delete(call);
    if (permit === undefined || permit.generation !== this.#generation) return false;
    if (permit.isProbe) this.#countProbe(call, verdict, how, nowMs);
    else if (verdict === 'success') {
      this.#noteVerdict(verdict, nowMs);
      this.#lastSuccessStartMs = Math.max(this.#lastSuccessStartMs, call.openedAtMs);
    } else if (verdict === 'failure') this.#fail(asker, how, nowMs);
    return true;
  }

  #noteVerdict(verdict: Verdict, atMs: number): void {
    if (verdict !== 'neutral') this.#verdicts.push({ atMs, verdict, isSure: true });
  }

  #countProbe(call: CallFacts, verdict: Verdict, how: Ended, nowMs: number): void {
    this.#noteVerdict(verdict, nowMs);
    if (verdict === 'success') this.succeeded(call, nowMs);
    else if (verdict === 'failure') this.#open(how, nowMs);
    else this.#probes = this.#probes.filter((one) => one !== call);
  }

  /** A further failure of a request counts only where a sound target stands by (K1). */
  #fail({ request, soundOthers }: Asker, how: Ended, nowMs: number): void {
    const generation = this.#generation;
    const hasCounted = this.#counted.some((one) => one.request === request && one.generation === generation);
    if (hasCounted && soundOthers === 'none') return;
    this.#counted.push({ request, generation });
    const failure = { atMs: nowMs, verdict: 'failure', isSure: !hasCounted || soundOthers === 'some' } as const;
    this.#verdicts.push(failure);
    this.#failures.push(failure);
    if (this.#tips(failure)) this.#open(how, nowMs);
  }

  /** Takes over what the engine says, where the rules leave it open. */
  adopt(state: CircuitState, how: Ended, nowMs: number): void {
    if (state === 'OPEN' && this.#state === 'CLOSED') this.#open(how, nowMs);
  }

  #tips({ atMs, isSure }: Verdicted): boolean {
    const { windowMs } = this.#config;
    // The engine counts in sixtieths of the window and may forget so much too early.
    const answers = [atMs - windowMs, atMs - (windowMs * 59) / 60].flatMap((sinceMs) => [
      this.#tipsBy(() => true, atMs, sinceMs),
      isSure && this.#tipsBy((one) => one.isSure, atMs, sinceMs),
    ]);
    this.isUndecided = new Set(answers).size > 1;
    return answers.every(Boolean);
  }

  /** Whether the failures that count open it. @param sinceMs from when on verdicts lie in the window of the guard */
  #tipsBy(counts: (one: Verdicted) => boolean, nowMs: number, sinceMs: number): boolean {
    const { failures: limit, windowMs, guard } = this.#config;
    const firstAtMs = this.#failures.filter(counts).at(-limit)?.atMs;
    if (firstAtMs === undefined || firstAtMs <= nowMs - windowMs) return false;
    return !guard || this.#lastSuccessStartMs <= firstAtMs || this.#weighs(counts, sinceMs);
  }

  #weighs(counts: (one: Verdicted) => boolean, sinceMs: number): boolean {
    const inWindow = this.#verdicts.filter((one) => one.atMs > sinceMs && counts(one));
    const failures = inWindow.filter(({ verdict }) => verdict === 'failure').length;
    return inWindow.length <= 100 || failures >= inWindow.length * 0.05;
  }

  /** A free call has found something; only an open circuit takes notice. */
  checked(answers: boolean, nowMs: number): void {
    if (this.#state === 'OPEN') this.outage.found(nowMs, answers);
  }

  #hasPlace(nowMs: number): boolean {
    if (this.#probes.length > 0 && nowMs < this.outage.singleUntilMs) return false;
    return this.#probes.length + this.#succeeded.length < this.#config.probes;
  }

  #forgetProbes(): void {
    this.#probes = [];
    this.#succeeded = [];
  }

  #open({ retryAfterMs = 0, wasSilent }: Ended, nowMs: number): void {
    this.#generation += 1;
    this.#forgetProbes();
    this.outage.opened(nowMs, retryAfterMs, wasSilent);
    this.#become('OPEN', nowMs);
  }

  #close(probe: CallFacts, nowMs: number): void {
    this.#generation += 1;
    // What those end with that have succeeded provisionally counts in the generation that begins.
    for (const one of this.#succeeded)
      if (this.#permits.has(one)) this.#permits.set(one, { generation: this.#generation, isProbe: false });
    this.#forgetProbes();
    this.outage.closed();
    this.#failures = [];
    this.#lastSuccessStartMs = probe.openedAtMs;
    this.#become('CLOSED', nowMs);
  }

  #become(state: CircuitState, atMs: number): void {
    if (this.#state === state) return;
    this.#state = state;
    this.#note(atMs);
  }

  #note(atMs: number): void {
    this.#history.push({ atMs, state: this.#wish === 'DISABLED' ? 'OPEN' : this.state });
  }
}

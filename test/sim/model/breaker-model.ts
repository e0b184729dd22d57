import type { Verdict } from '../../../src/core/failure.ts';
import type { CircuitState } from '../../../src/engine/port/call.ts';
import type { CircuitBreakerConfig } from '../../../src/engine/port/config.ts';
import type { OperatorState } from '../../../src/engine/target/operator-switch.ts';
import type { CallFacts } from '../sim-call.ts';

/** A circuit as a call found it. */
export interface CircuitSeen {
  readonly state: CircuitState;
  readonly reopensAtMs: number;
  /** The probe that was under way. */
  readonly probe: CallFacts | undefined;
  /** Whether the call is the probe. */
  readonly isProbe: boolean;
}

interface Permit {
  generation: number;
  isProbe: boolean;
}

interface Verdicted {
  readonly atMs: number;
  readonly verdict: 'success' | 'failure';
}

const STEADY_MS = 5_000;

/** First output, progress, the slow reader and some more, the least of each (engine rule K7). */
export const LEAST_LEASE_MS = 10_000 + 30_000 + 60_000 + 10_000;

/**
 * The breaker of the rules (K1 to K6), written from the rules alone and with lists: it remembers everything and reckons anew
 * each time.
 */
export class BreakerModel {
  readonly #config: CircuitBreakerConfig;
  readonly #permits = new Map<CallFacts, Permit>();
  #state: CircuitState = 'CLOSED';
  #generation = 0;
  #reopensAtMs = 0;
  #probe: CallFacts | undefined;
  readonly #verdicts: Verdicted[] = [];
  /** When failures since the last closing happened. */
  #failuresAtMs: number[] = [];
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
    return this.#state === 'OPEN' ? this.#reopensAtMs : Number.NEGATIVE_INFINITY;
  }

  get probe(): CallFacts | undefined {
    return this.#state === 'HALF_OPEN' ? this.#probe : undefined;
  }

  /** Whether a call may go through. */
  admits(nowMs: number): boolean {
    if (this.#wish !== 'AUTOMATIC') return this.#wish === 'CLOSED';
    if (this.#state === 'OPEN') return nowMs >= this.#reopensAtMs;
    return this.#state === 'CLOSED' || this.#probe === undefined;
  }

  /** Whether a call may perhaps go through: the lease of a probe may have run out, whatever its caller does (K7). */
  mayAdmit(nowMs: number): boolean {
    const { probe } = this;
    return this.admits(nowMs) || (probe !== undefined && nowMs - probe.openedAtMs >= LEAST_LEASE_MS);
  }

  /** Whether it was anything but closed at a moment, at its edges included. */
  wasNotClosedAt(atMs: number): boolean {
    return this.#history.some(({ atMs: fromMs, state }, index) => {
      const toMs = this.#history[index + 1]?.atMs ?? Number.POSITIVE_INFINITY;
      return state !== 'CLOSED' && fromMs <= atMs + 0.001 && atMs <= toMs + 0.001;
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
    this.#probe = undefined;
    this.#verdicts.length = 0;
    this.#failuresAtMs = [];
    this.#lastSuccessStartMs = Number.NEGATIVE_INFINITY;
    this.#state = 'CLOSED';
    this.force('AUTOMATIC', nowMs);
  }

  /** Takes a call in, whether it should have been let through or not. */
  opened(call: CallFacts, nowMs: number): CircuitSeen {
    if (this.#wish !== 'AUTOMATIC') {
      const reopensAtMs = this.#wish === 'CLOSED' ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY;
      return { state: this.state, reopensAtMs, probe: undefined, isProbe: false };
    }
    const isProbe = this.#state !== 'CLOSED';
    const seen = { state: this.#state, reopensAtMs: this.reopensAtMs, probe: this.probe, isProbe };
    if (isProbe) {
      // Each probe decides alone: one that is given up no longer counts.
      this.#generation += 1;
      this.#become('HALF_OPEN', nowMs);
      this.#probe = call;
    }
    this.#permits.set(call, { generation: this.#generation, isProbe });
    return seen;
  }

  /** Whether a probe has been answering for long enough to close the circuit; time in which the caller does not read is left out. */
  isSteady(nowMs: number, slackMs = -0.01): boolean {
    const call = this.probe;
    if (call?.firstOutputAtMs === undefined) return false;
    const pausedMs = call.pausedMs + (call.pausedAtMs === undefined ? 0 : nowMs - call.pausedAtMs);
    return nowMs - call.firstOutputAtMs - pausedMs >= STEADY_MS + slackMs;
  }

  /** The probe has been answering for long enough; what it ends with counts in the generation that begins. */
  steady(nowMs: number): void {
    const permit = this.#probe === undefined ? undefined : this.#permits.get(this.#probe);
    if (permit === undefined || this.#probe === undefined) return;
    this.#close(this.#probe, nowMs);
    permit.isProbe = false;
    permit.generation = this.#generation;
  }

  /** Takes the end of a call in. */
  ended(call: CallFacts, verdict: Verdict, retryAfterMs: number | undefined, nowMs: number): boolean {
    const permit = this.#permits.get(call);
    this.#permits.delete(call);
    if (permit === undefined || permit.generation !== this.#generation) return false;
    this.#count(call, permit, verdict, retryAfterMs, nowMs);
    return true;
  }

  #count(call: CallFacts, permit: Permit, verdict: Verdict, retryAfterMs: number | undefined, nowMs: number): void {
    if (permit.isProbe) {
      if (verdict === 'success') this.#close(call, nowMs);
      else if (verdict === 'failure') this.#open(retryAfterMs, nowMs);
      else this.#probe = undefined;
      return;
    }
    if (verdict === 'neutral') return;
    this.#verdicts.push({ atMs: nowMs, verdict });
    if (verdict === 'success') {
      this.#lastSuccessStartMs = Math.max(this.#lastSuccessStartMs, call.openedAtMs);
      return;
    }
    this.#failuresAtMs.push(nowMs);
    if (this.#tips(nowMs)) this.#open(retryAfterMs, nowMs);
  }

  /** Takes over what the engine says, where the rules leave it open. */
  adopt(state: CircuitState, retryAfterMs: number | undefined, nowMs: number): void {
    if (state === 'OPEN' && this.#state === 'CLOSED') this.#open(retryAfterMs, nowMs);
  }

  #tips(nowMs: number): boolean {
    const { failures: limit, windowMs, guard } = this.#config;
    this.isUndecided = false;
    const firstAtMs = this.#failuresAtMs.at(-limit);
    if (firstAtMs === undefined || firstAtMs <= nowMs - windowMs) return false;
    if (!guard || this.#lastSuccessStartMs <= firstAtMs) return true;
    // The engine counts in sixtieths of the window and may forget so much too early.
    const exact = this.#weighs(nowMs - windowMs);
    const early = this.#weighs(nowMs - (windowMs * 59) / 60);
    this.isUndecided = exact !== early;
    return exact && early;
  }

  #weighs(sinceMs: number): boolean {
    const inWindow = this.#verdicts.filter(({ atMs }) => atMs > sinceMs);
    const failures = inWindow.filter(({ verdict }) => verdict === 'failure').length;
    return inWindow.length <= 100 || failures >= inWindow.length * 0.05;
  }

  #open(retryAfterMs: number | undefined, nowMs: number): void {
    this.#generation += 1;
    this.#probe = undefined;
    this.#reopensAtMs = nowMs + Math.max(this.#config.cooldownMs, Math.min(retryAfterMs ?? 0, 3_600_000));
    this.#become('OPEN', nowMs);
  }

  #close(probe: CallFacts, nowMs: number): void {
    this.#generation += 1;
    this.#probe = undefined;
    this.#failuresAtMs = [];
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

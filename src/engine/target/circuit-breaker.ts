import type { Verdict } from '../../core/failure.ts';
import type { CircuitState } from '../port/call.ts';
import type { CircuitSnapshot } from '../port/circuit-snapshot.ts';
import type { CircuitBreakerConfig } from '../port/config.ts';
import type { Permit, SettleInfo } from '../port/permit.ts';
import { FailureRing } from './failure-ring.ts';
import { Outage } from './outage.ts';
import type { ProbePlace } from './probe-places.ts';
import { ProbePlaces } from './probe-places.ts';
import { SlidingCount } from './statistics/sliding-count.ts';

/** Above this many verdicts in the window, failures must also be the least share below (engine rule K2). */
const GUARD_VERDICTS = 100;
const GUARD_SHARE = 0.05;
/** A probe under way may decide at any moment: whoever is refused is told this many milliseconds at most. */
const PROBE_SOON_MS = 1_000;

/** A probe that was let through, and the places of which it has one. */
interface Probe {
  readonly places: ProbePlaces;
  readonly place: ProbePlace;
}

type State = { readonly name: 'CLOSED' | 'OPEN' } | { readonly name: 'HALF_OPEN'; readonly places: ProbePlaces };

/**
 * A circuit breaker for one target and model (engine rules K1 to K10). Has no timers: an open circuit is looked at again when
 * somebody asks. `acquire` and `settle` are synchronous and take constant time.
 */
export class CircuitBreaker {
  readonly #config: CircuitBreakerConfig;
  readonly #now: () => number;
  readonly #failures: FailureRing;
  readonly #verdicts: SlidingCount<'success' | 'failure'>;
  /** What is known of the outage while the circuit is not closed. */
  readonly outage: Outage;
  #state: State = { name: 'CLOSED' };
  #generation = 0;
  /** Attempts that were let through and have not settled. */
  #underWay = 0;
  /** The latest start among attempts that succeeded. */
  #successStartedAtMs = Number.NEGATIVE_INFINITY;

  constructor(config: CircuitBreakerConfig, now: () => number) {
    this.#config = config;
    this.#now = now;
    this.outage = new Outage(now);
    this.#failures = new FailureRing(config.failures);
    this.#verdicts = new SlidingCount(config.windowMs, ['success', 'failure']);
  }

  /** Returns the state; OPEN until a probe is let through, however long ago the cooldown ended. */
  get state(): CircuitState {
    return this.#state.name;
  }

  /** Whether it is closed, and no failure lies in the window. */
  get isClear(): boolean {
    return this.#state.name === 'CLOSED' && this.#failures.latest() <= this.#now() - this.#config.windowMs;
  }

  /** Whether a failure lies in the window, and no attempt that was started since has succeeded (engine rule R3). */
  get isSuspect(): boolean {
    const latestMs = this.#failures.latest();
    return latestMs > this.#now() - this.#config.windowMs && latestMs >= this.#successStartedAtMs;
  }

  /** Whether an attempt is under way that it has let through. */
  get isInUse(): boolean {
    return this.#underWay > 0;
  }

  /** Returns after how many milliseconds it is worth asking again; 0 where a call may go through now. */
  refusesForMs(): number {
    switch (this.#state.name) {
      case 'CLOSED':
        return 0;
      case 'OPEN':
        return this.outage.reopensInMs;
      case 'HALF_OPEN':
        return Math.min(PROBE_SOON_MS, Math.max(0, this.#state.places.freeAtMs() - this.#now()));
    }
  }

  /**
   * Asks for the right to make an attempt; undefined is a refusal. Never waits (engine rule K4).
   * @param leaseMs after how long a probe that never settles is given up
   */
  acquire(leaseMs: number): Permit | undefined {
    if (this.refusesForMs() > 0) return undefined;
    const now = this.#now();
    return this.#state.name === 'CLOSED' ? this.#permit(now, undefined) : this.#probe(now, leaseMs);
  }

  /** Share of successes, 0 to 1, among the verdicts of the window, those from while it was not closed included; 0 without any. */
  get successShare(): number {
    const now = this.#now();
    const successes = this.#verdicts.count('success', now);
    return successes === 0 ? 0 : successes / (successes + this.#verdicts.count('failure', now));
  }

  /**
   * Asks for the right to make an attempt where nothing else is left: ahead of its time, as a probe where a place is free, beside
   * it otherwise (engine rule K9); undefined is a refusal.
   */
  acquireAhead(leaseMs: number): Permit | undefined {
    if (this.refusesForMs() === 0) return this.acquire(leaseMs);
    if (!this.outage.allowsAhead) return undefined;
    this.outage.wentAhead();
    return this.#state.name === 'OPEN' ? this.#probe(this.#now(), leaseMs) : this.#permit(this.#now(), 'BESIDE');
  }

  /** Takes in whether the target answers a free call; true where the next probe goes earlier. Closes nothing (engine rule K8). */
  checked(answers: boolean): boolean {
    return this.#state.name === 'OPEN' && this.outage.found(answers);
  }

  /** Returns what the circuit knows. */
  snapshot(): CircuitSnapshot {
    const now = this.#now();
    const successAgeMs = now - this.#successStartedAtMs;
    return {
      state: this.#state.name,
      generation: this.#generation,
      reopensInMs: this.#state.name === 'OPEN' ? this.refusesForMs() : undefined,
      failureAgesMs: this.#failures.times().map((atMs) => now - atMs),
      probesSucceeded: this.#state.name === 'HALF_OPEN' ? this.#state.places.successes : undefined,
      outage: this.outage.snapshot(),
      successAgeMs: Number.isFinite(successAgeMs) ? successAgeMs : undefined,
      successes: this.#verdicts.ages('success', now),
      failures: this.#verdicts.ages('failure', now),
    };
  }

  /**
   * Goes on from what another circuit knew; for one that has not been asked yet. A probe that was under way there does not
   * count: the next call is one. Of successes so many count that one is still to come: a new configuration closes no circuit.
   */
  restore(snapshot: CircuitSnapshot): void {
    const now = this.#now();
    this.#generation = snapshot.generation;
    if (snapshot.state !== 'CLOSED') this.outage.restore(snapshot.reopensInMs ?? 0, snapshot.outage);
    if (snapshot.state === 'OPEN') this.#state = { name: 'OPEN' };
    else if (snapshot.state === 'HALF_OPEN') this.#halfOpen(snapshot.probesSucceeded ?? 0);
    for (const ageMs of snapshot.failureAgesMs) this.#failures.push(now - ageMs);
    this.#successStartedAtMs = now - (snapshot.successAgeMs ?? Number.POSITIVE_INFINITY);
    for (const aged of snapshot.successes) this.#verdicts.addAged('success', now, aged);
    for (const aged of snapshot.failures) this.#verdicts.addAged('failure', now, aged);
  }

  #permit(startedAtMs: number, through: Probe | 'BESIDE' | undefined): Permit {
    const probe = through === 'BESIDE' ? undefined : through;
    const generation = this.#generation;
    let settled = false;
    this.#underWay++;
    return {
      probe: through !== undefined,
      decides: probe !== undefined,
      circuit: { state: this.#state.name, generation },
      settle: (verdict, info) => {
        if (settled) return;
        settled = true;
        this.#underWay--;
        // It bears a call, whenever that was started: so it may bear more (engine rule K9).
        if (verdict === 'success' && this.#state.name !== 'CLOSED') this.outage.succeeded();
        if (through === 'BESIDE') {
          // Its verdict tells how much the circuit bears; it opens and closes nothing (engine rule K9).
          if (this.#state.name !== 'CLOSED') this.#note(verdict);
          return;
        }
        // What comes behind a provisional success counts in the generation that the closing has begun (engine rule K5).
        const hasClosed = this.#state.name === 'CLOSED' && probe?.places.hasSuccess(probe.place) === true;
        if (this.#generation !== (hasClosed ? generation + 1 : generation)) return;
        if (probe === undefined || hasClosed) this.#settleCall(verdict, startedAtMs, info);
        else this.#settleProbe(probe, verdict, startedAtMs, info);
      },
      answers: () => {
        if (this.#state.name !== 'CLOSED') this.outage.answers();
      },
      provisionalSuccess: () => {
        if (settled || probe === undefined || generation !== this.#generation) return;
        this.#succeed(probe, startedAtMs);
      },
    };
  }

  #settleProbe(probe: Probe, verdict: Verdict, startedAtMs: number, info: SettleInfo | undefined): void {
    if (probe.places.has(probe.place)) this.#note(verdict);
    if (verdict === 'success') this.#succeed(probe, startedAtMs);
    else if (verdict === 'neutral') probe.places.leave(probe.place);
    else if (probe.places.has(probe.place)) this.#open(info);
  }

  /** Counts the verdict of a call that was let through while the circuit is not closed. */
  #note(verdict: Verdict): void {
    if (verdict !== 'neutral') this.#verdicts.add(verdict, this.#now());
  }

  #succeed({ places, place }: Probe, startedAtMs: number): void {
    places.succeed(place);
    if (places.isComplete) this.#close(startedAtMs);
  }

  #settleCall(verdict: Verdict, startedAtMs: number, info: SettleInfo | undefined): void {
    if (verdict === 'neutral') return;
    if (verdict === 'failure' && info?.counts?.(this, this.#generation) === false) return;
    const now = this.#now();
    this.#verdicts.add(verdict, now);
    if (verdict === 'success') {
      this.#successStartedAtMs = Math.max(this.#successStartedAtMs, startedAtMs);
      return;
    }
    this.#failures.push(now);
    if (this.#failures.oldest() > now - this.#config.windowMs && this.#failuresWeigh(now)) this.#open(info);
  }

  /** Tells whether enough failures in a row, or a share of all calls that is no accident, stand behind an opening. */
  #failuresWeigh(now: number): boolean {
    if (!this.#config.guard || this.#successStartedAtMs <= this.#failures.oldest()) return true;
    const failures = this.#verdicts.count('failure', now);
    const all = failures + this.#verdicts.count('success', now);
    return all <= GUARD_VERDICTS || failures >= all * GUARD_SHARE;
  }

  #probe(now: number, leaseMs: number): Permit {
    const places = this.#state.name === 'HALF_OPEN' ? this.#state.places : this.#halfOpen(0);
    return this.#permit(now, { places, place: places.take(now + leaseMs) });
  }

  #halfOpen(succeeded: number): ProbePlaces {
    const places = new ProbePlaces(this.#config.probes, succeeded, this.outage.singleUntilMs);
    this.#state = { name: 'HALF_OPEN', places };
    this.#generation++;
    return places;
  }

  #open(info: SettleInfo | undefined): void {
    this.outage.open(this.#config.cooldownMs, info);
    this.#state = { name: 'OPEN' };
    this.#generation++;
  }

  #close(startedAtMs: number): void {
    this.#state = { name: 'CLOSED' };
    this.#generation++;
    this.outage.end();
    this.#failures.clear();
    this.#successStartedAtMs = startedAtMs;
  }
}

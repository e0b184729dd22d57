import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import type { Verdict } from '../../../src/core/failure.ts';
import type { CircuitState } from '../../../src/engine/port/call.ts';
import { Chain } from '../../../src/engine/request/chain.ts';
import { CircuitBreaker } from '../../../src/engine/target/circuit-breaker.ts';
import type { Permit } from '../../../src/engine/port/permit.ts';
import { DEFAULT_ENGINE_CONFIG } from '../../../src/engine/port/config.ts';

const LEASE_MS = 45_000;

interface NaivePermit {
  /** Which request makes the attempt. */
  readonly request: number;
  epoch: number;
  isProbe: boolean;
  readonly isBeside: boolean;
  readonly startedAt: number;
  settled: boolean;
}

/** The rules of the breaker over plain lists that are searched as a whole every time. */
class NaiveBreaker {
  readonly guard: boolean;
  readonly places: number;
  state: CircuitState = 'CLOSED';
  epoch = 0;
  opensAt = 0;
  singleUntil = 0;
  openings = 0;
  isDown = false;
  /** Calls ahead of their time that it still bears, and when that was reckoned. */
  ahead = 5;
  aheadAt = 0;
  probes: { readonly permit: NaivePermit; readonly leaseEndsAt: number }[] = [];
  succeeded: NaivePermit[] = [];
  failures: number[] = [];
  counted: { readonly request: number; readonly epoch: number }[] = [];
  verdicts: { readonly at: number; readonly startedAt: number; readonly verdict: Verdict }[] = [];

  constructor(guard: boolean, places: number) {
    this.guard = guard;
    this.places = places;
  }

  acquire(now: number, request: number): NaivePermit | undefined {
    if (this.state === 'OPEN' && now < this.opensAt) return undefined;
    if (this.state === 'OPEN') {
      this.state = 'HALF_OPEN';
      this.epoch++;
      this.probes = [];
      this.succeeded = [];
    }
    const isProbe = this.state === 'HALF_OPEN';
    if (isProbe && this.probes.length + this.succeeded.length >= this.places) {
      // All leases are of one length: the oldest ends first.
      if ((this.probes[0]?.leaseEndsAt ?? 0) > now) return undefined;
      this.probes.shift();
    } else if (isProbe && this.probes.length > 0 && now < this.singleUntil) return undefined;
    return this.permit(request, isProbe, false, now);
  }

  permit(request: number, isProbe: boolean, isBeside: boolean, now: number): NaivePermit {
    const permit = { request, epoch: this.epoch, isProbe, isBeside, startedAt: now, settled: false };
    if (isProbe) this.probes.push({ permit, leaseEndsAt: now + LEASE_MS });
    return permit;
  }

  acquireAhead(now: number, request: number): NaivePermit | undefined {
    const free = this.acquire(now, request);
    if (free !== undefined) return free;
    this.fill(now);
    if (this.ahead < 1 - 1e-9) return undefined;
    this.ahead -= 1;
    if (this.state === 'HALF_OPEN') return this.permit(request, false, true, now);
    this.state = 'HALF_OPEN';
    this.epoch++;
    this.probes = [];
    this.succeeded = [];
    return this.permit(request, true, false, now);
  }

  fill(now: number): void {
    this.ahead = Math.min(5, this.ahead + (now - this.aheadAt) / 10_000);
    this.aheadAt = now;
  }

  /** The verdict of a call that was let through while the circuit was not closed. */
  note(verdict: Verdict, now: number): void {
    if (verdict !== 'neutral') this.verdicts.push({ at: now, startedAt: Number.NEGATIVE_INFINITY, verdict });
  }

  check(answers: boolean, now: number): void {
    if (this.state !== 'OPEN') return;
    if (answers && this.isDown) this.opensAt = Math.min(this.opensAt, now);
    if (!answers) this.opensAt = Math.max(this.opensAt, this.singleUntil);
    this.isDown = !answers;
  }

  settle(permit: NaivePermit, verdict: Verdict, now: number): void {
    if (permit.settled) return;
    permit.settled = true;
    this.fill(now);
    if (verdict === 'success' && this.state !== 'CLOSED') this.ahead = Math.min(5, this.ahead + 2);
    if (permit.isBeside) {
      if (this.state !== 'CLOSED') this.note(verdict, now);
      return;
    }
    if (permit.epoch !== this.epoch) return;
    if (permit.isProbe) {
      const isLost = !this.probes.some((probe) => probe.permit === permit) && !this.succeeded.includes(permit);
      if (isLost) return;
      this.note(verdict, now);
      if (verdict === 'success') this.succeed(permit);
      else if (verdict === 'failure') this.open(now);
      else this.probes = this.probes.filter((probe) => probe.permit !== permit);
      return;
    }
    if (verdict === 'neutral') return;
    if (verdict === 'failure') {
      const { request } = permit;
      if (this.counted.some((one) => one.request === request && one.epoch === this.epoch)) return;
      this.counted.push({ request, epoch: this.epoch });
    }
    this.verdicts.push({ at: now, startedAt: permit.startedAt, verdict });
    if (verdict === 'success') return;
    this.failures.push(now);
    const recent = this.failures.filter((at) => at > now - 60_000);
    if (recent.length < 5) return;
    const first = recent.at(-5) ?? 0;
    const isUnbroken = !this.verdicts.some((one) => one.verdict === 'success' && one.startedAt > first);
    const inWindow = this.verdicts.filter(({ at }) => at > now - 60_000);
    const failed = inWindow.filter((one) => one.verdict === 'failure').length;
    const weighs = inWindow.length <= 100 || failed >= inWindow.length * 0.05;
    if (!this.guard || isUnbroken || weighs) this.open(now);
  }

  steady(permit: NaivePermit): void {
    if (permit.settled || !permit.isProbe || permit.epoch !== this.epoch) return;
    this.succeed(permit);
  }

  succeed(permit: NaivePermit): void {
    if (!this.probes.some((probe) => probe.permit === permit)) return;
    this.probes = this.probes.filter((probe) => probe.permit !== permit);
    this.succeeded.push(permit);
    if (this.succeeded.length < this.places) return;
    this.state = 'CLOSED';
    this.epoch++;
    this.failures = [];
    this.openings = 0;
    this.isDown = false;
    for (const steady of this.succeeded) {
      steady.isProbe = false;
      steady.epoch = this.epoch;
    }
  }

  open(now: number): void {
    this.state = 'OPEN';
    this.opensAt = now + Math.min(20_000, 5_000 * 2 ** this.openings);
    this.singleUntil = now + 30_000;
    this.openings++;
    this.epoch++;
  }
}

/** One place for probes as often as several. */
const places = fc.constantFrom(1, 1, 2, 3);
const verdict = fc.constantFrom<Verdict>('success', 'failure', 'neutral');
const step = fc.oneof(
  { weight: 3, arbitrary: fc.record({ do: fc.constant('start' as const), request: fc.nat(7) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('ahead' as const), request: fc.nat(7) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('check' as const), answers: fc.boolean() }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('settle' as const), which: fc.nat(), verdict }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('steady' as const), which: fc.nat() }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('pass' as const), ticks: fc.nat(20) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('pass' as const), ticks: fc.nat(80) }) },
  {
    weight: 3,
    arbitrary: fc.record({ do: fc.constant('burst' as const), count: fc.integer({ min: 1, max: 5 }), verdict }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constant('burst' as const),
      count: fc.nat(150),
      verdict: fc.constant('success' as const),
    }),
  },
);

/** The only entry of a request. */
const LONE = { target: 'a', provider: 'a', model: 'm', circuit: 'm', modelNamedByCaller: false };

/** The chain of a request that has nobody else to ask. */
function loneChain(): Chain<string, string> {
  const prepare = (): never => {
    throw new Error('nothing is sent');
  };
  return new Chain({ chain: [LONE], signal: new AbortController().signal, prepare }, prepare);
}

/** Runs a history through the breaker and through the naive one; both must agree after every step. */
function compare(
  steps: readonly (typeof step extends fc.Arbitrary<infer Step> ? Step : never)[],
  { guard, probes, tickMs }: { readonly guard: boolean; readonly probes: number; readonly tickMs: number },
): number {
  let now = 5_000_000;
  let openings = 0;
  const breaker = new CircuitBreaker({ ...DEFAULT_ENGINE_CONFIG.circuitBreaker, guard, probes }, () => now);
  const naive = new NaiveBreaker(guard, probes);
  const permits: { readonly real: Permit; readonly model: NaivePermit }[] = [];
  naive.aheadAt = now;
  /** Those of bursts make one attempt each. */
  let requests = 1_000;
  const chains = new Map<number, Chain<string, string>>();
  const start = (request: number, isAhead = false): void => {
    const real = isAhead ? breaker.acquireAhead(LEASE_MS) : breaker.acquire(LEASE_MS);
    const model = isAhead ? naive.acquireAhead(now, request) : naive.acquire(now, request);
    expect(real?.probe).toBe(model && (model.isProbe || model.isBeside));
    if (real !== undefined && model !== undefined) permits.push({ real, model });
  };
  const countsOf = (request: number): ReturnType<Chain<string, string>['countsAt']> => {
    const chain = chains.get(request) ?? loneChain();
    chains.set(request, chain);
    return chain.countsAt(LONE);
  };
  const settle = (index: number, how: Verdict): void => {
    const [permit] = permits.splice(index, 1);
    if (permit === undefined) return;
    permit.real.settle(how, { counts: countsOf(permit.model.request) });
    naive.settle(permit.model, how, now);
  };
  for (const one of steps) {
    const before = naive.state;
    if (one.do === 'start') start(one.request);
    if (one.do === 'ahead') start(one.request, true);
    if (one.do === 'check') {
      breaker.checked(one.answers);
      naive.check(one.answers, now);
    }
    if (one.do === 'pass') now += one.ticks * tickMs;
    if (one.do === 'settle') settle(one.which % Math.max(1, permits.length), one.verdict);
    if (one.do === 'steady') {
      const permit = permits[one.which % Math.max(1, permits.length)];
      permit?.real.provisionalSuccess();
      if (permit !== undefined) naive.steady(permit.model);
    }
    if (one.do === 'burst') {
      for (let index = 0; index < one.count; index++) {
        start(requests++);
        settle(permits.length - 1, one.verdict);
        expect(breaker.state).toBe(naive.state);
      }
    }
    expect(breaker.state).toBe(naive.state);
    if (naive.state === 'OPEN') expect(breaker.refusesForMs()).toBe(Math.max(0, naive.opensAt - now));
    if (before !== 'OPEN' && naive.state === 'OPEN') openings++;
  }
  return openings;
}

describe('the breaker and a naive list of all that happened', () => {
  it('agree over random histories without the guard, to the millisecond', () => {
    let openings = 0;
    fc.assert(
      fc.property(
        fc.array(step, { maxLength: 120, size: 'max' }),
        fc.constantFrom(1, 250, 997),
        places,
        (steps, tickMs, probes) => {
          openings += compare(steps, { guard: false, probes, tickMs });
        },
      ),
      { numRuns: 300, seed: 1 },
    );
    expect(openings).toBeGreaterThan(100);
  });

  // Verdicts are counted in sixtieths of the window, so whole seconds make the count exact.
  it('agree over random histories with the guard', () => {
    let openings = 0;
    fc.assert(
      fc.property(fc.array(step, { maxLength: 120, size: 'max' }), places, (steps, probes) => {
        openings += compare(steps, { guard: true, probes, tickMs: 1_000 });
      }),
      { numRuns: 300, seed: 2 },
    );
    expect(openings).toBeGreaterThan(50);
  });
});

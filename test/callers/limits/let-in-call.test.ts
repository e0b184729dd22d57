import { describe, expect, test } from 'vitest';

import { HeldToLimits } from '../../../src/callers/limits/held-to-limits.ts';
import { InProcessLimits } from '../../../src/callers/memory/in-process-limits.ts';
import type { CallTicket } from '../../../src/callers/port/call-limits.ts';
import type { Caller } from '../../../src/callers/port/caller.ts';
import type { LimitStore } from '../../../src/callers/port/limit-store.ts';
import type { Failure } from '../../../src/core/failure.ts';
import type { ClaimAnswer } from '../../../src/core/ports.ts';
import { accountOf, callerOf, CENT, cents } from '../../support/caller-accounts.ts';
import { createVirtualRuntime } from '../../support/virtual-runtime.ts';

const NO_SIZE = { promptTokens: 0 };
const MINUTE_MS = 60_000;

/** The store's answers come in a later turn, as another process's would. */
function remote(store: InProcessLimits): LimitStore {
  const later = async <Answer>(answer: () => Answer): Promise<Answer> => {
    await Promise.resolve();
    return answer();
  };
  return {
    isShared: true,
    enter: (accounts, tokens, ahead) =>
      later(() => {
        const refusal = store.enter(accounts, tokens);
        if (refusal !== undefined || ahead === undefined) return refusal;
        ahead.isGranted = store.reserve(ahead.accounts, ahead.nanoUsd) === undefined;
        return undefined;
      }),
    reserve: (accounts, nanoUsd) => later(() => store.reserve(accounts, nanoUsd)),
    leave: (...args) => store.leave(...args),
    settle: (...args) => store.settle(...args),
    onReturn: (...args) => store.onReturn(...args),
    close: () => store.close(),
  };
}

describe.each(['at once', 'later'])('with a store that answers %s', (when) => {
  function stage() {
    const runtime = createVirtualRuntime();
    const store = new InProcessLimits(runtime);
    const limits = new HeldToLimits(when === 'later' ? remote(store) : store, runtime);
    const enter = async (caller: Caller): Promise<CallTicket> => {
      const ticket = await limits.enter(caller, NO_SIZE);
      if (ticket === undefined || 'reason' in ticket) throw new Error('refused');
      return ticket;
    };
    const spentOf = (caller: Caller): bigint =>
      caller.accounts.flatMap((account) => store.spentOf(account))[0]?.nanoUsd ?? 0n;
    return { runtime, store, limits, enter, spentOf };
  }
  const claimed = async (answer: ClaimAnswer): Promise<Failure | 'leave'> => {
    if (answer === undefined) return 'leave';
    return ('decided' in answer ? await answer.decided : answer) ?? 'leave';
  };
  const exactly = (count: number) => ({ most: BigInt(count) * CENT, least: BigInt(count) * CENT });

  test('a call books what its attempts cost, each once', async () => {
    const { enter, spentOf } = stage();
    const caller = callerOf('a', { budgets: [cents(100)] });
    const call = await enter(caller);
    expect(await claimed(call.claim(exactly(10), MINUTE_MS))).toBe('leave');
    call.settle(7n * CENT);
    call.settle(7n * CENT);
    expect(await claimed(call.claim(exactly(10), MINUTE_MS))).toBe('leave');
    call.leave(0);
    call.leave(0);
    expect(spentOf(caller)).toBe(17n * CENT);
  });

  test('an attempt that was not made costs nothing, and one of unknown cost what was reserved', async () => {
    const { enter, spentOf } = stage();
    const caller = callerOf('a', { budgets: [cents(100)] });
    const call = await enter(caller);
    await claimed(call.claim(exactly(10), MINUTE_MS));
    call.giveBack();
    expect(spentOf(caller)).toBe(0n);
    await claimed(call.claim(exactly(10), MINUTE_MS));
    call.settle(undefined);
    expect(spentOf(caller)).toBe(10n * CENT);
  });

  test('what others have reserved comes, first come, first served', async () => {
    const { enter, runtime } = stage();
    const caller = callerOf('a', { budgets: [cents(100)] });
    const first = await enter(caller);
    await claimed(first.claim(exactly(60), MINUTE_MS));
    const order: string[] = [];
    const waiting = async (name: string, count: number): Promise<CallTicket> => {
      const call = await enter(caller);
      void claimed(call.claim(exactly(count), MINUTE_MS)).then((said) => {
        order.push(`${name} ${said === 'leave' ? said : said.reason}`);
      });
      await runtime.settle();
      return call;
    };
    await waiting('large', 70);
    const small = await waiting('small', 20);
    expect(order).toEqual([]);
    first.settle(10n * CENT);
    await runtime.settle();
    expect(order).toEqual(['large leave', 'small leave']);
    small.leave(0);
  });

  test('who waits is refused when the rest turns out to be spent', async () => {
    const { enter, runtime } = stage();
    const caller = callerOf('a', { budgets: [cents(100)] });
    const first = await enter(caller);
    await claimed(first.claim(exactly(95), MINUTE_MS));
    const second = claimed((await enter(caller)).claim(exactly(10), MINUTE_MS));
    await runtime.settle();
    first.settle(95n * CENT);
    expect(await second).toMatchObject({
      class: 'budget',
      reason: 'BUDGET_EXHAUSTED',
      quota: {
        subject: 'caller:a',
        description: 'budget of 1 USD per day; renews at 2026-11-23T00:00:00Z',
        metadata: { budget: 'caller:a day', renewsAt: '2026-11-23T00:00:00Z' },
      },
    });
  });

  test('a call that is dearer than a whole budget is told so, and not when that renews', async () => {
    const { enter } = stage();
    const call = await enter(callerOf('a', { budgets: [cents(100)] }));
    const refused = await claimed(call.claim(exactly(101), MINUTE_MS));
    expect(refused).toMatchObject({ class: 'budget', reason: 'BUDGET_EXHAUSTED' });
    expect(refused).toMatchObject({
      message:
        'The call may cost 1.01 USD, more than the whole budget of caller:a (1 USD per day): it needs a smaller max_tokens, a shorter prompt or a cheaper target.',
    });
  });

  test.each([
    [MINUTE_MS, 30_000],
    [2_000, 2_000],
  ])('who has %i ms waits for %i ms at most', async (remainingMs, waitedMs) => {
    const { enter, runtime, store, spentOf } = stage();
    const caller = callerOf('a', { budgets: [cents(100)] });
    const first = await enter(caller);
    await claimed(first.claim(exactly(95), MINUTE_MS));
    const second = claimed((await enter(caller)).claim(exactly(10), remainingMs));
    await runtime.settle();
    await runtime.advance(waitedMs - 1);
    expect(runtime.pendingTimers()).toBe(1);
    await runtime.advance(1);
    expect(await second).toMatchObject({ class: 'budget', reason: 'CALLER_RATE_LIMITED', retryAfterMs: 1_000 });
    first.settle(0n);
    await runtime.settle();
    expect(spentOf(caller)).toBe(0n);
    expect(store.reserve(caller.accounts, 100n * CENT)).toBeUndefined();
  });

  test('who gives up leaves nothing reserved, and lets the next one go', async () => {
    const { enter, runtime, store } = stage();
    const caller = callerOf('a', { budgets: [cents(100)] });
    const first = await enter(caller);
    await claimed(first.claim(exactly(60), MINUTE_MS));
    const large = (await enter(caller)).claim(exactly(70), MINUTE_MS);
    const small = (await enter(caller)).claim(exactly(40), MINUTE_MS);
    await runtime.settle();
    if (large === undefined || !('cancel' in large)) throw new Error('it does not wait');
    large.cancel();
    expect(await large.decided).toMatchObject({ reason: 'CANCELLED' });
    expect(await claimed(small)).toBe('leave');
    expect(runtime.pendingTimers()).toBe(0);
    expect(store.reserve(caller.accounts, 1n)).toMatchObject({ kind: 'reserved' });
  });

  test('an answer that nobody bounds gets what is left, one call at a time', async () => {
    const { enter, spentOf, runtime } = stage();
    const caller = callerOf('a', { budgets: [cents(100)] });
    const open = { most: 500n * CENT, least: CENT / 10n };
    const running: CallTicket[] = [];
    const refused: Failure[] = [];
    for (let each = 0; each < 200; each++) {
      const call = await enter(caller);
      void claimed(call.claim(open, MINUTE_MS)).then((said) => {
        if (said === 'leave') running.push(call);
        else refused.push(said);
      });
    }
    await runtime.settle();
    for (let call = running.shift(); call !== undefined; call = running.shift()) {
      expect(running).toEqual([]);
      call.settle(CENT);
      await runtime.settle();
    }
    expect(spentOf(caller)).toBe(100n * CENT);
    expect(refused.map(({ reason }) => reason)).toEqual(Array.from({ length: 100 }, () => 'BUDGET_EXHAUSTED'));
  });

  describe('an answer that grows beyond what was reserved for it', () => {
    /** A token costs a cent, so that an answer is as dear as it is long; it was taken for ten. */
    const open = (tokens: number) => ({
      most: BigInt(tokens) * CENT,
      least: 0n,
      open: { tokens, price: 1_000_000n * CENT },
    });
    async function running(limitCents: number, calls: number, tokens: number) {
      const { enter, runtime, ...rest } = stage();
      const caller = callerOf('a', { budgets: [cents(limitCents)] });
      const told = new Map<number, Failure>();
      const tickets: CallTicket[] = [];
      for (let each = 0; each < calls; each++) {
        const ticket = await enter(caller);
        expect(await claimed(ticket.claim(open(tokens), MINUTE_MS))).toBe('leave');
        tickets.push(ticket);
      }
      const grow = async (index: number, to: number): Promise<void> => {
        tickets[index]?.grown(to, (failure) => {
          expect(told.has(index)).toBe(false);
          told.set(index, failure);
        });
        await runtime.settle();
      };
      const left = async (): Promise<number> => {
        const most = Array.from({ length: limitCents }, (_, index) => limitCents - index);
        return most.find((count) => rest.store.reserve(caller.accounts, BigInt(count) * CENT - 1n) === undefined) ?? 0;
      };
      return { ...rest, caller, told, tickets, grow, left, runtime };
    }

    test('has more reserved, twice what has come', async () => {
      const { grow, told, left } = await running(100, 1, 10);
      await grow(0, 10);
      await grow(0, 11);
      expect(await left()).toBe(78);
      expect(told.size).toBe(0);
    });

    test('gives back what it did not take', async () => {
      const { grow, tickets, left, spentOf, caller } = await running(100, 1, 10);
      await grow(0, 20);
      tickets[0]?.settle(21n * CENT);
      expect(spentOf(caller)).toBe(21n * CENT);
      expect(await left()).toBe(79);
    });

    test('books all that was reserved where nobody knows what it has cost', async () => {
      const { grow, tickets, spentOf, caller } = await running(100, 1, 10);
      await grow(0, 20);
      tickets[0]?.settle(undefined);
      expect(spentOf(caller)).toBe(40n * CENT + 1n);
    });

    test('goes on alone where nothing is left, and no other does', async () => {
      const { grow, tickets, told } = await running(100, 10, 10);
      for (const index of tickets.keys()) await grow(index, 11);
      expect(told.has(0)).toBe(false);
      expect(told.size).toBe(9);
      expect(told.get(1)).toMatchObject({
        class: 'budget',
        reason: 'BUDGET_EXHAUSTED',
        message: expect.stringContaining('caller:a (1 USD per day)'),
        quota: { subject: 'caller:a' },
      });
      await grow(0, 5_000);
      await grow(1, 12);
      expect(told.size).toBe(9);
    });

    test('may go on when the one before has ended, and the budget is not spent', async () => {
      const { grow, tickets, told } = await running(100, 10, 10);
      await grow(0, 11);
      tickets[0]?.settle(9n * CENT);
      await grow(1, 12);
      await grow(2, 12);
      expect([...told.keys()]).toEqual([2]);
    });

    test('does not when the one before has spent the rest', async () => {
      const { grow, tickets, told } = await running(100, 10, 10);
      await grow(0, 11);
      tickets[0]?.settle(101n * CENT);
      await grow(1, 11);
      expect([...told.keys()]).toEqual([1]);
    });

    test('of an attempt that has ended asks for nothing', async () => {
      const { grow, tickets, told, left } = await running(100, 1, 10);
      const asked = grow(0, 30);
      tickets[0]?.settle(30n * CENT);
      await asked;
      await grow(0, 5_000);
      expect(await left()).toBe(70);
      expect(told.size).toBe(0);
    });
  });

  test('calls of two callers of a group wait for whose budget is in the way', async () => {
    const { enter, runtime } = stage();
    const group = accountOf('group:g', { budgets: [cents(100)] });
    const of = (name: string, count: number): Caller => ({
      ...callerOf(name),
      accounts: [accountOf(`caller:${name}`, { budgets: [cents(count)], family: 'group:g' }), group],
    });
    const [a, b] = [of('a', 50), of('b', 200)];
    const first = await enter(a);
    await claimed(first.claim(exactly(50), MINUTE_MS));
    const own = claimed((await enter(a)).claim(exactly(10), MINUTE_MS));
    await runtime.settle();
    const others = await enter(b);
    expect(await claimed(others.claim(exactly(50), MINUTE_MS))).toBe('leave');
    first.settle(10n * CENT);
    expect(await own).toBe('leave');
  });

  test('nothing is asked of a caller without limits and budgets', async () => {
    const { limits } = stage();
    expect(limits.enter(callerOf('a'), NO_SIZE)).toBeUndefined();
  });

  test('a call that is over its limit is told which, and when to come again', async () => {
    const { limits } = stage();
    const caller = callerOf('a', { limits: { requestsPerMinute: 1 } });
    expect(await limits.enter(caller, NO_SIZE)).toMatchObject({ hasBudget: false });
    expect(await limits.enter(caller, NO_SIZE)).toMatchObject({
      class: 'local_refusal',
      reason: 'CALLER_RATE_LIMITED',
      retryAfterMs: MINUTE_MS,
      quota: {
        subject: 'caller:a',
        description: '1 requests per minute',
        metadata: { limit: 'requests_per_minute' },
      },
    });
  });

  test('a request that asks for more tokens than a minute gives is told so for good', async () => {
    const { limits } = stage();
    const caller = callerOf('a', { limits: { tokensPerMinute: 1_000 } });
    const refused = await limits.enter(caller, { promptTokens: 500, answerTokens: 501 });
    expect(refused).toMatchObject({ reason: 'CALLER_RATE_LIMITED' });
    expect(refused).not.toHaveProperty('retryAfterMs', expect.any(Number));
    expect(await limits.enter(caller, { promptTokens: 500 })).toMatchObject({ hasBudget: false });
  });
});

describe('a store that is shared is asked for leave of the first attempt when the call begins', () => {
  const LIMITED = { limits: { requestsPerMinute: 3 }, budgets: [cents(100)] } as const;
  const exactly = (count: number) => ({ most: BigInt(count) * CENT, least: BigInt(count) * CENT });

  function stage() {
    const runtime = createVirtualRuntime();
    const own = new InProcessLimits(runtime);
    const store = remote(own);
    const asked: bigint[] = [];
    const { enter: begin, reserve } = store;
    store.enter = (accounts, tokens, ahead) => {
      if (ahead !== undefined) asked.push(ahead.nanoUsd / CENT);
      return begin(accounts, tokens, ahead);
    };
    store.reserve = (accounts, nanoUsd) => {
      asked.push(nanoUsd / CENT);
      return reserve(accounts, nanoUsd);
    };
    const limits = new HeldToLimits(store, runtime);
    const caller = callerOf('a', LIMITED);
    const enter = async (count: number, by = caller): Promise<CallTicket> => {
      const ticket = await limits.enter(by, NO_SIZE, () => exactly(count));
      if (ticket === undefined || 'reason' in ticket) throw new Error('refused');
      return ticket;
    };
    const spent = (): bigint | undefined => own.spentOf(caller.accounts[0] ?? accountOf('', {}))[0]?.nanoUsd;
    /** Whether so many cents are neither spent nor reserved. */
    const isLeft = (count: number): boolean => own.reserve(caller.accounts, BigInt(count) * CENT) === undefined;
    return { limits, caller, enter, asked, spent, isLeft };
  }

  test('and not again, and the attempt is settled once', async () => {
    const { enter, asked, spent, isLeft } = stage();
    const call = await enter(10);
    expect(call.claim(exactly(10), MINUTE_MS)).toBeUndefined();
    expect(asked).toEqual([10n]);
    call.settle(7n * CENT);
    call.settle(7n * CENT);
    call.leave(0);
    expect(spent()).toBe(7n * CENT);
    expect(isLeft(94)).toBe(false);
    expect(isLeft(93)).toBe(true);
  });

  test('of the first attempt alone: another asks for itself', async () => {
    const { enter, asked, spent } = stage();
    const call = await enter(10);
    expect(call.claim(exactly(9), MINUTE_MS)).toBeUndefined();
    call.settle(undefined);
    const second = call.claim(exactly(20), MINUTE_MS);
    expect(await (second !== undefined && 'decided' in second ? second.decided : second)).toBeUndefined();
    call.leave(0);
    expect(asked).toEqual([10n, 20n]);
    expect(spent()).toBe(30n * CENT);
  });

  test('and again where the attempt may cost more than that', async () => {
    const { enter, asked, spent } = stage();
    const call = await enter(60);
    const claim = call.claim(exactly(70), MINUTE_MS);
    expect(await (claim !== undefined && 'decided' in claim ? claim.decided : claim)).toBeUndefined();
    call.settle(1n * CENT);
    call.leave(0);
    expect(asked).toEqual([60n, 70n]);
    expect(spent()).toBe(1n * CENT);
  });

  test.each([0, 1])(
    'and it goes back where the attempt is at a target that is far cheaper (%s cents)',
    async (count) => {
      const { enter, isLeft } = stage();
      const call = await enter(60);
      const claim = call.claim(exactly(count), MINUTE_MS);
      expect(await (claim !== undefined && 'decided' in claim ? claim.decided : claim)).toBeUndefined();
      expect(isLeft(100 - count)).toBe(true);
    },
  );

  test.each(['is made', 'costs anything'])('and it goes back where no attempt %s', async (what) => {
    const { enter, spent, isLeft } = stage();
    const call = await enter(10);
    if (what === 'costs anything') expect(call.claim({ most: 0n, least: 0n }, MINUTE_MS)).toBeUndefined();
    call.leave(undefined);
    call.leave(undefined);
    expect(spent()).toBe(0n);
    expect(isLeft(100)).toBe(true);
  });

  test('and has nothing reserved for a call that is not let in', async () => {
    const { limits, caller, isLeft } = stage();
    for (let call = 0; call < 3; call++) await limits.enter(caller, NO_SIZE);
    expect(await limits.enter(caller, NO_SIZE, () => exactly(10))).toMatchObject({ reason: 'CALLER_RATE_LIMITED' });
    expect(isLeft(100)).toBe(true);
  });

  test('but not where others wait for the budget, nor where nobody knows what it may cost', async () => {
    const { limits, caller, enter, asked } = stage();
    const first = await enter(80);
    first.claim(exactly(80), MINUTE_MS);
    const second = await enter(30);
    const waiting = second.claim(exactly(30), MINUTE_MS);
    for (let turn = 0; turn < 20; turn++) await Promise.resolve();
    expect(asked.slice(0, 2)).toEqual([80n, 30n]);
    const before = asked.length;
    await limits.enter(caller, NO_SIZE, () => exactly(1));
    await limits.enter(callerOf('b', LIMITED), NO_SIZE, () => undefined);
    expect(asked).toHaveLength(before);
    first.settle(5n * CENT);
    expect(await (waiting !== undefined && 'decided' in waiting ? waiting.decided : waiting)).toBeUndefined();
  });
});

describe('a store that does not answer', () => {
  const gone: LimitStore = {
    enter: () => Promise.resolve({ kind: 'unavailable' }),
    reserve: () => ({ kind: 'unavailable' }),
    leave: () => undefined,
    settle: () => undefined,
    onReturn: () => () => undefined,
    close: () => Promise.resolve(),
  };

  test('lets nobody in', async () => {
    const limits = new HeldToLimits(gone, createVirtualRuntime());
    const caller = callerOf('a', { limits: { requestsPerMinute: 1 } });
    expect(await limits.enter(caller, NO_SIZE)).toMatchObject({ reason: 'LIMITS_UNAVAILABLE' });
    const spender = await limits.enter(callerOf('b', { budgets: [cents(1)] }), NO_SIZE);
    if (spender === undefined || 'reason' in spender) throw new Error('refused');
    expect(spender.claim({ most: 1n, least: 1n }, MINUTE_MS)).toMatchObject({ reason: 'LIMITS_UNAVAILABLE' });
  });

  test('ends no answer that is under way', async () => {
    let isGone = false;
    const store = { ...gone, reserve: () => (isGone ? gone.reserve([], 1n) : undefined) };
    const limits = new HeldToLimits(store, createVirtualRuntime());
    const call = await limits.enter(callerOf('a', { budgets: [cents(1)] }), NO_SIZE);
    if (call === undefined || 'reason' in call) throw new Error('refused');
    call.claim({ most: 10n, least: 0n, open: { tokens: 10, price: 1_000_000n } }, MINUTE_MS);
    isGone = true;
    const told: Failure[] = [];
    for (const tokens of [11, 100, 5_000]) call.grown(tokens, (failure) => told.push(failure));
    expect(told).toEqual([]);
  });
});

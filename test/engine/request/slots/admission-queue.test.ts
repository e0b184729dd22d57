import { getEventListeners } from 'node:events';

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import type { Failure } from '../../../../src/core/failure.ts';
import type { Slot } from '../../../../src/engine/request/slots/admission-queue.ts';
import { AdmissionQueue } from '../../../../src/engine/request/slots/admission-queue.ts';
import { createVirtualRuntime } from '../../../support/virtual-runtime.ts';

interface Guest {
  readonly abort: AbortController;
  outcome: Slot | Failure | undefined;
}

function open(maxActive: number, maxQueued = 100, { maxWaitMs = 1_000, maxShare = 80 } = {}) {
  const runtime = createVirtualRuntime();
  const load = { isOverloaded: false };
  const queue = new AdmissionQueue({ maxActive, maxQueued, maxWaitMs, maxShare }, runtime, () => load.isOverloaded);
  const enter = (remainingMs = 60_000, key = 'k'): Guest => {
    const abort = new AbortController();
    const guest: Guest = { abort, outcome: undefined };
    const entered = queue.enter(key, remainingMs, abort.signal);
    if (entered instanceof Promise) void entered.then((outcome) => (guest.outcome = outcome));
    else guest.outcome = entered;
    return guest;
  };
  /** Lets `count` requests of a key come. */
  const come = (key: string, count: number): readonly Guest[] =>
    Array.from({ length: count }, () => enter(undefined, key));
  return { runtime, queue, enter, come, load };
}

function wordOf({ outcome }: Guest): string {
  if (outcome === undefined) return 'waits';
  return 'release' in outcome ? 'in' : outcome.reason;
}

function leave({ outcome }: Guest): void {
  if (outcome !== undefined && 'release' in outcome) outcome.release();
}

describe('the admission queue', () => {
  it('admits at once while slots are free, and then those of one key in the order of arrival, in the turn in which one is given back', async () => {
    const { enter, queue, runtime } = open(2);
    const [a, b, c, d] = [enter(), enter(), enter(), enter()];
    expect([a, b, c, d].map((guest) => wordOf(guest))).toEqual(['in', 'in', 'waits', 'waits']);
    leave(b);
    expect(queue.load).toMatchObject({ active: 2, queued: 1 });
    await runtime.settle();
    expect([c, d].map((guest) => wordOf(guest))).toEqual(['in', 'waits']);
    leave(b);
    expect(queue.load.active).toBe(2);
  });

  it('refuses whoever finds it full, with a second to wait', () => {
    const { enter, queue } = open(1, 1);
    enter();
    enter();
    expect(enter().outcome).toMatchObject({ class: 'local_refusal', reason: 'OVERLOADED', retryAfterMs: 1_000 });
    expect(queue.load.queued).toBe(1);
  });

  it.each([
    [60_000, 1_000],
    [10_000, 1_000],
    [5_000, 500],
  ])('lets a request that has %d ms wait for %d ms', async (remainingMs, waitMs) => {
    const { enter, queue, runtime } = open(1);
    enter();
    const guest = enter(remainingMs);
    await runtime.advance(waitMs - 1);
    expect(wordOf(guest)).toBe('waits');
    await runtime.advance(1);
    expect(wordOf(guest)).toBe('OVERLOADED');
    expect(queue.load.queued).toBe(0);
    expect(getEventListeners(guest.abort.signal, 'abort')).toHaveLength(0);
  });

  it('is left in the turn in which the caller cancels', () => {
    const { enter, queue, runtime } = open(1);
    enter();
    const guest = enter();
    guest.abort.abort();
    expect(queue.load.queued).toBe(0);
    expect(runtime.pendingTimers()).toBe(0);
  });

  it('refuses all that is new while the process is overloaded, and keeps what waits', async () => {
    const { enter, load, runtime } = open(1);
    const first = enter();
    const waiting = enter();
    load.isOverloaded = true;
    expect(wordOf(enter())).toBe('OVERLOADED');
    leave(first);
    await runtime.settle();
    expect(wordOf(waiting)).toBe('in');
    load.isOverloaded = false;
    leave(waiting);
    expect(wordOf(enter())).toBe('in');
  });

  it('sends all who wait away when it closes, and whoever comes', async () => {
    const { enter, queue, runtime } = open(1);
    const first = enter();
    const waiting = [enter(), enter()];
    queue.close();
    expect(queue.load.queued).toBe(0);
    await runtime.settle();
    expect(waiting.map((guest) => wordOf(guest))).toEqual(['SHUTTING_DOWN', 'SHUTTING_DOWN']);
    leave(first);
    expect(wordOf(enter())).toBe('SHUTTING_DOWN');
    expect(queue.load.active).toBe(0);
    expect(runtime.pendingTimers()).toBe(0);
  });

  it('says for how long it has been full, until a tenth of the slots is free again', async () => {
    const { come, queue, runtime } = open(20, 0, { maxShare: 100 });
    const guests = come('k', 19);
    await runtime.advance(5_000);
    expect(queue.load.fullForMs).toBe(0);
    guests.slice(0, 1).forEach(leave);
    come('k', 2);
    await runtime.advance(300);
    expect(queue.load.fullForMs).toBe(300);
    guests.slice(1, 2).forEach(leave);
    await runtime.advance(100);
    expect(queue.load).toMatchObject({ active: 19, fullForMs: 400 });
    guests.slice(2, 3).forEach(leave);
    expect(queue.load).toMatchObject({ active: 18, fullForMs: 0 });
  });

  it('counts whom it refuses by cause', async () => {
    const { come, enter, load, queue, runtime } = open(1, 2, { maxShare: 50 });
    come('a', 3);
    come('b', 1);
    come('c', 1);
    await runtime.advance(1_000);
    load.isOverloaded = true;
    enter();
    expect(queue.load.refused).toEqual({ overloaded: 1, queue_full: 1, share: 1, wait: 2 });
  });
});

describe('a key that wants everything', () => {
  it('gets four fifths of the slots while it is alone, and no more', () => {
    const { come, queue } = open(1_000);
    come('greedy', 1_000);
    expect(queue.load).toMatchObject({ active: 800, queued: 80, refused: { share: 120 } });
  });

  it('gets every slot where nothing is kept back', () => {
    const { come, queue } = open(1_000, 0, { maxShare: 100 });
    come('greedy', 1_001);
    expect(queue.load).toMatchObject({ active: 1_000, refused: { queue_full: 1 } });
  });

  it('leaves room for others at once, whatever it holds and for however long', () => {
    const { come } = open(1_000);
    come('greedy', 1_000);
    const others = [...come('one', 30), ...come('two', 20), ...come('three', 8)];
    expect(others.map((guest) => wordOf(guest))).toEqual(others.map(() => 'in'));
  });

  it('holds as much as others that want as much, once what it took before they came has ended', async () => {
    const { come, queue, runtime } = open(90, 0);
    let running = ['a', 'b', 'c'].flatMap((key) => come(key, 90).map((guest) => ({ key, guest })));
    for (let round = 0; round < 200; round++) {
      const oldest = running.findIndex(({ guest }) => wordOf(guest) === 'in');
      running.slice(oldest, oldest + 1).forEach(({ guest }) => leave(guest));
      running = running.slice(oldest + 1);
      for (const key of ['a', 'b', 'c']) running.push(...come(key, 2).map((guest) => ({ key, guest })));
      await runtime.settle();
    }
    const held = (key: string): number => running.filter((one) => one.key === key && wordOf(one.guest) === 'in').length;
    expect(queue.load.active).toBeLessThan(90);
    for (const key of ['a', 'b', 'c']) expect(Math.abs(held(key) - 27)).toBeLessThanOrEqual(2);
  });

  it('waits for its turn: each key that waits gets a slot before any gets a second', async () => {
    const { come, runtime } = open(3, 100);
    const first = come('x', 3);
    const waiting = [...come('a', 4), ...come('b', 2), ...come('c', 1)];
    const words = (): string => waiting.map((guest) => (wordOf(guest) === 'in' ? 'i' : '-')).join('');
    const seen: string[] = [];
    for (const guest of first) {
      leave(guest);
      await runtime.settle();
      seen.push(words());
    }
    expect(seen).toEqual(['i------', 'i---i--', 'i---i-i']);
    waiting.slice(6).forEach(leave);
    await runtime.settle();
    expect(words()).toBe('ii--i-i');
  });

  it('takes no more than its part of the queue', () => {
    const { come, queue } = open(1, 100);
    come('greedy', 200);
    expect(queue.load).toMatchObject({ queued: 80, refused: { share: 119 } });
    expect(come('other', 1).map((guest) => wordOf(guest))).toEqual(['waits']);
  });

  it('has its full share each time, among thousands of keys that come and go', async () => {
    const { come, runtime } = open(5, 5);
    const [staying] = come('stays', 1);
    for (let index = 0; index < 3_000; index++) {
      const guests = come(`key-${index}`, 3);
      expect(guests.map((guest) => wordOf(guest))).toEqual(['in', 'in', 'in']);
      guests.forEach(leave);
    }
    const more = come('stays', 4);
    expect(more.map((guest) => wordOf(guest))).toEqual(['in', 'in', 'in', 'waits']);
    [...more, ...(staying === undefined ? [] : [staying])].forEach(leave);
    await runtime.settle();
    more.slice(3).forEach(leave);
    await runtime.settle();
    expect(runtime.pendingTimers()).toBe(0);
  });
});

/** What a plain list says: every request that ever came, and the keys in the order of their turns. */
class PlainList {
  readonly entries: { readonly key: string; word: string; readonly untilMs: number }[] = [];
  #turns: string[] = [];
  readonly #maxShare: number;

  constructor(maxShare: number) {
    this.#maxShare = maxShare;
  }

  count(word: string, key?: string): number {
    return this.entries.filter((entry) => entry.word === word && (key === undefined || entry.key === key)).length;
  }

  comes(key: string, untilMs: number): void {
    const waits = this.#fits(this.count('waits', key), 4 - this.count('waits'));
    const word = this.#fitsSlot(key) ? 'in' : waits ? 'waits' : 'OVERLOADED';
    this.entries.push({ key, word, untilMs });
    if (word === 'waits' && !this.#turns.includes(key)) this.#turns.push(key);
  }

  turnsAway(waiting: (entry: { readonly untilMs: number }, index: number) => boolean): void {
    for (const [index, entry] of this.entries.entries()) {
      if (entry.word === 'waits' && waiting(entry, index)) entry.word = 'OVERLOADED';
    }
    this.#turns = this.#turns.filter((key) => this.count('waits', key) > 0);
  }

  goes(index: number): void {
    const gone = this.entries[index];
    if (gone !== undefined) gone.word = 'gone';
    for (;;) {
      const key = this.#turns.find((one) => this.#fitsSlot(one));
      const next = this.entries.find((entry) => entry.word === 'waits' && entry.key === key);
      if (key === undefined || next === undefined) return;
      next.word = 'in';
      this.#turns = [...this.#turns.filter((one) => one !== key), ...(this.count('waits', key) > 0 ? [key] : [])];
    }
  }

  #fitsSlot(key: string): boolean {
    return this.#fits(this.count('in', key), 3 - this.count('in'));
  }

  #fits(held: number, free: number): boolean {
    return free > 0 && (this.#maxShare === 100 || held < (free * this.#maxShare) / (100 - this.#maxShare));
  }
}

describe('any history of requests', () => {
  const key = fc.constantFrom('a', 'a', 'a', 'b', 'c');
  const step = fc.oneof(
    {
      weight: 4,
      arbitrary: fc.record({
        do: fc.constant('enter' as const),
        key,
        remainingMs: fc.integer({ min: 1, max: 20_000 }),
      }),
    },
    { weight: 3, arbitrary: fc.record({ do: fc.constant('leave' as const), which: fc.nat() }) },
    { weight: 1, arbitrary: fc.record({ do: fc.constant('cancel' as const), which: fc.nat() }) },
    { weight: 2, arbitrary: fc.record({ do: fc.constant('pass' as const), ms: fc.nat(600) }) },
  );

  it.each([100, 80, 50])('agrees with a plain list after every step, with a share of %d %%', async (maxShare) => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 60 }), async (steps) => {
        const { enter, queue, runtime } = open(3, 4, { maxShare });
        const guests: Guest[] = [];
        const model = new PlainList(maxShare);
        for (const one of steps) {
          if (one.do === 'enter') {
            guests.push(enter(one.remainingMs, one.key));
            model.comes(one.key, runtime.now() + Math.min(1_000, one.remainingMs / 10));
          } else if (one.do === 'pass') {
            await runtime.advance(one.ms);
            model.turnsAway(({ untilMs }) => untilMs <= runtime.now());
          } else if (guests.length > 0) {
            const index = one.which % guests.length;
            const guest = guests[index];
            if (guest === undefined) throw new Error('unreachable');
            if (one.do === 'leave' && model.entries[index]?.word === 'in') {
              leave(guest);
              model.goes(index);
            } else if (one.do === 'cancel') {
              guest.abort.abort();
              model.turnsAway((_, at) => at === index);
            }
          }
          await runtime.settle();
          const words = guests.map((guest, index) => (model.entries[index]?.word === 'gone' ? 'gone' : wordOf(guest)));
          expect(words).toEqual(model.entries.map(({ word }) => word));
          expect(queue.load).toMatchObject({ active: model.count('in'), queued: model.count('waits') });
          expect(runtime.pendingTimers()).toBe(model.count('waits'));
        }
      }),
      { numRuns: 100 },
    );
  });
});

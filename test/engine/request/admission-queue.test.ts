import { getEventListeners } from 'node:events';

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import type { Failure } from '../../../src/core/failure.ts';
import type { Slot } from '../../../src/engine/request/admission-queue.ts';
import { AdmissionQueue } from '../../../src/engine/request/admission-queue.ts';
import { createVirtualRuntime } from '../../support/virtual-runtime.ts';

interface Guest {
  readonly abort: AbortController;
  outcome: Slot | Failure | undefined;
}

function open(maxActive: number, maxQueued = 100, maxWaitMs = 1_000) {
  const runtime = createVirtualRuntime();
  const load = { isOverloaded: false };
  const queue = new AdmissionQueue({ maxActive, maxQueued, maxWaitMs }, runtime, () => load.isOverloaded);
  const enter = (remainingMs = 60_000): Guest => {
    const abort = new AbortController();
    const guest: Guest = { abort, outcome: undefined };
    const entered = queue.enter(remainingMs, abort.signal);
    if (entered instanceof Promise) void entered.then((outcome) => (guest.outcome = outcome));
    else guest.outcome = entered;
    return guest;
  };
  return { runtime, queue, enter, load };
}

function wordOf({ outcome }: Guest): string {
  if (outcome === undefined) return 'waits';
  return 'release' in outcome ? 'in' : outcome.reason;
}

function leave({ outcome }: Guest): void {
  if (outcome !== undefined && 'release' in outcome) outcome.release();
}

describe('the admission queue', () => {
  it('admits at once while slots are free, and then in the order of arrival, in the turn in which one is given back', async () => {
    const { enter, queue, runtime } = open(2);
    const [a, b, c, d] = [enter(), enter(), enter(), enter()];
    expect([a, b, c, d].map((guest) => wordOf(guest))).toEqual(['in', 'in', 'waits', 'waits']);
    leave(b);
    expect(queue).toMatchObject({ active: 2, queued: 1 });
    await runtime.settle();
    expect([c, d].map((guest) => wordOf(guest))).toEqual(['in', 'waits']);
    leave(b);
    expect(queue.active).toBe(2);
  });

  it('refuses whoever finds it full, with a second to wait', () => {
    const { enter, queue } = open(1, 1);
    enter();
    enter();
    expect(enter().outcome).toMatchObject({ class: 'local_refusal', reason: 'OVERLOADED', retryAfterMs: 1_000 });
    expect(queue.queued).toBe(1);
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
    expect(queue.queued).toBe(0);
    expect(getEventListeners(guest.abort.signal, 'abort')).toHaveLength(0);
  });

  it('is left in the turn in which the caller cancels', () => {
    const { enter, queue, runtime } = open(1);
    enter();
    const guest = enter();
    guest.abort.abort();
    expect(queue.queued).toBe(0);
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
    expect(queue.queued).toBe(0);
    await runtime.settle();
    expect(waiting.map((guest) => wordOf(guest))).toEqual(['SHUTTING_DOWN', 'SHUTTING_DOWN']);
    leave(first);
    expect(wordOf(enter())).toBe('SHUTTING_DOWN');
    expect(queue.active).toBe(0);
    expect(runtime.pendingTimers()).toBe(0);
  });

  const step = fc.oneof(
    {
      weight: 4,
      arbitrary: fc.record({ do: fc.constant('enter' as const), remainingMs: fc.integer({ min: 1, max: 20_000 }) }),
    },
    { weight: 3, arbitrary: fc.record({ do: fc.constant('leave' as const), which: fc.nat() }) },
    { weight: 1, arbitrary: fc.record({ do: fc.constant('cancel' as const), which: fc.nat() }) },
    { weight: 2, arbitrary: fc.record({ do: fc.constant('pass' as const), ms: fc.nat(600) }) },
  );

  it('agrees with a plain list after every step of any history', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 60 }), async (steps) => {
        const { enter, queue, runtime } = open(3, 4);
        const guests: Guest[] = [];
        const model: { word: string; untilMs: number }[] = [];
        const admitNext = (): void => {
          const next = model.find(({ word }) => word === 'waits');
          if (next !== undefined && model.filter(({ word }) => word === 'in').length < 3) next.word = 'in';
        };
        for (const one of steps) {
          const now = runtime.now();
          if (one.do === 'enter') {
            guests.push(enter(one.remainingMs));
            const count = (wanted: string): number => model.filter(({ word }) => word === wanted).length;
            const word = count('in') < 3 ? 'in' : count('waits') < 4 ? 'waits' : 'OVERLOADED';
            model.push({ word, untilMs: now + Math.min(1_000, one.remainingMs / 10) });
          } else if (one.do === 'pass') {
            await runtime.advance(one.ms);
            for (const entry of model) {
              if (entry.word === 'waits' && entry.untilMs <= runtime.now()) entry.word = 'OVERLOADED';
            }
          } else if (guests.length > 0) {
            const index = one.which % guests.length;
            const guest = guests[index];
            const entry = model[index];
            if (guest === undefined || entry === undefined) throw new Error('unreachable');
            if (one.do === 'leave' && entry.word === 'in') {
              leave(guest);
              entry.word = 'gone';
              admitNext();
            } else if (one.do === 'cancel') {
              guest.abort.abort();
              if (entry.word === 'waits') entry.word = 'OVERLOADED';
            }
          }
          await runtime.settle();
          const words = guests.map((guest, index) => (model[index]?.word === 'gone' ? 'gone' : wordOf(guest)));
          expect(words).toEqual(model.map(({ word }) => word));
          expect(queue.active).toBe(model.filter(({ word }) => word === 'in').length);
          expect(queue.queued).toBe(model.filter(({ word }) => word === 'waits').length);
          expect(runtime.pendingTimers()).toBe(queue.queued);
        }
      }),
      { numRuns: 150 },
    );
  });
});

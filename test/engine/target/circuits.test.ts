import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { DEFAULT_ENGINE_CONFIG } from '../../../src/engine/port/config.ts';
import type { Permit } from '../../../src/engine/port/permit.ts';
import { Circuits } from '../../../src/engine/target/circuits.ts';

const MOST = 100;
const WINDOW_MS = 60_000;
const COOLDOWN_MS = 30_000;

function stage() {
  let nowMs = 0;
  const dropped: string[] = [];
  const circuits = new Circuits(
    DEFAULT_ENGINE_CONFIG.circuitBreaker,
    () => nowMs,
    (model) => dropped.push(model),
  );
  const acquire = (model: string): Permit | undefined => circuits.of(unnamed(model)).breaker.acquire(60_000);
  const fail = (model: string, times = 1): void => {
    for (let count = 0; count < times; count++) acquire(model)?.settle('failure');
  };
  const fill = (from: number, to: number): void => {
    for (let index = from; index < to; index++) acquire(`m-${index}`)?.settle('success');
  };
  return {
    circuits,
    dropped,
    acquire,
    fail,
    fill,
    advance: (ms: number) => {
      nowMs += ms;
    },
  };
}

function unnamed(model: string) {
  return { circuit: 'other', model };
}

describe('a model that only its callers name', () => {
  it('has a circuit of its own, and the same again', () => {
    const { circuits } = stage();
    const one = circuits.of(unnamed('one'));
    expect(circuits.of(unnamed('two'))).not.toBe(one);
    expect(circuits.of(unnamed('one'))).toBe(one);
    expect(circuits.peek(unnamed('one'))).toBe(one);
    expect(circuits.peek(unnamed('three'))).toBeUndefined();
    expect(circuits.keyOf(unnamed('one'))).toBe('one');
  });

  it('is not that of a model with its name that the configuration names', () => {
    const { circuits } = stage();
    expect(circuits.of({ circuit: 'one', model: 'one' })).not.toBe(circuits.of(unnamed('one')));
  });

  it('shares with nobody where it is called `other`, but is the one that others would share', () => {
    const { circuits } = stage();
    expect(circuits.of(unnamed('other'))).toBe(circuits.named('other'));
  });

  it('loses its circuit where a hundred others were used later, and it has nothing to say', () => {
    const { circuits, dropped, fill } = stage();
    fill(0, MOST);
    circuits.of(unnamed('m-0'));
    fill(MOST, MOST + 2);
    expect(dropped).toEqual(['m-1', 'm-2']);
    expect(circuits.hasUnnamed('m-0')).toBe(true);
    expect(circuits.hasUnnamed('m-1')).toBe(false);
  });

  it('keeps it while it is open, has failures in the window, or an attempt is under way', () => {
    const { circuits, dropped, acquire, fail, fill } = stage();
    fail('open', 5);
    fail('failed');
    const permit = acquire('asked');
    fill(0, MOST + 20);
    expect(dropped).toHaveLength(23);
    for (const model of ['open', 'failed', 'asked']) expect(circuits.hasUnnamed(model)).toBe(true);
    expect(circuits.of(unnamed('open')).breaker.state).toBe('OPEN');
    permit?.settle('neutral');
  });

  it('shares one with others where all hundred have something to say', () => {
    const { circuits, dropped, fail } = stage();
    for (let index = 0; index < MOST; index++) fail(`m-${index}`);
    const shared = circuits.of(unnamed('late'));
    expect(shared).toBe(circuits.of(unnamed('later')));
    expect(shared).toBe(circuits.named('other'));
    expect(circuits.peek(unnamed('latest'))).toBe(shared);
    expect(circuits.keyOf(unnamed('latest'))).toBe('other');
    expect(dropped).toEqual([]);
  });

  it('has one of its own again when the failures of another have left the window', () => {
    const { circuits, dropped, fail, advance } = stage();
    for (let index = 0; index < MOST; index++) fail(`m-${index}`);
    const shared = circuits.of(unnamed('late'));
    advance(WINDOW_MS);
    expect(circuits.keyOf(unnamed('late'))).toBe('late');
    expect(circuits.of(unnamed('late'))).not.toBe(shared);
    expect(dropped).toEqual(['m-0']);
  });

  it('is forgotten though its circuit is open, when its cooldown is over and nobody has asked for a whole window', () => {
    const { circuits, dropped, fail, fill, advance } = stage();
    fail('junk', 5);
    fill(0, MOST - 1);
    advance(COOLDOWN_MS);
    expect(circuits.unnamed().map(([model]) => model)).toContain('junk');
    advance(WINDOW_MS - COOLDOWN_MS);
    expect(circuits.unnamed()).toEqual([]);
    // It goes on where it stood if it is asked for before another needs its place.
    expect(circuits.of(unnamed('junk')).breaker.state).toBe('OPEN');
    advance(WINDOW_MS);
    for (let index = 0; index < MOST - 1; index++) circuits.of(unnamed(`m-${index}`));
    circuits.of(unnamed('new'));
    expect(dropped).toEqual(['junk']);
  });

  it('begins anew with a reset', () => {
    const { circuits, fail } = stage();
    fail('open', 5);
    circuits.reset();
    expect(circuits.of(unnamed('open')).breaker.state).toBe('CLOSED');
  });
});

describe('whatever models are asked for', () => {
  it('no more than a hundred have a circuit, and none loses one that refuses calls or is in use', () => {
    fc.assert(
      fc.property(
        fc.array(
          fc.record({
            model: fc.integer({ min: 0, max: 150 }),
            end: fc.constantFrom('success', 'failure', 'failure', 'neutral', 'never'),
            afterMs: fc.constantFrom(0, 1, 500, 20_000, 61_000),
          }),
          { minLength: 200, maxLength: 600 },
        ),
        (calls) => {
          const { circuits, acquire, advance } = stage();
          const held = new Set<number>();
          const refusing = (model: number): boolean =>
            (circuits.peek(unnamed(`m-${model}`))?.breaker.refusesForMs() ?? 0) > 0;
          for (const { model, end, afterMs } of calls) {
            advance(afterMs);
            const before = Array.from({ length: 151 }, (_, index) => index).filter(
              (index) => circuits.hasUnnamed(`m-${index}`) && (refusing(index) || held.has(index)),
            );
            const permit = acquire(`m-${model}`);
            for (const index of before) expect(circuits.hasUnnamed(`m-${index}`)).toBe(true);
            if (end !== 'never') permit?.settle(end);
            else if (permit !== undefined && circuits.hasUnnamed(`m-${model}`)) held.add(model);
            expect(circuits.unnamed().length).toBeLessThanOrEqual(MOST);
          }
        },
      ),
      { numRuns: 20, seed: 12 },
    );
  });
});

import { describe, expect, it } from 'vitest';

import { makeScenario } from './scenarios.ts';

describe('the scenario', () => {
  it('prompt-sizes has prompts of every order of size', () => {
    const { requests } = makeScenario('prompt-sizes', 1).tape;
    const sizes = requests.map(({ promptTokens = 0 }) => promptTokens).toSorted((one, other) => one - other);
    expect(sizes.at(0)).toBeGreaterThanOrEqual(500);
    expect(sizes.at(-1)).toBeLessThanOrEqual(200_000);
    // Of 500 to 200,000 the middle is 10,000, where each factor is as likely as the other.
    expect(sizes[Math.floor(sizes.length / 2)]).toBeGreaterThan(8_000);
    expect(sizes[Math.floor(sizes.length / 2)]).toBeLessThan(12_500);
  });

  it('thinking asks for reasoning alone, half of it first of the target that dies', () => {
    const { requests, faults } = makeScenario('thinking', 1).tape;
    expect(requests.every(({ thinkMs = 0 }) => thinkMs >= 60_000 && thinkMs <= 110_000)).toBe(true);
    const share = requests.filter(({ chain }) => chain[0] === 'b').length / requests.length;
    expect(Math.abs(share - 0.5)).toBeLessThan(0.05);
    expect(new Set(faults.map(({ target }) => target))).toEqual(new Set(['b']));
  });

  it('slow-drift has nothing that is at fault', () => {
    expect(makeScenario('slow-drift', 1).tape.faults).toEqual([]);
  });
});

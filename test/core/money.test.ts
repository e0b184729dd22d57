import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { formatNano, parseNano, sumNanoUsd } from '../../src/core/money.ts';

const NANO = 1_000_000_000n;

describe('parseNano', () => {
  it.each([
    ['0', 0n],
    ['0.003', 3_000_000n],
    ['2.50', 2_500_000_000n],
    ['30', 30_000_000_000n],
    ['0.000000001', 1n],
    ['999999.999999999', 999_999_999_999_999n],
  ])('reads %s', (decimal, nano) => {
    expect(parseNano(decimal)).toBe(nano);
  });

  it.each(['', ' ', '1.', '.5', '-1', '+1', '1e3', '1,5', '0x1', ' 1', '1\n', '1.0000000001', '1000000', 'NaN', '１'])(
    'refuses %j and names it',
    (decimal) => {
      expect(() => parseNano(decimal)).toThrow(RangeError);
      expect(() => parseNano(decimal)).toThrow(JSON.stringify(decimal));
    },
  );

  it('is undone by formatNano', () => {
    fc.assert(fc.property(fc.bigInt(0n, 10n ** 15n - 1n), (nano) => parseNano(formatNano(nano)) === nano));
  });
});

describe('formatNano', () => {
  it.each([
    [0n, '0'],
    [1n, '0.000000001'],
    [2_500_000_000n, '2.5'],
    [12_000_000_000n, '12'],
  ])('writes %s without superfluous zeros', (nano, decimal) => {
    expect(formatNano(nano)).toBe(decimal);
  });
});

describe('sumNanoUsd', () => {
  it('rounds a half up, and what is under it down', () => {
    expect(sumNanoUsd([{ tokens: 1, price: 500_000n }])).toBe(1n);
    expect(sumNanoUsd([{ tokens: 1, price: 499_999n }])).toBe(0n);
    expect(sumNanoUsd([{ tokens: 1, price: 1_499_999n }])).toBe(1n);
    expect(sumNanoUsd([{ tokens: 1, price: 1_500_000n }])).toBe(2n);
  });

  it('rounds the whole once, not its parts', () => {
    const quarter = { tokens: 1, price: 250_000n };
    expect(sumNanoUsd([quarter, quarter])).toBe(1n);
    expect(sumNanoUsd([quarter]) + sumNanoUsd([quarter])).toBe(0n);
  });

  it('rounds after the factor', () => {
    expect(sumNanoUsd([{ tokens: 1, price: 999_999n }], NANO / 2n)).toBe(0n);
    expect(sumNanoUsd([{ tokens: 1, price: 1_000_000n }], NANO / 2n)).toBe(1n);
    expect(sumNanoUsd([{ tokens: 1, price: 250_000n }], 2n * NANO)).toBe(1n);
  });

  it('stays exact where floating-point numbers do not', () => {
    // 9,007,199,254,740,991 x 0.003 USD per million = 27,021,597.764222973 USD
    const charge = { tokens: Number.MAX_SAFE_INTEGER, price: parseNano('0.003') };
    expect(sumNanoUsd([charge])).toBe(27_021_597_764_222_973n);
  });

  const charges = fc.array(fc.record({ tokens: fc.nat(2_000_000_000), price: fc.bigInt(0n, 10n ** 12n) }), {
    maxLength: 6,
  });

  it('is the same with and without big integers, at the edge between them too', () => {
    const edge = fc.array(fc.record({ tokens: fc.nat(3), price: fc.bigInt(0n, 2n ** 53n + 2n) }), { maxLength: 3 });
    fc.assert(
      fc.property(fc.oneof(charges, edge), (list) => {
        const whole = list.reduce((sum, { tokens, price }) => sum + BigInt(tokens) * price, 0n);
        expect(sumNanoUsd(list)).toBe((whole + 500_000n) / 1_000_000n);
      }),
    );
    expect(() => sumNanoUsd([{ tokens: 0.5, price: 2n }])).toThrow(RangeError);
  });

  it('adds up: the parts make the whole but for rounding, exactly where there is nothing to round', () => {
    fc.assert(
      fc.property(charges, charges, (a, b) => {
        const difference = sumNanoUsd([...a, ...b]) - sumNanoUsd(a) - sumNanoUsd(b);
        expect(difference).toBeGreaterThanOrEqual(-1n);
        expect(difference).toBeLessThanOrEqual(1n);
        const whole = (list: typeof a) => list.map(({ tokens, price }) => ({ tokens, price: price * 1_000_000n }));
        expect(sumNanoUsd(whole([...a, ...b]))).toBe(sumNanoUsd(whole(a)) + sumNanoUsd(whole(b)));
      }),
    );
  });

  it('is never negative and never falls with more tokens', () => {
    fc.assert(
      fc.property(charges, fc.nat(1_000_000), fc.bigInt(0n, 10n ** 12n), (list, tokens, price) => {
        const before = sumNanoUsd(list);
        expect(before).toBeGreaterThanOrEqual(0n);
        expect(sumNanoUsd([...list, { tokens, price }])).toBeGreaterThanOrEqual(before);
      }),
    );
  });
});

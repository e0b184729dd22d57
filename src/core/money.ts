/**
 * Exact money: billionths of a USD as `bigint`, never a floating-point number. A price is the integer number of nano-USD for
 * a million tokens, so that every published price is exact ("0.003" USD per million is 3,000,000).
 */

const NANO = 1_000_000_000n;
const MILLION = 1_000_000;
const TOKENS_PER_PRICE = BigInt(MILLION);
/** Billionths of billionths for a million tokens, and half of it for rounding. */
const UNIT = TOKENS_PER_PRICE * NANO;
const HALF = UNIT / 2n;
const DECIMAL = /^\d{1,6}(\.\d{1,9})?$/;

/** What an attempt may cost, in nano-USD. */
export interface CostBounds {
  /** The most. */
  readonly most: bigint;
  /** What it costs however short its answer: where the request does not bound that, so much must be left. Otherwise as `most`. */
  readonly least: bigint;
  /** Of an answer that the request does not bound; undefined where it does. */
  readonly open?: OpenAnswer | undefined;
}

/** An answer that may grow beyond what was reserved for it. */
export interface OpenAnswer {
  /** For how long an answer `most` is, in tokens. */
  readonly tokens: number;
  /** Nano-USD for a million tokens more. */
  readonly price: bigint;
}

/** Some tokens at one price. */
export interface Charge {
  /** A whole number from 0. */
  readonly tokens: number;
  /** Nano-USD for a million tokens, from 0. */
  readonly price: bigint;
}

/**
 * Reads a decimal such as `2.50` as billionths: USD as nano-USD, a factor of 1 as 1,000,000,000. The range is 0 to
 * 999,999.999999999; sign, exponent, spaces and a bare point are malformed.
 *
 * @throws RangeError naming the value.
 */
export function parseNano(decimal: string): bigint {
  if (!DECIMAL.test(decimal)) {
    throw new RangeError(`not a decimal from 0 to 999999.999999999: ${JSON.stringify(decimal)}`);
  }
  const [whole = '', fraction = ''] = decimal.split('.');
  return BigInt(whole) * NANO + BigInt(fraction.padEnd(9, '0'));
}

/** Writes billionths from 0 as the shortest decimal: 2,500,000,000 is `2.5`. */
export function formatNano(nano: bigint): string {
  const fraction = (nano % NANO).toString().padStart(9, '0').replace(/0+$/, '');
  const whole = (nano / NANO).toString();
  return fraction === '' ? whole : `${whole}.${fraction}`;
}

/**
 * Adds up charges without loss and rounds the whole once, half up, to nano-USD. `factor` is in billionths and multiplies
 * the whole; 1,000,000,000 changes nothing.
 *
 * @throws RangeError where a count of tokens is no integer.
 */
export function sumNanoUsd(charges: readonly Charge[], factor: bigint = NANO): bigint {
  if (factor === NANO) {
    const small = sumOfSmall(charges);
    if (small !== undefined) return BigInt(small);
  }
  let sum = 0n;
  for (const { tokens, price } of charges) {
    sum += BigInt(tokens) * price;
  }
  return (sum * factor + HALF) / UNIT;
}

/** As {@link sumNanoUsd}, without a factor and without big integers, of which each step makes one; undefined where they are needed. */
function sumOfSmall(charges: readonly Charge[]): number | undefined {
  let sum = MILLION / 2;
  for (const { tokens, price } of charges) {
    const charge = tokens * Number(price);
    sum += charge;
    if (!Number.isInteger(tokens) || !(charge >= 0) || sum > Number.MAX_SAFE_INTEGER) return undefined;
  }
  return (sum - (sum % MILLION)) / MILLION;
}

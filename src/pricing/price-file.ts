import { parseNano } from '../core/money.ts';
import { countAt, fieldsAt, listAt, optional, placed, textAt, textsAt } from './checked-fields.ts';
import { dayOf } from './schedule.ts';
import type { Schedule } from './schedule.ts';

/** The price of one kind of token. */
export interface Price {
  /** Nano-USD for a million tokens. */
  readonly nano: bigint;
  /** Whether a source names it; false: another price stands in for it, and what it makes is an estimate. */
  readonly confirmed: boolean;
}

/** The prices of every kind of token. */
export interface Prices {
  readonly input: Price;
  readonly cachedInput: Price;
  readonly cacheWrite: Price;
  /** Cache writes with the long lifetime. */
  readonly cacheWriteLong: Price;
  readonly output: Price;
}

/** Prices as published: decimal USD per million tokens. Absent: not billed apart, or unknown. */
export interface PublishedPrices {
  readonly input: string;
  readonly cachedInput?: string | undefined;
  readonly cacheWrite?: string | undefined;
  readonly cacheWriteLong?: string | undefined;
  readonly output: string;
  /** Of these, what no official source confirms. */
  readonly unconfirmed?: readonly string[] | undefined;
}

/** What is known of the price of a model. */
export interface PriceEntry {
  readonly prices: Prices;
  readonly published: PublishedPrices;
  /** Other prices for the whole request where its input is above so many tokens; the largest last. */
  readonly tiers: readonly ContextTier[];
  /** Other prices in the busy hours of a schedule. */
  readonly peak?: { readonly schedule: Schedule; readonly prices: Prices } | undefined;
  /** Factor in billionths by the service tier that was served. */
  readonly serviceTiers: Factors;
  /** Factor in billionths by the region that the provider says it answered in; it goes on top of the service tier's. */
  readonly regions: Factors;
}

/** Factors on the whole, in billionths, by the provider's word. */
export type Factors = ReadonlyMap<string, bigint>;

/** Prices of the whole request where its input is above a number of tokens. */
export interface ContextTier {
  readonly aboveInputTokens: number;
  readonly prices: Prices;
  /** As in the entry; what is missing here has no published price with so much input. */
  readonly serviceTiers: Factors;
}

/** A model of the price file. `model` is `*` where every model of the provider costs the same. */
export interface PricedModel extends PriceEntry {
  readonly provider: string;
  readonly model: string;
  readonly aliases: readonly string[];
  /** Where the prices were read. */
  readonly source: string;
  /** When they were last checked there, such as `2026-11-22`. */
  readonly date: string;
}

/** The price file, checked. */
export interface PriceFile {
  readonly version: string;
  readonly models: readonly PricedModel[];
}

/**
 * Checks a price file and makes its prices exact integers.
 *
 * @throws RangeError naming the place where a field is missing, unknown or malformed; every model needs a source and a date.
 */
export function parsePriceFile(json: unknown): PriceFile {
  const file = fieldsAt(json, 'prices', ['version', 'schedules', 'models']);
  const schedules = new Map(
    Object.entries(optional(file.schedules, {}, (all) => fieldsAt(all, 'schedules'))).map(([name, value]) => [
      name,
      scheduleOf(value, name),
    ]),
  );
  const models = listAt(file.models, 'models').map((value, index) => modelOf(value, `models[${index}]`, schedules));
  return { version: textAt(file.version, 'version'), models };
}

/**
 * Makes published prices exact. A missing price of cached input or of writes is that of input, unconfirmed; a missing price
 * of long writes is that of writes, unconfirmed.
 *
 * @param at where they stand
 * @throws RangeError naming a malformed decimal and its place.
 */
export function exactPrices(published: PublishedPrices, at = 'prices'): Prices {
  const priceOf = (name: string, decimal: string | undefined, substitute: bigint): Price =>
    decimal === undefined
      ? { nano: substitute, confirmed: false }
      : { nano: nanoAt(decimal, `${at}.${name}`), confirmed: published.unconfirmed?.includes(name) !== true };
  const input = priceOf('input', published.input, 0n);
  const cacheWrite = priceOf('cache_write', published.cacheWrite, input.nano);
  return {
    input,
    cachedInput: priceOf('cached_input', published.cachedInput, input.nano),
    cacheWrite,
    cacheWriteLong: priceOf('cache_write_long', published.cacheWriteLong, cacheWrite.nano),
    output: priceOf('output', published.output, 0n),
  };
}

function modelOf(value: unknown, at: string, schedules: ReadonlyMap<string, Schedule>): PricedModel {
  const names = ['provider', 'model', 'aliases', 'source', 'date'];
  const fields = fieldsAt(value, at, [...names, 'prices', 'tiers', 'peak', 'service_tiers', 'regions']);
  const published = publishedOf(fields.prices, `${at}.prices`);
  const serviceTiers = factorsOf(fields.service_tiers, `${at}.service_tiers`);
  const tiers = optional(fields.tiers, [], (list) => listAt(list, `${at}.tiers`)).map((tier, index) => {
    const place = `${at}.tiers[${index}]`;
    const parts = fieldsAt(tier, place, ['above_input_tokens', 'prices', 'service_tiers']);
    return {
      aboveInputTokens: countAt(parts.above_input_tokens, `${place}.above_input_tokens`),
      prices: exactPrices(publishedOf(parts.prices, `${place}.prices`), `${place}.prices`),
      serviceTiers: optional(parts.service_tiers, serviceTiers, (map) => factorsOf(map, `${place}.service_tiers`)),
    };
  });
  if (fields.peak !== undefined && tiers.length > 0) {
    throw new RangeError(`${at}: tiers and peak together have no meaning yet`);
  }
  const date = textAt(fields.date, `${at}.date`);
  dayAt(date, `${at}.date`);
  return {
    provider: textAt(fields.provider, `${at}.provider`),
    model: textAt(fields.model, `${at}.model`),
    aliases: textsAt(fields.aliases, `${at}.aliases`),
    source: textAt(fields.source, `${at}.source`),
    date,
    prices: exactPrices(published, `${at}.prices`),
    published,
    tiers: tiers.toSorted((a, b) => a.aboveInputTokens - b.aboveInputTokens),
    peak: optional(fields.peak, undefined, (peak) => peakOf(peak, `${at}.peak`, schedules)),
    serviceTiers,
    regions: factorsOf(fields.regions, `${at}.regions`),
  };
}

function factorsOf(value: unknown, at: string): Factors {
  const factors = Object.entries(optional(value, {}, (map) => fieldsAt(map, at)));
  return new Map(factors.map(([name, factor]) => [name, nanoAt(factor, at)]));
}

function peakOf(value: unknown, at: string, schedules: ReadonlyMap<string, Schedule>): PriceEntry['peak'] {
  const fields = fieldsAt(value, at, ['schedule', 'prices']);
  const schedule = schedules.get(textAt(fields.schedule, `${at}.schedule`));
  if (schedule === undefined) {
    throw new RangeError(`${at}.schedule: no such schedule`);
  }
  return { schedule, prices: exactPrices(publishedOf(fields.prices, `${at}.prices`), `${at}.prices`) };
}

const PRICE_NAMES = ['input', 'cached_input', 'cache_write', 'cache_write_long', 'output'];

function publishedOf(value: unknown, at: string): PublishedPrices {
  const fields = fieldsAt(value, at, [...PRICE_NAMES, 'unconfirmed']);
  const decimalOf = (name: string) => optional(fields[name], undefined, (text) => textAt(text, `${at}.${name}`));
  const unconfirmed = textsAt(fields.unconfirmed, `${at}.unconfirmed`);
  if (unconfirmed.some((name) => fields[name] === undefined)) {
    throw new RangeError(`${at}.unconfirmed: names a price that is not there`);
  }
  return {
    input: textAt(fields.input, `${at}.input`),
    cachedInput: decimalOf('cached_input'),
    cacheWrite: decimalOf('cache_write'),
    cacheWriteLong: decimalOf('cache_write_long'),
    output: textAt(fields.output, `${at}.output`),
    unconfirmed,
  };
}

function scheduleOf(value: unknown, name: string): Schedule {
  const at = `schedules.${name}`;
  const names = ['source', 'date', 'weekdays', 'hours_utc', 'days_off', 'days_off_known_until'];
  const fields = fieldsAt(value, at, names);
  textAt(fields.source, `${at}.source`);
  dayAt(fields.date, `${at}.date`);
  return {
    weekdays: new Set(listAt(fields.weekdays, `${at}.weekdays`).map((day) => countAt(day, `${at}.weekdays`, 1, 7))),
    hoursUtc: listAt(fields.hours_utc, `${at}.hours_utc`).map((pair) => {
      const [from, until] = listAt(pair, `${at}.hours_utc`);
      const start = countAt(from, `${at}.hours_utc`, 0, 23);
      return [start, countAt(until, `${at}.hours_utc`, start + 1, 24)];
    }),
    daysOff: new Set(textsAt(fields.days_off, `${at}.days_off`).map((day) => dayAt(day, `${at}.days_off`))),
    daysOffKnownUntil: dayAt(fields.days_off_known_until, `${at}.days_off_known_until`),
  };
}

function dayAt(value: unknown, at: string): number {
  const text = textAt(value, at);
  return placed(at, () => dayOf(text));
}

function nanoAt(value: unknown, at: string): bigint {
  const text = textAt(value, at);
  return placed(at, () => parseNano(text));
}

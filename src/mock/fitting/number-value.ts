import type { Json } from '../shared/fields.ts';
import { below } from '../shared/seeded.ts';
import type { Chance } from '../shared/seeded.ts';

type Range = readonly [least: number, most: number];

/** What numbers of such names are like. */
const RANGES: readonly (readonly [RegExp, Range])[] = [
  [/year/i, [1990, 2026]],
  [/month/i, [1, 12]],
  [/day/i, [1, 28]],
  [/hour/i, [0, 23]],
  [/minute|second/i, [0, 59]],
  [/age$/i, [18, 80]],
  [/lat(itude)?$/i, [-60, 60]],
  [/lon(gitude)?$|lng$/i, [-170, 170]],
  [/temperature|celsius/i, [-5, 30]],
  [/score|confidence|probability|ratio/i, [0, 1]],
  [/percent/i, [0, 100]],
  [/rating|stars/i, [1, 5]],
  [/population/i, [10_000, 5_000_000]],
];

const USUAL: Range = [1, 100];

/** How far from its only bound a number is at most. */
const SPAN = 100;

/** How many multiples are tried for one that is a multiple in binary fractions too. */
const TRIES = 100;

/** Reads a bound; undefined where there is none. */
export function boundOf(value: unknown): number | undefined {
  return typeof value === 'number' && Number.isFinite(value) ? value : undefined;
}

/** Makes a number within the bounds of a schema, of two decimals or a whole one. Undefined where there is none. */
export function numberValue(schema: Json, name: string, isWhole: boolean, chance: Chance): number | undefined {
  const step = boundOf(schema['multipleOf']);
  if (step !== undefined && step > 0) {
    const unit = isWhole && !Number.isInteger(step) ? wholeStep(step) : step;
    return unit === undefined ? undefined : steppedValue(schema, name, unit, chance);
  }
  if (isWhole) return steppedValue(schema, name, 1, chance);
  const [least, most] = rangeOf(schema, name);
  const excluded = excludedOf(schema);
  const isTaken = (value: number): boolean => value >= least && value <= most && !excluded.has(value);
  const drawn = least + (most - least) * chance();
  return [Math.round(drawn * 100) / 100, drawn, (least + most) / 2, least, most].find(isTaken);
}

function steppedValue(schema: Json, name: string, step: number, chance: Chance): number | undefined {
  const [least, most] = rangeOf(schema, name);
  const excluded = excludedOf(schema);
  const isTaken = (value: number): boolean =>
    value >= least && value <= most && !excluded.has(value) && Number.isInteger(value / step);
  const first = Math.ceil(least / step - 1e-9);
  const count = Math.floor(most / step + 1e-9) - first + 1;
  if (count < 1) return undefined;
  const start = below(chance, count);
  for (let tries = 0; tries < Math.min(count, TRIES); tries += 1) {
    const value = Number(((first + ((start + tries) % count)) * step).toPrecision(15));
    if (isTaken(value)) return value + 0;
  }
  return undefined;
}

function excludedOf(schema: Json): ReadonlySet<number | undefined> {
  return new Set([boundOf(schema['exclusiveMinimum']), boundOf(schema['exclusiveMaximum'])]);
}

/** The whole multiple of a fraction of up to six places. */
function wholeStep(step: number): number | undefined {
  for (let times = 1; times <= 1_000_000; times *= 10) {
    const multiple = Number((step * times).toPrecision(12));
    if (Number.isInteger(multiple)) return multiple;
  }
  return undefined;
}

/** The bounds, narrowed to what is likely for the name where that is within them. */
function rangeOf(schema: Json, name: string): Range {
  const least = largest(schema['minimum'], schema['exclusiveMinimum']);
  const most = smallest(schema['maximum'], schema['exclusiveMaximum']);
  const likely = RANGES.find(([pattern]) => pattern.test(name))?.[1] ?? USUAL;
  const narrowed: Range = [Math.max(least, likely[0]), Math.min(most, likely[1])];
  if (narrowed[1] - narrowed[0] >= stepOf(schema)) return narrowed;
  const span = Math.max(SPAN, 2 * stepOf(schema));
  if (least === -Infinity) return [most === Infinity ? likely[0] : most - span, most === Infinity ? likely[1] : most];
  return [least, Math.min(most, least + span)];
}

function stepOf(schema: Json): number {
  return Math.max(boundOf(schema['multipleOf']) ?? 0, 0.01);
}

function largest(...values: readonly unknown[]): number {
  return Math.max(...values.map((value) => boundOf(value) ?? -Infinity));
}

function smallest(...values: readonly unknown[]): number {
  return Math.min(...values.map((value) => boundOf(value) ?? Infinity));
}

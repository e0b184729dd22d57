import { type MetricFamilies, labelText, type MetricFamily } from './metric-families.ts';

/**
 * prom-client looks labels up at each step. What every call counts is therefore counted in series that are opened once for a
 * set of labels, and written when somebody asks.
 */

/** Adds an amount to one series of a counter, or observes a value in one of a histogram. */
export type Tally = (amount: number) => void;

type Labels<Label extends string> = Readonly<Partial<Record<Label, string>>>;

/** What metrics of one name are called, and by which labels they differ. */
export interface FamilyNames<Label extends string> {
  readonly name: string;
  readonly help: string;
  readonly labelNames: readonly Label[];
}

/** A counter whose series can be opened. */
export interface TalliedCounter<Label extends string> {
  /** Opens a series, or returns that of the same labels; it shows from then on. */
  open(labels: Labels<Label>): Tally;
}

/** Makes a counter whose series can be opened. Sums of whole numbers stay exact. */
export function createTalliedCounter<Label extends string>(
  families: MetricFamilies,
  { name, help, labelNames }: FamilyNames<Label>,
): TalliedCounter<Label> {
  const opened = new Map<string, { readonly tally: Tally; readonly text: () => string }>();
  families.add({ name, help, type: 'counter', series: () => opened.values().map(({ text }) => text()) });
  return {
    open: (labels) => {
      const shown = labelText(labelNames, labels);
      const known = opened.get(shown);
      if (known !== undefined) return known.tally;
      let count = 0;
      const tally: Tally = (amount) => {
        count += amount;
      };
      opened.set(shown, { tally, text: () => `${name}{${shown}} ${count}\n` });
      return tally;
    },
  };
}

/** Makes a histogram whose series can be opened, once for each set of labels; each shows from its first value on. `buckets` are upper bounds, ascending. */
export function createTalliedHistogram<Label extends string>(
  families: MetricFamilies,
  { name, help, labelNames, buckets }: FamilyNames<Label> & { readonly buckets: readonly number[] },
): { open(labels: Labels<Label>): Tally } {
  const opened: (() => string)[] = [];
  const heads = [...buckets.map(String), '+Inf'].map((bound) => `${name}_bucket{le="${bound}",`);
  families.add({ name, help, type: 'histogram', series: () => opened.values().map((text) => text()) });
  return {
    open: (labels) => {
      const counts = Array.from({ length: buckets.length + 1 }, () => 0);
      const shown = labelText(labelNames, labels);
      let sum = 0;
      opened.push(() => written(name, heads, shown, counts, sum));
      return (value) => {
        let bucket = 0;
        while (bucket < buckets.length && value > (buckets[bucket] ?? Infinity)) bucket++;
        counts[bucket] = (counts[bucket] ?? 0) + 1;
        sum += value;
      };
    },
  };
}

/** Makes gauges that are read when somebody asks: `read` tells a value for each set of labels. */
export function addReadGauge<Label extends string>(
  families: MetricFamilies,
  { name, help, labelNames }: FamilyNames<Label>,
  read: () => Iterable<readonly [labels: Labels<Label>, value: number]>,
): void {
  const series: MetricFamily['series'] = function* () {
    for (const [labels, value] of read()) yield `${name}{${labelText(labelNames, labels)}} ${value}\n`;
  };
  families.add({ name, help, type: 'gauge', series });
}

/** Writes a series as Prometheus wants it: each bucket with all that lies below it. Without a value there is nothing to write. */
function written(name: string, heads: readonly string[], labels: string, counts: readonly number[], sum: number) {
  let count = 0;
  let text = '';
  for (const [index, head] of heads.entries()) {
    count += counts[index] ?? 0;
    text += `${head}${labels}} ${count}\n`;
  }
  return count === 0 ? '' : `${text}${name}_sum{${labels}} ${sum}\n${name}_count{${labels}} ${count}\n`;
}

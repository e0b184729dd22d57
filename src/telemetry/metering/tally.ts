import { Counter, type CounterConfiguration, Histogram, type HistogramConfiguration } from 'prom-client';

import { noteExemplar } from '../report/exemplars.ts';
import type { Exemplar } from '../report/read-metric.ts';

/**
 * prom-client looks labels up at each step. What every call counts is therefore counted in series that are opened once for a
 * set of labels, and handed over when somebody asks.
 */

/** The span that a value is of, in a trace that is sampled. */
export type ExemplarSpan = Omit<Exemplar, 'value'>;

/** Adds an amount to one series of a counter, or observes a value in one of a histogram, where a span may go with it. */
export type Tally = (amount: number, span?: ExemplarSpan) => void;

type Labels<Label extends string> = Readonly<Partial<Record<Label, string>>>;

/** A counter, and series of it that are counted up apart. */
export interface TalliedCounter<Label extends string> {
  readonly counter: Counter<Label>;
  /** Opens a series; it shows from then on. To be called once for each set of labels. */
  open(labels: Labels<Label>): Tally;
}

/** Makes a counter whose series can be opened. Sums of whole numbers stay exact. */
export function createTalliedCounter<Label extends string>(
  config: Omit<CounterConfiguration<Label>, 'collect'>,
): TalliedCounter<Label> {
  const series: { readonly labels: Partial<Record<Label, string>>; waiting: number }[] = [];
  const counter = new Counter({
    ...config,
    collect: () => {
      for (const one of series) {
        counter.inc(one.labels, one.waiting);
        one.waiting = 0;
      }
    },
  });
  return {
    counter,
    open: (labels) => {
      const one = { labels: { ...labels }, waiting: 0 };
      series.push(one);
      return (amount) => {
        one.waiting += amount;
      };
    },
  };
}

/** One series of a histogram. */
interface Series<Label extends string> {
  readonly labels: Labels<Label>;
  /** How many values lie in each bucket and not in a lower one; the last is that of +Inf. */
  readonly counts: number[];
  /** The last value in each bucket that is of a trace; undefined until there is one. */
  exemplars: Exemplar[] | undefined;
  sum: number;
}

/** Makes a histogram whose series can be opened; each shows from its first value on. `buckets` are upper bounds, ascending. */
export function createTalliedHistogram<Label extends string>(
  config: Pick<HistogramConfiguration<Label>, 'name' | 'help' | 'labelNames' | 'registers'> & {
    readonly buckets: readonly number[];
  },
): { open(labels: Labels<Label>): Tally } {
  const { name, help, buckets } = config;
  const opened: Series<Label>[] = [];
  const get = async () => ({
    name,
    help,
    type: 'histogram',
    aggregator: 'sum',
    values: opened.flatMap((series) => shown(name, buckets, series)),
  });
  // prom-client cannot be handed values that were counted elsewhere; but what it asks a metric for can be answered.
  Object.assign(new Histogram<Label>({ ...config, buckets: [...buckets] }), { get, getForPromString: get });
  return {
    open: (labels) => {
      const counts = Array.from({ length: buckets.length + 1 }, () => 0);
      const series: Series<Label> = { labels: { ...labels }, counts, exemplars: undefined, sum: 0 };
      opened.push(series);
      return (value, span) => {
        let bucket = 0;
        while (bucket < buckets.length && value > (buckets[bucket] ?? Infinity)) bucket++;
        series.counts[bucket] = (series.counts[bucket] ?? 0) + 1;
        series.sum += value;
        if (span !== undefined) (series.exemplars ??= [])[bucket] = { ...span, value };
      };
    },
  };
}

/** Writes a series as Prometheus wants it: each bucket with all that lies below it. */
function shown<Label extends string>(
  name: string,
  buckets: readonly number[],
  { labels, counts, exemplars, sum }: Series<Label>,
) {
  let count = 0;
  const values: { metricName: string; labels: Readonly<Record<string, string | undefined>>; value: number }[] = [];
  for (const [index, own] of counts.entries()) {
    count += own;
    const le = index < buckets.length ? String(buckets[index]) : '+Inf';
    const value = { metricName: `${name}_bucket`, labels: { le, ...labels }, value: count };
    const exemplar = exemplars?.[index];
    if (exemplar !== undefined) noteExemplar(value, exemplar);
    values.push(value);
  }
  if (count === 0) return [];
  return [
    ...values,
    { metricName: `${name}_sum`, labels, value: sum },
    { metricName: `${name}_count`, labels, value: count },
  ];
}

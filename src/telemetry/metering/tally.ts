import { Counter, type CounterConfiguration, Gauge, Histogram } from 'prom-client';

import { exemplarText } from '../exposition/open-metrics.ts';
import { labelText, writesItself } from '../exposition/written-metrics.ts';
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

/** What metrics of one name are called, by which labels they differ, and who shows them. */
type Names<Label extends string> = Pick<CounterConfiguration<Label>, 'name' | 'help' | 'registers'> & {
  readonly labelNames: readonly Label[];
};

/** A counter, and series of it that are counted up apart. */
export interface TalliedCounter<Label extends string> {
  /** Opens a series, or returns that of the same labels; it shows from then on. */
  open(labels: Labels<Label>): Tally;
}

/** Makes a counter whose series can be opened. Sums of whole numbers stay exact. */
export function createTalliedCounter<Label extends string>(config: Names<Label>): TalliedCounter<Label> {
  const { name, labelNames } = config;
  const opened = new Map<string, CountedSeries<Label>>();
  const counter = new Counter({
    ...config,
    collect: () => {
      for (const one of opened.values()) {
        counter.inc(one.labels, one.count - one.handedOver);
        one.handedOver = one.count;
      }
    },
  });
  writesItself(counter, 'counter', () => opened.entries().map(([shown, { count }]) => `${name}{${shown}} ${count}\n`));
  return {
    open: (labels) => {
      const shown = labelText(labelNames, labels);
      const one = opened.get(shown) ?? { labels: { ...labels }, count: 0, handedOver: 0 };
      opened.set(shown, one);
      return (amount) => {
        one.count += amount;
      };
    },
  };
}

/** One series of a counter. */
interface CountedSeries<Label extends string> {
  readonly labels: Partial<Record<Label, string>>;
  count: number;
  /** What of it prom-client has. */
  handedOver: number;
}

/** Makes a gauge that is read when somebody asks: `read` tells a value for each set of labels. */
export function readGauge<Label extends string>(
  config: Names<Label>,
  read: () => Iterable<readonly [labels: Labels<Label>, value: number]>,
): void {
  const { name, labelNames } = config;
  const gauge: Gauge<Label> = new Gauge({
    ...config,
    collect: () => {
      gauge.reset();
      for (const [labels, value] of read()) gauge.set({ ...labels }, value);
    },
  });
  writesItself(gauge, 'gauge', function* () {
    for (const [labels, value] of read()) yield `${name}{${labelText(labelNames, labels)}} ${value}\n`;
  });
}

/** One series of a histogram. */
interface Series<Label extends string> {
  readonly labels: Labels<Label>;
  /** The same as they are written. */
  readonly shownLabels: string;
  /** How many values lie in each bucket and not in a lower one; the last is that of +Inf. */
  readonly counts: number[];
  /** The last value in each bucket that is of a trace; undefined until there is one. */
  exemplars: Exemplar[] | undefined;
  sum: number;
}

/** Makes a histogram whose series can be opened; each shows from its first value on. `buckets` are upper bounds, ascending. */
export function createTalliedHistogram<Label extends string>(
  config: Names<Label> & { readonly buckets: readonly number[] },
): { open(labels: Labels<Label>): Tally } {
  const { name, help, labelNames, buckets } = config;
  const opened: Series<Label>[] = [];
  const heads = [...buckets.map(String), '+Inf'].map((bound) => `${name}_bucket{le="${bound}",`);
  const get = async () => ({
    name,
    help,
    type: 'histogram',
    aggregator: 'sum',
    values: opened.flatMap((series) => shown(name, buckets, series)),
  });
  // prom-client cannot be handed values that were counted elsewhere; but what it asks a metric for can be answered.
  const histogram = new Histogram<Label>({ ...config, buckets: [...buckets] });
  writesItself(Object.assign(histogram, { get, getForPromString: get }), 'histogram', (isOpenMetrics) =>
    opened.values().map((series) => written(name, heads, series, isOpenMetrics)),
  );
  return {
    open: (labels) => {
      const counts = Array.from({ length: buckets.length + 1 }, () => 0);
      const shownLabels = labelText(labelNames, labels);
      const series: Series<Label> = { labels: { ...labels }, shownLabels, counts, exemplars: undefined, sum: 0 };
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

/** Tells a series as Prometheus wants it: each bucket with all that lies below it. */
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

/** Writes the same as text, at a tenth of what prom-client takes for it. */
function written<Label extends string>(
  name: string,
  heads: readonly string[],
  { shownLabels, counts, exemplars, sum }: Series<Label>,
  withExemplars: boolean,
): string {
  let count = 0;
  let text = '';
  for (const [index, head] of heads.entries()) {
    count += counts[index] ?? 0;
    const exemplar = withExemplars ? exemplars?.[index] : undefined;
    text += `${head}${shownLabels}} ${count}${exemplar === undefined ? '' : ` # ${exemplarText(exemplar)}`}\n`;
  }
  if (count === 0) return '';
  return `${text}${name}_sum{${shownLabels}} ${sum}\n${name}_count{${shownLabels}} ${count}\n`;
}

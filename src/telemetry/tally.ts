import { Counter, type CounterConfiguration } from 'prom-client';

/** Adds an amount to one series. */
export type Tally = (amount: number) => void;

/** A counter, and series of it that are counted up apart. */
export interface TalliedCounter<Label extends string> {
  readonly counter: Counter<Label>;
  /** Opens a series; it shows from then on. To be called once for each set of labels. */
  open(labels: Readonly<Partial<Record<Label, string>>>): Tally;
}

/**
 * Makes a counter for what every call counts: prom-client looks labels up at each step, a tally hands its sum over when
 * somebody asks. Sums of whole numbers stay exact.
 */
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

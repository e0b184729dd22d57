import { Registry } from 'prom-client';

/** So many lines, about, are written in one go, which takes less than half a millisecond. */
const LINES_AT_ONCE = 2_000;
/** Those of one series: a bucket each, their sum and their count, about. */
const LINES_OF_HISTOGRAM = 20;

/**
 * All metrics of one instance: those of prom-client, of which there are few, and families, which have a series for each target or
 * caller.
 */
export class MetricFamilies {
  readonly registry = new Registry();
  readonly #families: MetricFamily[] = [];

  /** Adds a family, which is shown behind those before it. */
  add(family: MetricFamily): void {
    this.#families.push(family);
  }

  /**
   * Writes all metrics in Prometheus' text format 0.0.4.
   *
   * @param pause awaited every few thousand lines, so that no scrape keeps calls waiting
   */
  async write(pause: () => Promise<void>): Promise<string> {
    const slices = [await this.registry.metrics()];
    let slice: string[] = [];
    let lines = 0;
    for (const { name, help, type, series } of this.#families) {
      slice.push(`\n# HELP ${name} ${help}\n# TYPE ${name} ${type}\n`);
      for (const text of series()) {
        slice.push(text);
        lines += type === 'histogram' ? LINES_OF_HISTOGRAM : 1;
        if (lines < LINES_AT_ONCE) continue;
        slices.push(slice.join(''));
        slice = [];
        lines = 0;
        await pause();
      }
    }
    return [...slices, ...slice].join('');
  }
}

/** Metrics of one name that write themselves: prom-client takes 1.5 µs a line, all at once. */
export interface MetricFamily {
  readonly name: string;
  readonly help: string;
  readonly type: 'counter' | 'gauge' | 'histogram';
  /** Returns the lines of each series, each with its line feed. */
  readonly series: () => Iterable<string>;
}

const MUST_ESCAPE = /[\\"\n]/;

/** Writes labels as they stand between braces; those without a value are left out. */
export function labelText<Label extends string>(
  names: readonly Label[],
  labels: Readonly<Partial<Record<Label, string>>>,
): string {
  const pairs: string[] = [];
  for (const name of names) {
    const value = labels[name];
    if (value !== undefined) pairs.push(`${name}="${MUST_ESCAPE.test(value) ? escaped(value) : value}"`);
  }
  return pairs.join(',');
}

function escaped(value: string): string {
  return value.replaceAll('\\', '\\\\').replaceAll('\n', '\\n').replaceAll('"', '\\"');
}

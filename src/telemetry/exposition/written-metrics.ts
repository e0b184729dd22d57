import type { Registry } from 'prom-client';

import { OPEN_METRICS_END, openMetricHead, openMetricText } from './open-metrics.ts';
import { readMetric } from './read-registry.ts';

/** Returns the lines of a metric's series, each with its line feed; OpenMetrics has exemplars. */
type SeriesText = (isOpenMetrics: boolean) => Iterable<string>;

/** So many lines, about, are written in one go, which takes less than half a millisecond. */
const LINES_AT_ONCE = 2_000;
/** Those of one series of a histogram: a bucket each, their sum and their count, about. */
const LINES_OF_HISTOGRAM = 20;

/**
 * Writes all metrics of a registry in Prometheus' text format 0.0.4, or in OpenMetrics 1.0.
 *
 * @param pause awaited every few thousand lines, so that no scrape keeps calls waiting
 */
export async function writeMetrics(
  registry: Registry,
  isOpenMetrics: boolean,
  pause: () => Promise<void>,
): Promise<string> {
  const slices: string[] = [];
  let slice: string[] = [];
  let lines = 0;
  for (const { name, help } of registry.getMetricsAsArray()) {
    const metric = registry.getSingleMetric(name);
    const own = metric && OWN_TEXT.get(metric);
    if (!isOpenMetrics && (slices.length > 0 || slice.length > 0)) slice.push('\n');
    if (own === undefined) {
      if (!isOpenMetrics) slice.push(await registry.getSingleMetricAsString(name), '\n');
      else if (metric !== undefined) slice.push(...readMetric(await metric.get()).map(openMetricText));
      continue;
    }
    const { type } = own;
    slice.push(
      isOpenMetrics ? openMetricHead({ name, help, type }) : `# HELP ${name} ${help}\n# TYPE ${name} ${type}\n`,
    );
    for (const text of own.series(isOpenMetrics)) {
      slice.push(text);
      lines += type === 'histogram' ? LINES_OF_HISTOGRAM : 1;
      if (lines < LINES_AT_ONCE) continue;
      slices.push(slice.join(''));
      slice = [];
      lines = 0;
      await pause();
    }
  }
  return [...slices, ...slice, isOpenMetrics ? OPEN_METRICS_END : ''].join('');
}

/** What many series are of. */
type SeriesType = 'counter' | 'gauge' | 'histogram';

/** How metrics write themselves that have many series: prom-client takes 1.5 µs a line, all in one go. */
const OWN_TEXT = new WeakMap<object, { readonly type: SeriesType; readonly series: SeriesText }>();

/** Lets a metric of a registry write its series itself. */
export function writesItself(metric: object, type: SeriesType, series: SeriesText): void {
  OWN_TEXT.set(metric, { type, series });
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

import type { MetricObjectWithValues, MetricValue, Registry } from 'prom-client';

import { exemplarOf } from '../report/exemplars.ts';
import type { ReadMetric } from '../report/read-metric.ts';

/** Reads all metrics of a registry. Those of types that we have none of are left out. */
export async function readRegistry(registry: Registry): Promise<readonly ReadMetric[]> {
  const metrics = await registry.getMetricsAsJSON();
  return metrics.flatMap((metric) => readMetric(metric));
}

/** Reads one of them; an empty list where it is of such a type. */
export function readMetric({ name, help, type, values }: MetricObjectWithValues<MetricValue<string>>): ReadMetric[] {
  const kind = String(type);
  if (kind !== 'counter' && kind !== 'gauge' && kind !== 'histogram') return [];
  return [{ name, help, type: kind, values: values.map(readValue) }];
}

function readValue(value: { value: number; labels: object; metricName?: string }): ReadMetric['values'][number] {
  const labels = Object.fromEntries(Object.entries(value.labels).map(([name, text]) => [name, String(text)]));
  return { value: value.value, labels, metricName: value.metricName, exemplar: exemplarOf(value) };
}

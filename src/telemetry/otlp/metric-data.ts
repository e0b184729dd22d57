import { type Attributes, type HrTime, ValueType } from '@opentelemetry/api';
import { AggregationTemporality, DataPointType, type MetricData } from '@opentelemetry/sdk-metrics';

import type { ReadMetric, ReadValue } from '../report/read-metric.ts';
import { conventionName, conventionUnit } from './convention-names.ts';

/** Between when and when metrics were counted. */
export interface MetricSpan {
  readonly startTime: HrTime;
  readonly endTime: HrTime;
}

/**
 * Makes of the figures that Prometheus reads what OTLP sends: the same names but for those that OpenTelemetry's and gRPC's conventions
 * have with points, always cumulative.
 */
export function metricData(metrics: readonly ReadMetric[], span: MetricSpan): MetricData[] {
  return metrics.filter(({ values }) => values.length > 0).map((metric) => dataOf(metric, span));
}

function dataOf({ name, help, type, values }: ReadMetric, span: MetricSpan): MetricData {
  const shared = {
    descriptor: {
      name: conventionName(name),
      description: help,
      unit: conventionUnit(name),
      valueType: ValueType.DOUBLE,
    },
    aggregationTemporality: AggregationTemporality.CUMULATIVE,
  };
  if (type === 'histogram') {
    return { ...shared, dataPointType: DataPointType.HISTOGRAM, dataPoints: histogramPoints(name, values, span) };
  }
  const dataPoints = values.map(({ labels, value }) => ({ ...span, attributes: attributesOf(name, labels), value }));
  return type === 'counter'
    ? { ...shared, dataPointType: DataPointType.SUM, isMonotonic: true, dataPoints }
    : { ...shared, dataPointType: DataPointType.GAUGE, dataPoints };
}

/** Prometheus counts in each bucket all that lies below it; OTLP does not. */
function histogramPoints(name: string, values: readonly ReadValue[], { startTime, endTime }: MetricSpan) {
  const series = Map.groupBy(values, ({ labels: { le: _le, ...own } }) => JSON.stringify(own));
  return [...series.values()].map((parts) => {
    const { le: _le, ...own } = parts[0]?.labels ?? {};
    const buckets = parts.filter(({ labels }) => labels['le'] !== undefined);
    const boundaries = buckets.map(({ labels }) => Number(labels['le'])).filter((bound) => Number.isFinite(bound));
    const counts = buckets.map(({ value }, index) => value - (buckets[index - 1]?.value ?? 0));
    const named = (suffix: string): number => parts.find(({ metricName }) => metricName === name + suffix)?.value ?? 0;
    const value = { buckets: { boundaries, counts }, sum: named('_sum'), count: named('_count') };
    return { startTime, endTime, attributes: attributesOf(name, own), value };
  });
}

function attributesOf(metric: string, labels: ReadValue['labels']): Attributes {
  const hasConvention = conventionName(metric) !== metric;
  const attributes: Attributes = {};
  for (const [name, value] of Object.entries(labels)) {
    if (value !== undefined) attributes[hasConvention ? conventionName(name) : name] = value;
  }
  return attributes;
}

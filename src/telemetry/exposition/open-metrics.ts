import type { Exemplar, ReadMetric, ReadValue } from '../report/read-metric.ts';

/** The media type of {@link openMetricsText}. */
export const OPEN_METRICS_TYPE = 'application/openmetrics-text; version=1.0.0; charset=utf-8';

/**
 * Writes metrics in OpenMetrics 1.0, which has exemplars. prom-client would rename the counters of its registry for it, for the text
 * format too.
 */
export function openMetricsText(metrics: readonly ReadMetric[]): string {
  return `${metrics.map(openMetricText).join('')}${OPEN_METRICS_END}`;
}

/** What stands behind all metrics. */
export const OPEN_METRICS_END = '# EOF\n';

/** Writes one of them. */
export function openMetricText({ name, help, type, values }: ReadMetric): string {
  const lines = values.map((value) =>
    sample(type === 'counter' ? `${familyName(name, type)}_total` : (value.metricName ?? name), value),
  );
  return [openMetricHead({ name, help, type }), ...lines.map((line) => `${line}\n`)].join('');
}

/** Writes what stands before the series of one. */
export function openMetricHead({ name, help, type }: Pick<ReadMetric, 'name' | 'help' | 'type'>): string {
  const family = familyName(name, type);
  return `# TYPE ${family} ${type}\n# HELP ${family} ${escaped(help)}\n`;
}

function familyName(name: string, type: ReadMetric['type']): string {
  return type === 'counter' ? name.replace(/_total$/, '') : name;
}

function sample(name: string, { labels, value, exemplar }: ReadValue): string {
  const line = `${name}${labelSet(labels)} ${numberText(value)}`;
  return exemplar === undefined ? line : `${line} # ${exemplarText(exemplar)}`;
}

/** Writes an exemplar as it stands behind ` # `. */
export function exemplarText({ traceId, spanId, value, atMs }: Exemplar): string {
  return `${labelSet({ trace_id: traceId, span_id: spanId })} ${numberText(value)} ${(atMs / 1_000).toFixed(3)}`;
}

function labelSet(labels: ReadValue['labels']): string {
  const texts = Object.entries(labels).map(([name, value]) => `${name}="${escaped(value ?? '')}"`);
  return texts.length === 0 ? '' : `{${texts.join(',')}}`;
}

function escaped(text: string): string {
  return text.replaceAll('\\', '\\\\').replaceAll('\n', '\\n').replaceAll('"', '\\"');
}

function numberText(value: number): string {
  if (Number.isFinite(value)) return String(value);
  if (Number.isNaN(value)) return 'NaN';
  return value > 0 ? '+Inf' : '-Inf';
}

import type { Exemplar, ReadMetric, ReadValue } from '../report/read-metric.ts';

/** The media type of {@link openMetricsText}. */
export const OPEN_METRICS_TYPE = 'application/openmetrics-text; version=1.0.0; charset=utf-8';

/**
 * Writes metrics in OpenMetrics 1.0, which has exemplars. prom-client would rename the counters of its registry for it, for the text
 * format too.
 */
export function openMetricsText(metrics: readonly ReadMetric[]): string {
  const lines: string[] = [];
  for (const { name, help, type, values } of metrics) {
    const family = type === 'counter' ? name.replace(/_total$/, '') : name;
    lines.push(`# TYPE ${family} ${type}`, `# HELP ${family} ${escaped(help)}`);
    for (const value of values)
      lines.push(sample(type === 'counter' ? `${family}_total` : (value.metricName ?? name), value));
  }
  return `${lines.join('\n')}\n# EOF\n`;
}

function sample(name: string, { labels, value, exemplar }: ReadValue): string {
  const line = `${name}${labelSet(labels)} ${numberText(value)}`;
  return exemplar === undefined ? line : `${line} # ${exemplarText(exemplar)}`;
}

function exemplarText({ traceId, spanId, value, atMs }: Exemplar): string {
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

/** One value of a metric. */
export interface ReadValue {
  readonly value: number;
  readonly labels: Readonly<Record<string, string | undefined>>;
  /** The name of the sample where it is not that of the metric: `…_bucket`, `…_sum`, `…_count`. */
  readonly metricName?: string | undefined;
  /** A trace that the value is of. */
  readonly exemplar?: Exemplar | undefined;
}

/** A trace that a value of a histogram is of (OpenMetrics 1.0, "Exemplars"). */
export interface Exemplar {
  readonly traceId: string;
  readonly spanId: string;
  readonly value: number;
  /** When it was, in milliseconds since the epoch. */
  readonly atMs: number;
}

/** One metric with all its values, as a registry is read. */
export interface ReadMetric {
  readonly name: string;
  readonly help: string;
  readonly type: 'counter' | 'gauge' | 'histogram';
  readonly values: readonly ReadValue[];
}

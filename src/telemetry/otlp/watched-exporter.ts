import { type ExportResult, ExportResultCode } from '@opentelemetry/core';
import type { PushMetricExporter, ResourceMetrics } from '@opentelemetry/sdk-metrics';
import type { ReadableSpan, SpanExporter } from '@opentelemetry/sdk-trace';

/** Hears what becomes of an export: nothing where it went well, else how it failed, in a word. */
export type ExportEnded = (problem: string | undefined) => void;

/** What an error may be called in a log: a code of the system or of HTTP and gRPC. Its words may hold what a server has answered. */
const CODE = /^[A-Z0-9_]{1,40}$/;

/**
 * Watches an exporter of spans.
 *
 * @param taken told how many spans an export has, when it begins
 * @param ended told of its end, with the same number
 */
export function watchSpanExporter(
  exporter: SpanExporter,
  taken: (spans: number) => void,
  ended: (spans: number, problem: string | undefined) => void,
): SpanExporter {
  return {
    export: (spans: ReadableSpan[], done) => {
      taken(spans.length);
      exporter.export(spans, (result) => {
        ended(spans.length, problemOf(result));
        done(result);
      });
    },
    shutdown: () => exporter.shutdown(),
    forceFlush: async () => {
      await exporter.forceFlush?.();
    },
  };
}

/** Watches an exporter of metrics. */
export function watchMetricExporter(exporter: PushMetricExporter, ended: ExportEnded): PushMetricExporter {
  return {
    export: (metrics: ResourceMetrics, done) => {
      exporter.export(metrics, (result) => {
        ended(problemOf(result));
        done(result);
      });
    },
    shutdown: () => exporter.shutdown(),
    forceFlush: () => exporter.forceFlush(),
  };
}

function problemOf({ code, error }: ExportResult): string | undefined {
  if (code === ExportResultCode.SUCCESS) return undefined;
  const reason: unknown = error === undefined ? undefined : (Reflect.get(error, 'code') ?? Reflect.get(error, 'cause'));
  const word = typeof reason === 'object' && reason !== null ? String(Reflect.get(reason, 'code')) : String(reason);
  return CODE.test(word) ? word : 'UNKNOWN';
}

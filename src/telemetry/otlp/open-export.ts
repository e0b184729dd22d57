import { OTLPMetricExporter as GrpcMetricExporter } from '@opentelemetry/exporter-metrics-otlp-grpc';
import { OTLPMetricExporter } from '@opentelemetry/exporter-metrics-otlp-proto';
import { OTLPTraceExporter as GrpcTraceExporter } from '@opentelemetry/exporter-trace-otlp-grpc';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-proto';
import {
  defaultResource,
  detectResources,
  type Resource,
  resourceAttributesEnvDetector,
  resourceFromAttributes,
  serviceInstanceIdDetector,
  serviceNameEnvDetector,
} from '@opentelemetry/resources';
import { MeterProvider, PeriodicExportingMetricReader } from '@opentelemetry/sdk-metrics';
import {
  AlwaysOffSampler,
  AlwaysOnSampler,
  BatchSpanProcessor,
  ParentBasedSampler,
  type Sampler,
  TraceIdRatioBasedSampler,
} from '@opentelemetry/sdk-trace';

import type { Runtime } from '../../core/ports.ts';
import type { ExportFigures, Signal } from '../report/export-figures.ts';
import type { ReadMetric } from '../report/read-metric.ts';
import { hrTimeOf } from '../report/hr-time.ts';
import { SpanQueue } from '../tracing/span-queue.ts';
import { Tracing } from '../tracing/tracing.ts';
import { metricData } from './metric-data.ts';
import type { MetricSettings, OtelSettings, SamplerSettings, TraceSettings } from './otel-environment.ts';
import { watchMetricExporter, watchSpanExporter } from './watched-exporter.ts';

const NAME = 'understudy';

/** What telemetry is exported with. */
export interface ExportParts {
  readonly runtime: Pick<Runtime, 'now' | 'wall' | 'random'>;
  /** Of this build. */
  readonly version: string;
  /** Reads all metrics. */
  readonly read: () => Promise<readonly ReadMetric[]>;
  /** Counted up here. */
  readonly figures: ExportFigures;
  /** Told of each export that failed, and of how in a word. */
  readonly failed: (signal: Signal, problem: string) => void;
}

/** What is exported while it is open. */
export interface OpenExport {
  /** Undefined where no traces are exported. */
  readonly tracing: Tracing | undefined;
  /** Sends what waits, and ends; resolves when it has left, or cannot. */
  close(): Promise<void>;
}

/**
 * Sets OpenTelemetry's SDK up. Where to and how it sends (endpoint, headers, timeout, certificates, compression), and the attributes of the
 * resource, its exporters and detectors read from the environment of the process themselves.
 */
export function openExport({ traces, metrics }: OtelSettings, parts: ExportParts): OpenExport {
  const resource = resourceOf(parts.version);
  const ofTraces = traces && exportTraces(traces, resource, parts);
  const ofMetrics = metrics && exportMetrics(metrics, resource, parts);
  return {
    tracing: ofTraces?.tracing,
    close: async () => {
      await Promise.allSettled([ofTraces?.close(), ofMetrics?.close()]);
    },
  };
}

/** Behind OTEL_SERVICE_NAME and OTEL_RESOURCE_ATTRIBUTES come our own. */
function resourceOf(version: string): Resource {
  const own = resourceFromAttributes({ 'service.name': NAME, 'service.version': version });
  const detectors = [serviceInstanceIdDetector, resourceAttributesEnvDetector, serviceNameEnvDetector];
  return detectors.reduce(
    (merged, detector) => merged.merge(detectResources({ detectors: [detector] })),
    defaultResource().merge(own),
  );
}

function exportTraces(settings: TraceSettings, resource: Resource, parts: ExportParts) {
  const { runtime, version, figures } = parts;
  const { protocol, sampler, propagates, ...batch } = settings;
  const exporter = watchSpanExporter(
    protocol === 'grpc' ? new GrpcTraceExporter() : new OTLPTraceExporter(),
    (spans) => queue.taken(spans),
    (spans, problem) => {
      if (problem !== undefined) figures.spansLost += spans;
      note('traces', problem, parts);
    },
  );
  const processor = new BatchSpanProcessor({ exporter, ...batch });
  const queue = new SpanQueue(processor, batch.maxQueueSize, (spans) => {
    figures.spansLost += spans;
  });
  const source = { resource, instrumentationScope: { name: NAME, version } };
  const tracing = new Tracing({ runtime, sampler: createSampler(sampler), propagates, source, queue });
  return { tracing, close: () => processor.shutdown() };
}

function exportMetrics(settings: MetricSettings, resource: Resource, parts: ExportParts) {
  const { runtime, version, read } = parts;
  const { protocol, ...periods } = settings;
  const startTime = hrTimeOf(runtime.wall());
  const scope = { name: NAME, version };
  const reader = new PeriodicExportingMetricReader({
    exporter: watchMetricExporter(
      protocol === 'grpc' ? new GrpcMetricExporter() : new OTLPMetricExporter(),
      (problem) => note('metrics', problem, parts),
    ),
    ...periods,
    metricProducers: [
      {
        collect: async () => {
          const data = metricData(await read(), { startTime, endTime: hrTimeOf(runtime.wall()) });
          return { resourceMetrics: { resource, scopeMetrics: [{ scope, metrics: data }] }, errors: [] };
        },
      },
    ],
  });
  // A reader reads nothing without one.
  const provider = new MeterProvider({ resource, readers: [reader] });
  return { close: () => provider.shutdown() };
}

function note(signal: Signal, problem: string | undefined, { figures, failed }: ExportParts): void {
  figures.exports[signal][problem === undefined ? 'ok' : 'failed'] += 1;
  if (problem !== undefined) failed(signal, problem);
}

function createSampler({ ratio, isParentBased }: SamplerSettings): Sampler {
  const root = rootSampler(ratio);
  return isParentBased ? new ParentBasedSampler({ root }) : root;
}

function rootSampler(ratio: number): Sampler {
  if (ratio === 0) return new AlwaysOffSampler();
  return ratio === 1 ? new AlwaysOnSampler() : new TraceIdRatioBasedSampler(ratio);
}

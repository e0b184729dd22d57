import { describe, expect, test } from 'vitest';

import { readOtelSettings } from '../../../src/telemetry/otlp/otel-environment.ts';
import { readFromRoot } from '../../support/doc-tables.ts';

const ENDPOINT = { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://collector:4318' };

describe('what is exported', () => {
  test.each([
    ['nothing', {}, 'neither'],
    ['an endpoint', ENDPOINT, 'both'],
    ['a blank endpoint', { OTEL_EXPORTER_OTLP_ENDPOINT: ' ' }, 'neither'],
    ['an endpoint of traces', { OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: 'http://collector:4318/v1/traces' }, 'traces'],
    ['an exporter of metrics', { OTEL_METRICS_EXPORTER: 'otlp' }, 'metrics'],
    ['an endpoint, and no traces', { ...ENDPOINT, OTEL_TRACES_EXPORTER: 'none' }, 'metrics'],
    ['an endpoint, and metrics for Prometheus', { ...ENDPOINT, OTEL_METRICS_EXPORTER: 'prometheus' }, 'traces'],
    ['an endpoint, and metrics for both', { ...ENDPOINT, OTEL_METRICS_EXPORTER: 'otlp, prometheus' }, 'both'],
    ['OTEL_SDK_DISABLED', { ...ENDPOINT, OTEL_SDK_DISABLED: 'TRUE' }, 'neither'],
    ['OTEL_SDK_DISABLED, which is not true', { ...ENDPOINT, OTEL_SDK_DISABLED: '1' }, 'both'],
  ])('with %s', (_name, env, what) => {
    const { traces, metrics, warnings } = readOtelSettings(env);
    expect(traces !== undefined).toBe(['traces', 'both'].includes(what));
    expect(metrics !== undefined).toBe(['metrics', 'both'].includes(what));
    expect(warnings).toEqual([]);
  });
});

describe('the sampler', () => {
  test.each([
    [undefined, undefined, 1, true],
    ['always_on', undefined, 1, false],
    ['always_off', undefined, 0, false],
    ['traceidratio', '0.25', 0.25, false],
    ['parentbased_always_on', undefined, 1, true],
    ['parentbased_always_off', undefined, 0, true],
    ['parentbased_traceidratio', '0', 0, true],
  ])('%s with %s', (name, argument, ratio, isParentBased) => {
    const { traces, warnings } = readOtelSettings({
      ...ENDPOINT,
      OTEL_TRACES_SAMPLER: name,
      OTEL_TRACES_SAMPLER_ARG: argument,
    });
    expect(traces?.sampler).toEqual({ ratio, isParentBased });
    expect(warnings).toEqual([]);
  });

  test('of docs/tracing.md exports one of a hundred', () => {
    const [, block = ''] = /```sh\n([\s\S]*?)```/.exec(readFromRoot('docs/tracing.md')) ?? [];
    const env = Object.fromEntries([...block.matchAll(/export (\w+)=(\S+)/g)].map(([, name, value]) => [name, value]));
    expect(readOtelSettings(env)).toMatchObject({
      traces: { sampler: { ratio: 0.01, isParentBased: true } },
      warnings: [],
    });
  });
});

describe('what cannot be read is passed over with a warning', () => {
  test.each([
    [{ OTEL_TRACES_SAMPLER: 'jaeger_remote' }, 'OTEL_TRACES_SAMPLER'],
    [{ OTEL_TRACES_SAMPLER: 'traceidratio', OTEL_TRACES_SAMPLER_ARG: '10%' }, 'OTEL_TRACES_SAMPLER_ARG'],
    [{ OTEL_TRACES_SAMPLER: 'traceidratio' }, 'OTEL_TRACES_SAMPLER_ARG'],
    [{ OTEL_TRACES_EXPORTER: 'otlp,zipkin' }, 'OTEL_TRACES_EXPORTER'],
    [{ OTEL_EXPORTER_OTLP_PROTOCOL: 'http/json' }, 'OTEL_EXPORTER_OTLP_PROTOCOL'],
    [{ OTEL_EXPORTER_OTLP_ENDPOINT: 'collector:4318' }, 'OTEL_EXPORTER_OTLP_ENDPOINT'],
    [{ OTEL_EXPORTER_OTLP_ENDPOINT: 'http://collector:4317' }, 'OTEL_EXPORTER_OTLP_PROTOCOL=grpc'],
    [{ OTEL_BSP_MAX_QUEUE_SIZE: '-1' }, 'OTEL_BSP_MAX_QUEUE_SIZE'],
    [{ OTEL_METRIC_EXPORT_INTERVAL: 'often' }, 'OTEL_METRIC_EXPORT_INTERVAL'],
  ])('%j', (env, named) => {
    const { traces, warnings } = readOtelSettings({ ...ENDPOINT, ...env });
    expect(traces).toBeDefined();
    expect(warnings).toEqual([expect.stringContaining(named)]);
  });

  test('that a port is of gRPC is no fault where gRPC is spoken', () => {
    const env = { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://collector:4317', OTEL_EXPORTER_OTLP_PROTOCOL: 'grpc' };
    const { traces, metrics, warnings } = readOtelSettings(env);
    expect([traces?.protocol, metrics?.protocol, warnings]).toEqual(['grpc', 'grpc', []]);
  });
});

test('batches and periods are those of OpenTelemetry, unless told otherwise', () => {
  expect(readOtelSettings(ENDPOINT)).toMatchObject({
    traces: {
      maxQueueSize: 2_048,
      maxExportBatchSize: 512,
      scheduledDelayMillis: 5_000,
      exportTimeoutMillis: 30_000,
      propagates: true,
    },
    metrics: { exportIntervalMillis: 60_000, exportTimeoutMillis: 30_000 },
  });
  const env = {
    ...ENDPOINT,
    OTEL_BSP_MAX_QUEUE_SIZE: '100',
    OTEL_BSP_SCHEDULE_DELAY: '0',
    OTEL_METRIC_EXPORT_INTERVAL: '1000',
    OTEL_PROPAGATORS: 'baggage',
  };
  expect(readOtelSettings(env)).toMatchObject({
    // No batch is larger than all that waits, and no export takes longer than until the next.
    traces: { maxQueueSize: 100, maxExportBatchSize: 100, scheduledDelayMillis: 0, propagates: false },
    metrics: { exportIntervalMillis: 1_000, exportTimeoutMillis: 1_000 },
  });
});

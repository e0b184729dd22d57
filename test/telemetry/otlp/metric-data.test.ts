import { DataPointType } from '@opentelemetry/sdk-metrics';
import { Counter, Gauge, Histogram, Registry } from 'prom-client';
import { expect, test } from 'vitest';

import { readRegistry } from '../../../src/telemetry/exposition/read-registry.ts';
import { createMetrics } from '../../../src/telemetry/metering/metrics.ts';
import { metricData } from '../../../src/telemetry/otlp/metric-data.ts';
import { okEnd } from '../ends.ts';

const SPAN = { startTime: [1, 0], endTime: [2, 0] } as const;

async function dataOf(registry: Registry) {
  return metricData(await readRegistry(registry), { startTime: [1, 0], endTime: [2, 0] });
}

test('counters are sums, gauges are gauges, and both keep their names and labels', async () => {
  const registry = new Registry();
  const registers = [registry];
  new Counter({ name: 'calls_total', help: 'Calls.', labelNames: ['method'], registers }).inc({ method: 'Chat' }, 3);
  new Gauge({ name: 'queued', help: 'Queued.', registers }).set(2);
  expect(await dataOf(registry)).toMatchObject([
    {
      descriptor: { name: 'calls_total', description: 'Calls.', unit: '' },
      dataPointType: DataPointType.SUM,
      isMonotonic: true,
      dataPoints: [{ ...SPAN, attributes: { method: 'Chat' }, value: 3 }],
    },
    { descriptor: { name: 'queued' }, dataPointType: DataPointType.GAUGE, dataPoints: [{ value: 2 }] },
  ]);
});

test('the buckets of a histogram have what lies in them, and not in those below', async () => {
  const registry = new Registry();
  const histogram = new Histogram({
    name: 'took_seconds',
    help: 'Took.',
    labelNames: ['kind'],
    buckets: [1, 2],
    registers: [registry],
  });
  for (const value of [0.5, 1.5, 1.6, 9]) histogram.observe({ kind: 'a' }, value);
  histogram.observe({ kind: 'b' }, 2);
  const [data] = await dataOf(registry);
  expect(data?.dataPoints).toMatchObject([
    { attributes: { kind: 'a' }, value: { buckets: { boundaries: [1, 2], counts: [1, 2, 1] }, sum: 12.6, count: 4 } },
    { attributes: { kind: 'b' }, value: { buckets: { boundaries: [1, 2], counts: [0, 1, 0] }, sum: 2, count: 1 } },
  ]);
});

test('metrics of the conventions have their names and attributes with points, and units', async () => {
  const metrics = createMetrics({ processMetrics: false });
  metrics.callEnded(okEnd());
  metrics.calls.started('understudy.v1.LlmService/Chat')({ status: 0, durationMs: 5, receivedBytes: 9, sentBytes: 7 });
  const data = metricData(await metrics.read([]), { startTime: [1, 0], endTime: [2, 0] });
  const of = (name: string) => data.find(({ descriptor }) => descriptor.name === name);
  expect(of('gen_ai.client.operation.duration')?.descriptor.unit).toBe('s');
  expect(of('gen_ai.client.operation.duration')?.dataPoints[0]?.attributes).toEqual({
    'gen_ai.operation.name': 'chat',
    'gen_ai.provider.name': 'azure.ai.openai',
    'gen_ai.request.model': 'gpt-6.1-sol',
    'understudy.target': 'azure-eu',
  });
  expect(of('grpc.server.call.duration')?.dataPoints[0]).toMatchObject({
    attributes: { 'grpc.method': 'understudy.v1.LlmService/Chat', 'grpc.status': 'OK' },
    value: { sum: 0.005, count: 1 },
  });
  expect(of('grpc.server.call.rcvd_total_compressed_message_size')?.descriptor.unit).toBe('By');
  expect(of('understudy_attempts_total')?.dataPoints[0]?.attributes).toHaveProperty('kind');
});

import type { Registry } from 'prom-client';

import { CodeSchema } from '../../../gen/google/rpc/code_pb.ts';
import type { CallMeter, MeteredCall } from '../../server/port/observed/call-meter.ts';
import { toSeconds } from './amounts.ts';
import { createTalliedCounter, createTalliedHistogram, type Tally } from './tally.ts';

/** Upper bounds of durations in seconds, and of sizes in bytes, as gRFC A66 has them. */
const DURATIONS: readonly number[] = [
  0, 0.00001, 0.00005, 0.0001, 0.0003, 0.0006, 0.0008, 0.001, 0.002, 0.003, 0.004, 0.005, 0.006, 0.008, 0.01, 0.013,
  0.016, 0.02, 0.025, 0.03, 0.04, 0.05, 0.065, 0.08, 0.1, 0.13, 0.16, 0.2, 0.25, 0.3, 0.4, 0.5, 0.65, 0.8, 1, 2, 5, 10,
  20, 50, 100,
];
const SIZES: readonly number[] = [
  0, 1_024, 2_048, 4_096, 16_384, 65_536, 262_144, 1_048_576, 4_194_304, 16_777_216, 67_108_864, 268_435_456,
  1_073_741_824, 4_294_967_296,
];

/** The metrics that every gRPC server has (gRFC A66), of the calls that the gRPC door has taken. */
export function createCallMeter(registry: Registry): CallMeter {
  const registers = [registry];
  const started = createTalliedCounter({
    name: 'grpc_server_call_started_total',
    help: 'Calls that the gRPC door has begun to take.',
    labelNames: ['grpc_method'],
    registers,
  });
  const labelNames = ['grpc_method', 'grpc_status'] as const;
  const duration = createTalliedHistogram({
    name: 'grpc_server_call_duration_seconds',
    help: 'Duration of calls of the gRPC door, from their headers to their end.',
    labelNames,
    buckets: DURATIONS,
    registers,
  });
  const received = createTalliedHistogram({
    name: 'grpc_server_call_rcvd_total_compressed_message_size_bytes',
    help: 'Bytes of the messages of requests of the gRPC door, as they were on the wire.',
    labelNames,
    buckets: SIZES,
    registers,
  });
  const sent = createTalliedHistogram({
    name: 'grpc_server_call_sent_total_compressed_message_size_bytes',
    help: 'Bytes of the messages of answers of the gRPC door, as they were on the wire.',
    labelNames,
    buckets: SIZES,
    registers,
  });
  const openSeries = (method: string, status: number): Record<'duration' | 'received' | 'sent', Tally> => {
    const name = CodeSchema.values.find(({ number }) => number === status)?.name ?? 'UNKNOWN';
    const labels = { grpc_method: method, grpc_status: name };
    return { duration: duration.open(labels), received: received.open(labels), sent: sent.open(labels) };
  };
  const openEnd = (method: string): ((call: MeteredCall) => void) => {
    const series: ReturnType<typeof openSeries>[] = [];
    return ({ status, durationMs, receivedBytes, sentBytes }) => {
      const tallies = (series[status] ??= openSeries(method, status));
      tallies.duration(toSeconds(durationMs));
      tallies.received(receivedBytes);
      tallies.sent(sentBytes);
    };
  };
  const methods = new Map<string, { readonly started: Tally; readonly ended: (call: MeteredCall) => void }>();
  return {
    started: (method) => {
      let known = methods.get(method);
      if (known === undefined) {
        known = { started: started.open({ grpc_method: method }), ended: openEnd(method) };
        methods.set(method, known);
      }
      known.started(1);
      return known.ended;
    },
  };
}

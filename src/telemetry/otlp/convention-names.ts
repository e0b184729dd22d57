/**
 * Names that OpenTelemetry's conventions for generative AI and gRPC (gRFC A66) have for our metrics and their labels, with their units:
 * what Prometheus cannot write, it writes as underscores.
 */
const METRICS = {
  gen_ai_client_operation_duration_seconds: ['gen_ai.client.operation.duration', 's'],
  gen_ai_client_operation_time_to_first_chunk_seconds: ['gen_ai.client.operation.time_to_first_chunk', 's'],
  gen_ai_client_token_usage: ['gen_ai.client.token.usage', '{token}'],
  grpc_server_call_started_total: ['grpc.server.call.started', '{call}'],
  grpc_server_call_duration_seconds: ['grpc.server.call.duration', 's'],
  grpc_server_call_rcvd_total_compressed_message_size_bytes: [
    'grpc.server.call.rcvd_total_compressed_message_size',
    'By',
  ],
  grpc_server_call_sent_total_compressed_message_size_bytes: [
    'grpc.server.call.sent_total_compressed_message_size',
    'By',
  ],
} as const;

const LABELS = {
  gen_ai_operation_name: 'gen_ai.operation.name',
  gen_ai_provider_name: 'gen_ai.provider.name',
  gen_ai_request_model: 'gen_ai.request.model',
  gen_ai_token_type: 'gen_ai.token.type',
  understudy_target: 'understudy.target',
  error_type: 'error.type',
  grpc_method: 'grpc.method',
  grpc_status: 'grpc.status',
} as const;

const NAMES: ReadonlyMap<string, string> = new Map([
  ...Object.entries(METRICS).map(([name, [convention]]) => [name, convention] as const),
  ...Object.entries(LABELS),
]);

const UNITS: ReadonlyMap<string, string> = new Map(
  Object.entries(METRICS).map(([name, [, unit]]) => [name, unit] as const),
);

/** Returns the name of a metric or a label with points, where a convention has one; otherwise the name as it is. */
export function conventionName(name: string): string {
  return NAMES.get(name) ?? name;
}

/** Returns the unit of a metric that a convention names; empty for others, whose names have it. */
export function conventionUnit(name: string): string {
  return UNITS.get(name) ?? '';
}

/** Environment variables by their names. */
export type OtelEnvironment = Readonly<Record<string, string | undefined>>;

/** How telemetry is sent. */
export type OtlpProtocol = 'grpc' | 'http/protobuf';

/** How it is decided which traces are exported: a ratio, or all (1) or none (0), and whether a caller's decision goes before it. */
export interface SamplerSettings {
  readonly ratio: number;
  readonly isParentBased: boolean;
}

/** How traces are exported. Undefined numbers are the SDK's defaults. */
export interface TraceSettings {
  readonly protocol: OtlpProtocol;
  readonly sampler: SamplerSettings;
  /** Whether a caller's trace is gone on with, and told to providers. */
  readonly propagates: boolean;
  readonly maxQueueSize: number;
  readonly maxExportBatchSize: number;
  readonly scheduledDelayMillis: number;
  readonly exportTimeoutMillis: number;
}

/** How metrics are exported. */
export interface MetricSettings {
  readonly protocol: OtlpProtocol;
  readonly exportIntervalMillis: number;
  readonly exportTimeoutMillis: number;
}

/** What is exported and how; what the exporters read of the environment themselves is not here. */
export interface OtelSettings {
  /** Absent: no traces. */
  readonly traces?: TraceSettings | undefined;
  /** Absent: no metrics. */
  readonly metrics?: MetricSettings | undefined;
  /** What of the environment was passed over, in sentences for people. */
  readonly warnings: readonly string[];
}

/** The names of OTEL_TRACES_SAMPLER; those of a ratio take it from OTEL_TRACES_SAMPLER_ARG. */
const SAMPLERS: ReadonlyMap<string, { readonly isParentBased: boolean; readonly ratio: number | undefined }> = new Map([
  ['always_on', { isParentBased: false, ratio: 1 }],
  ['always_off', { isParentBased: false, ratio: 0 }],
  ['traceidratio', { isParentBased: false, ratio: undefined }],
  ['parentbased_always_on', { isParentBased: true, ratio: 1 }],
  ['parentbased_always_off', { isParentBased: true, ratio: 0 }],
  ['parentbased_traceidratio', { isParentBased: true, ratio: undefined }],
]);

const DEFAULT_SAMPLER = 'parentbased_always_on';

/**
 * Reads what of telemetry is to be exported (OpenTelemetry specification, "Environment Variable Specification"). Nothing is, unless
 * an endpoint or an exporter is named. What cannot be read is passed over with a warning, as the specification wants it.
 */
export function readOtelSettings(env: OtelEnvironment): OtelSettings {
  const warnings: string[] = [];
  const of = (name: string): string | undefined => {
    const text = env[name]?.trim();
    return text === '' ? undefined : text;
  };
  if (of('OTEL_SDK_DISABLED')?.toLowerCase() === 'true') return { warnings };
  const number = (name: string, otherwise: number, least: number): number => {
    const text = of(name);
    if (text === undefined) return otherwise;
    const value = Number(text);
    if (Number.isFinite(value) && value >= least) return value;
    warnings.push(`${name} must be a number of at least ${least}: ${otherwise} is used`);
    return otherwise;
  };
  const protocolOf = (signal: string): OtlpProtocol => {
    const name = [`OTEL_EXPORTER_OTLP_${signal}_PROTOCOL`, 'OTEL_EXPORTER_OTLP_PROTOCOL'].find(of) ?? '';
    const asked = of(name) ?? 'http/protobuf';
    if (asked !== 'grpc' && asked !== 'http/protobuf')
      warnings.push(`${name} must be grpc or http/protobuf, which is used`);
    const protocol = asked === 'grpc' ? asked : 'http/protobuf';
    const endpoint = endpointWarning(signal, protocol, of);
    if (endpoint !== undefined) warnings.push(endpoint);
    return protocol;
  };
  const isAsked = (signal: string, elsewhere: readonly string[]): boolean => {
    const variable = `OTEL_${signal}_EXPORTER`;
    const names = listOf(of(variable));
    if (names.length === 0)
      return (
        of(`OTEL_EXPORTER_OTLP_${signal}_ENDPOINT`) !== undefined || of('OTEL_EXPORTER_OTLP_ENDPOINT') !== undefined
      );
    const strange = names.some((name) => !['otlp', 'none', ...elsewhere].includes(name));
    if (strange) warnings.push(`${variable} knows otlp and none here: other names are passed over`);
    return names.includes('otlp') && !names.includes('none');
  };
  const traces = isAsked('TRACES', []) ? readTraces() : undefined;
  const metrics = isAsked('METRICS', ['prometheus']) ? readMetrics() : undefined;
  return { traces, metrics, warnings: [...new Set(warnings)] };

  function readTraces(): TraceSettings {
    const propagators = listOf(of('OTEL_PROPAGATORS'));
    const maxQueueSize = number('OTEL_BSP_MAX_QUEUE_SIZE', 2_048, 1);
    return {
      protocol: protocolOf('TRACES'),
      sampler: readSampler(),
      propagates: propagators.length === 0 || (propagators.includes('tracecontext') && !propagators.includes('none')),
      maxQueueSize,
      maxExportBatchSize: Math.min(maxQueueSize, number('OTEL_BSP_MAX_EXPORT_BATCH_SIZE', 512, 1)),
      scheduledDelayMillis: number('OTEL_BSP_SCHEDULE_DELAY', 5_000, 0),
      exportTimeoutMillis: number('OTEL_BSP_EXPORT_TIMEOUT', 30_000, 1),
    };
  }

  function readSampler(): SamplerSettings {
    const asked = of('OTEL_TRACES_SAMPLER') ?? DEFAULT_SAMPLER;
    const { isParentBased, ratio } = SAMPLERS.get(asked) ?? { isParentBased: true, ratio: 1 };
    if (!SAMPLERS.has(asked)) warnings.push(`OTEL_TRACES_SAMPLER is no sampler: ${DEFAULT_SAMPLER} is used`);
    if (ratio !== undefined) return { isParentBased, ratio };
    const argument = of('OTEL_TRACES_SAMPLER_ARG');
    const given = Number(argument);
    if (argument !== undefined && given >= 0 && given <= 1) return { isParentBased, ratio: given };
    warnings.push('OTEL_TRACES_SAMPLER_ARG must be a number from 0 to 1: 1 is used, every trace is exported');
    return { isParentBased, ratio: 1 };
  }

  function readMetrics(): MetricSettings {
    const exportIntervalMillis = number('OTEL_METRIC_EXPORT_INTERVAL', 60_000, 1);
    const timeoutMillis = number('OTEL_METRIC_EXPORT_TIMEOUT', 30_000, 1);
    const protocol = protocolOf('METRICS');
    return { protocol, exportIntervalMillis, exportTimeoutMillis: Math.min(exportIntervalMillis, timeoutMillis) };
  }
}

/** Says what is wrong with the address that a signal is sent to; undefined where nothing is. */
function endpointWarning(
  signal: string,
  protocol: OtlpProtocol,
  of: (name: string) => string | undefined,
): string | undefined {
  const name = [`OTEL_EXPORTER_OTLP_${signal}_ENDPOINT`, 'OTEL_EXPORTER_OTLP_ENDPOINT'].find(of);
  const endpoint = name === undefined ? undefined : of(name);
  if (endpoint === undefined || protocol === 'grpc') return undefined;
  const url = URL.canParse(endpoint) ? new URL(endpoint) : undefined;
  if (url === undefined || !/^https?:$/.test(url.protocol))
    return `${name} must be a URL that begins with http:// or https://`;
  if (url.port !== '4317') return undefined;
  return `${name} has the port of OTLP over gRPC: set OTEL_EXPORTER_OTLP_PROTOCOL=grpc, or use port 4318`;
}

function listOf(text: string | undefined): readonly string[] {
  return (text ?? '')
    .split(',')
    .map((name) => name.trim())
    .filter((name) => name !== '');
}

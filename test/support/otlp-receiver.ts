import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { gunzipSync } from 'node:zlib';

import { BinaryReader, WireType } from '@bufbuild/protobuf/wire';

import { listenOnLoopback } from './listening.ts';

/** A span as it was received. */
export interface ReceivedSpan {
  readonly name: string;
  /** 1 internal, 2 server, 3 client. */
  readonly kind: number;
  readonly traceId: string;
  readonly spanId: string;
  /** Empty: it is the first of its trace. */
  readonly parentSpanId: string;
  readonly traceState: string;
  readonly startNs: bigint;
  readonly endNs: bigint;
  readonly attributes: Readonly<Record<string, unknown>>;
  readonly events: readonly { readonly name: string; readonly attributes: Readonly<Record<string, unknown>> }[];
  readonly isError: boolean;
  readonly resource: Readonly<Record<string, unknown>>;
}

/** A metric as it was received: sums of counters, and of what histograms have observed, by their names. */
export interface ReceivedMetric {
  readonly name: string;
  readonly unit: string;
  readonly kind: 'gauge' | 'sum' | 'histogram';
  readonly points: readonly { readonly attributes: Readonly<Record<string, unknown>>; readonly value: number }[];
}

/** A receiver of OTLP over HTTP, in the place of a collector. */
export interface OtlpReceiver {
  /** For OTEL_EXPORTER_OTLP_ENDPOINT. */
  readonly endpoint: string;
  readonly spans: readonly ReceivedSpan[];
  /** Those of the last export. */
  readonly metrics: () => readonly ReceivedMetric[];
  /** All bodies as they came. */
  readonly bodies: readonly Buffer[];
  readonly headers: readonly IncomingMessage['headers'][];
  /** Resolves when there are spans or metrics that satisfy a condition. */
  until(isThere: (receiver: OtlpReceiver) => boolean): Promise<void>;
  /** What it does with the next exports: takes them, answers a status, or says nothing. */
  behave(how: 'take' | 'hang' | number): void;
  close(): Promise<void>;
}

/** A message of protobuf: values by the numbers of their fields, in their order. */
type Message = ReadonlyMap<number, readonly (bigint | Uint8Array)[]>;

/** Opens a receiver on a free port. */
export async function openOtlpReceiver(): Promise<OtlpReceiver> {
  const spans: ReceivedSpan[] = [];
  let metrics: readonly ReceivedMetric[] = [];
  const bodies: Buffer[] = [];
  const headers: IncomingMessage['headers'][] = [];
  const waiting = new Set<() => void>();
  let behaviour: 'take' | 'hang' | number = 'take';
  const take = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(Buffer.from(chunk));
    const sent = Buffer.concat(chunks);
    const body = request.headers['content-encoding'] === 'gzip' ? gunzipSync(sent) : sent;
    headers.push(request.headers);
    bodies.push(body);
    if (behaviour === 'take') {
      if (request.url === '/v1/traces') spans.push(...readSpans(body));
      if (request.url === '/v1/metrics') metrics = readMetrics(body);
      response.end();
    } else if (behaviour !== 'hang') {
      response.writeHead(behaviour).end('words of a collector');
    }
    for (const look of waiting) look();
  };
  const server = createServer((request, response) => void take(request, response));
  const { origin, close } = await listenOnLoopback(server);
  const receiver: OtlpReceiver = {
    endpoint: origin,
    spans,
    metrics: () => metrics,
    bodies,
    headers,
    until: (isThere) =>
      new Promise((resolve) => {
        const look = (): void => {
          if (!isThere(receiver)) return;
          waiting.delete(look);
          resolve();
        };
        waiting.add(look);
        look();
      }),
    behave: (how) => {
      behaviour = how;
    },
    close,
  };
  return receiver;
}

/** ExportTraceServiceRequest: resource spans, their resource and scopes, spans. */
function readSpans(body: Uint8Array): readonly ReceivedSpan[] {
  return messages(read(body), 1).flatMap((ofResource) => {
    const resource = attributesOf(message(ofResource, 1), 1);
    return messages(ofResource, 2)
      .flatMap((ofScope) => messages(ofScope, 2))
      .map((span) => ({
        name: text(span, 5),
        kind: Number(number(span, 6)),
        traceId: hex(span, 1),
        spanId: hex(span, 2),
        parentSpanId: hex(span, 4),
        traceState: text(span, 3),
        startNs: number(span, 7),
        endNs: number(span, 8),
        attributes: attributesOf(span, 9),
        events: messages(span, 11).map((event) => ({ name: text(event, 2), attributes: attributesOf(event, 3) })),
        isError: number(message(span, 15), 3) === 2n,
        resource,
      }));
  });
}

/** ExportMetricsServiceRequest: resource metrics, scopes, metrics. */
function readMetrics(body: Uint8Array): readonly ReceivedMetric[] {
  const kinds = { 5: 'gauge', 7: 'sum', 9: 'histogram' } as const;
  return messages(read(body), 1)
    .flatMap((ofResource) => messages(ofResource, 2))
    .flatMap((ofScope) => messages(ofScope, 2))
    .map((metric) => {
      const field = ([5, 7, 9] as const).find((one) => metric.has(one)) ?? 5;
      const isHistogram = field === 9;
      const points = messages(message(metric, field), 1).map((point) => ({
        attributes: attributesOf(point, isHistogram ? 9 : 7),
        value: double(point, isHistogram ? 5 : 4),
      }));
      return { name: text(metric, 1), unit: text(metric, 3), kind: kinds[field], points };
    });
}

function attributesOf(from: Message, field: number): Readonly<Record<string, unknown>> {
  return Object.fromEntries(messages(from, field).map((pair) => [text(pair, 1), valueOf(message(pair, 2))]));
}

/** AnyValue: a text, a truth, a whole number, a double, or a list. */
function valueOf(value: Message): unknown {
  if (value.has(1)) return text(value, 1);
  if (value.has(2)) return number(value, 2) === 1n;
  if (value.has(3)) return Number(BigInt.asIntN(64, number(value, 3)));
  if (value.has(4)) return double(value, 4);
  return value.has(5) ? messages(message(value, 5), 1).map(valueOf) : undefined;
}

function read(bytes: Uint8Array): Message {
  const reader = new BinaryReader(bytes);
  const fields = new Map<number, (bigint | Uint8Array)[]>();
  while (reader.pos < reader.len) {
    const [field, type] = reader.tag();
    const value = readValue(reader, type);
    fields.set(field, [...(fields.get(field) ?? []), value]);
  }
  return fields;
}

function readValue(reader: BinaryReader, type: WireType): bigint | Uint8Array {
  if (type === WireType.LengthDelimited) return reader.bytes();
  if (type === WireType.Varint) return BigInt(reader.uint64());
  if (type === WireType.Bit64) return BigInt(reader.fixed64());
  return BigInt(reader.fixed32());
}

function bytes(from: Message, field: number): Uint8Array {
  const value = from.get(field)?.[0];
  return value instanceof Uint8Array ? value : new Uint8Array();
}

function number(from: Message, field: number): bigint {
  const value = from.get(field)?.[0];
  return typeof value === 'bigint' ? value : 0n;
}

function double(from: Message, field: number): number {
  return new Float64Array(BigUint64Array.of(number(from, field)).buffer)[0] ?? 0;
}

function messages(from: Message, field: number): readonly Message[] {
  return (from.get(field) ?? []).map((value) => read(value instanceof Uint8Array ? value : new Uint8Array()));
}

function message(from: Message, field: number): Message {
  return messages(from, field)[0] ?? new Map();
}

function text(from: Message, field: number): string {
  return new TextDecoder().decode(bytes(from, field));
}

function hex(from: Message, field: number): string {
  return Buffer.from(bytes(from, field)).toString('hex');
}

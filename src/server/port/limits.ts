import { MAX_TIMER_MS } from '../../core/ports.ts';

/** Largest message that is read or written on either door, in bytes (20 MiB; the libraries' own limits are 4 MiB and 4 GiB). */
export const MAX_MESSAGE_BYTES = 20 * 1024 * 1024;

/** Most bytes of a message besides its attachments (8 MiB): more text than any model reads. */
export const MAX_TEXT_BYTES = 8 * 1024 * 1024;

/** Most fields of a message, those within and unknown ones included: a conversation of ten thousand messages. */
export const MAX_FIELDS = 50_000;

/** Deepest nesting of messages; protobuf's own limit. */
export const MAX_NESTING = 100;

/** How long a request may take to arrive, and an answer to be read, in milliseconds. */
const TRANSFER_MS = 60_000;

/** Requests above this size, in bytes, are received at a pace, and room is made for them once. */
export const LARGE_BYTES = 64 * 1024;

/** What a door lets a message take, where the configuration does not say otherwise. */
export const TRANSFER_LIMITS: TransferLimits = { maxMessageBytes: MAX_MESSAGE_BYTES, transferMs: TRANSFER_MS };

/**
 * Pieces in which a long answer is written, in bytes (16 KiB, a frame of HTTP/2): how finely its reader is watched. Over gRPC those behind the
 * first grow.
 */
export const PIECE_BYTES = 16 * 1024;

/** What a door lets a message take. */
export interface TransferLimits {
  /** Largest message that is read or written, in bytes. */
  readonly maxMessageBytes: number;
  /** How long a request may take to arrive, and an answer to be read, in milliseconds. */
  readonly transferMs: number;
}

/** How much longer than its deadline an answer may wait for its reader, in milliseconds: clients round theirs up. */
export const LATE_MS = 2_000;

/**
 * How long a client may go on sending after its answer, in milliseconds: what comes is dropped, but read. One that is reset while it
 * sends misses its answer.
 */
export const LINGER_MS = 5_000;

/** How long the last answers may take to reach their callers when a door closes, in milliseconds. */
export const FLUSH_MS = 1_000;

/** The longest timer as a `grpc-timeout`, whose number has at most eight digits. */
const MAX_GRPC_TIMEOUT = '2147483S';

/** Most characters of a request id. */
export const MAX_REQUEST_ID_LENGTH = 128;

/** Name of the header and trailer that carries the id of a request, both ways. */
export const REQUEST_ID_HEADER = 'x-request-id';

const PRINTABLE_ASCII = /^[\x20-\x7e]+$/;
const GRPC_TIMEOUT = /^(\d{1,8})([HMSmun])$/;

const UNIT_MS = new Map([
  ['H', 3_600_000],
  ['M', 60_000],
  ['S', 1000],
  ['m', 1],
  ['u', 0.001],
  ['n', 0.000001],
]);

/**
 * Shortens a `grpc-timeout` that is longer than any timer, which would fire at once. What cannot be read stays as it is, for
 * the door to refuse.
 */
export function clampGrpcTimeout(value: string): string {
  return (grpcTimeoutMs(value) ?? 0) > MAX_TIMER_MS ? MAX_GRPC_TIMEOUT : value;
}

/** Reads a `grpc-timeout` in milliseconds; undefined where it is none (gRPC over HTTP2, "Timeout"). */
export function grpcTimeoutMs(value: string): number | undefined {
  const match = GRPC_TIMEOUT.exec(value);
  return match === null ? undefined : Number(match[1]) * (UNIT_MS.get(match[2] ?? '') ?? 0);
}

/** Reads the deadline in the headers of a web request, in milliseconds; undefined where there is none that can be read. */
export function timeoutOfHeaders(headers: Readonly<Record<string, unknown>>): number | undefined {
  const { 'connect-timeout-ms': connect, 'grpc-timeout': grpc } = headers;
  if (typeof connect === 'string' && /^\d{1,10}$/.test(connect)) return Number(connect);
  return typeof grpc === 'string' ? grpcTimeoutMs(grpc) : undefined;
}

/** Shortens a `connect-timeout-ms` that is longer than any timer. What cannot be read, or has over ten digits, stays as it is. */
export function clampConnectTimeout(value: string): string {
  return /^\d{1,10}$/.test(value) && Number(value) > MAX_TIMER_MS ? String(MAX_TIMER_MS) : value;
}

/** Shortens the deadlines in the headers of a request, in place: the libraries read them from the same object. */
export function clampTimeoutHeaders(headers: Record<string, string | readonly string[] | undefined>): void {
  const grpc = headers['grpc-timeout'];
  if (typeof grpc === 'string') headers['grpc-timeout'] = clampGrpcTimeout(grpc);
  const connect = headers['connect-timeout-ms'];
  if (typeof connect === 'string') headers['connect-timeout-ms'] = clampConnectTimeout(connect);
}

/** Whether a text may be the id of a request: 1 to 128 printable ASCII characters. */
export function isRequestId(value: string): boolean {
  return value.length <= MAX_REQUEST_ID_LENGTH && PRINTABLE_ASCII.test(value);
}

/** Chooses the id of a request: the field, else the header, else a new one. An id that may not be one is passed over. */
export function chooseRequestId(field: string, header: string | null, newRequestId: () => string): string {
  if (isRequestId(field)) return field;
  if (header !== null && isRequestId(header)) return header;
  return newRequestId();
}

/** Cuts a text to a number of UTF-8 bytes without splitting a character, and mends lone surrogates. */
export function truncateUtf8(text: string, maxBytes: number): string {
  const bytes = new TextEncoder().encode(text.toWellFormed());
  if (bytes.byteLength <= maxBytes) return text.toWellFormed();
  return new TextDecoder().decode(bytes.subarray(0, maxBytes), { stream: true });
}

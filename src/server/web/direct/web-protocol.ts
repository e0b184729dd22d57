import type { IncomingHttpHeaders } from 'node:http';
import type { ConnectError } from '@connectrpc/connect';
import { compressionNegotiate } from '@connectrpc/connect/protocol';
import { createEndStreamSerialization, endStreamFlag } from '@connectrpc/connect/protocol-connect';
import { grpcStatusOk, setTrailerStatus, trailerFlag, trailerSerialize } from '@connectrpc/connect/protocol-grpc-web';
import { grpcTimeoutMs } from '../../port/limits.ts';
import { MESSAGE_COMPRESSION } from '../../http/calls/web-json.ts';

/** The last envelope of an answer. */
export interface EndEnvelope {
  readonly flags: number;
  readonly data: Uint8Array;
}

/** A protocol of the web with the format of its messages, as the content type of a request names both. */
export interface WebProtocol {
  /** As handlers are told it. */
  readonly name: 'connect' | 'grpc-web';
  /** Of answers. */
  readonly contentType: string;
  readonly isBinary: boolean;
  /** Which methods it is for; `any` for both. */
  readonly kind: 'unary' | 'server_streaming' | 'any';
  /** Whether a deadline can be read, and none of another protocol stands beside it. */
  hasPlainTimeout(headers: IncomingHttpHeaders): boolean;
  /** The headers that say how messages in envelopes are compressed; absent where they stand in none. */
  readonly envelopes?: EnvelopeHeaders;
  /** Makes the end of an answer in envelopes; an error in it, or none. */
  end(trailers: Headers | undefined, error: ConnectError | undefined): EndEnvelope;
}

/** Names of headers. */
interface EnvelopeHeaders {
  readonly encoding: 'connect-content-encoding' | 'grpc-encoding';
  readonly accepts: 'connect-accept-encoding' | 'grpc-accept-encoding';
}

const END_STREAM = createEndStreamSerialization({});
const CONNECT_TIMEOUT = /^\d{1,10}$/;

const CONNECT = {
  name: 'connect',
  hasPlainTimeout: ({ 'connect-timeout-ms': timeout, 'grpc-timeout': other }) =>
    other === undefined && (timeout === undefined || (typeof timeout === 'string' && CONNECT_TIMEOUT.test(timeout))),
  end: (metadata = new Headers(), error) => ({
    flags: endStreamFlag,
    data: END_STREAM.serialize({ metadata, ...(error && { error }) }),
  }),
} as const satisfies Partial<WebProtocol>;

const GRPC_WEB = {
  name: 'grpc-web',
  kind: 'any',
  envelopes: { encoding: 'grpc-encoding', accepts: 'grpc-accept-encoding' },
  hasPlainTimeout: ({ 'connect-timeout-ms': other, 'grpc-timeout': timeout }) =>
    other === undefined &&
    (timeout === undefined || (typeof timeout === 'string' && grpcTimeoutMs(timeout) !== undefined)),
  end: (trailers, error) => {
    const all = new Headers({ 'grpc-status': grpcStatusOk });
    for (const [name, value] of trailers ?? []) all.append(name, value);
    if (error !== undefined) setTrailerStatus(all, error);
    return { flags: trailerFlag, data: trailerSerialize(all) };
  },
} as const satisfies Partial<WebProtocol>;

const UNARY = { ...CONNECT, kind: 'unary' } as const;
const STREAM = {
  ...CONNECT,
  kind: 'server_streaming',
  envelopes: { encoding: 'connect-content-encoding', accepts: 'connect-accept-encoding' },
} as const;

const UNARY_JSON: WebProtocol = { ...UNARY, contentType: 'application/json', isBinary: false };
const GRPC_WEB_PROTO: WebProtocol = { ...GRPC_WEB, contentType: 'application/grpc-web+proto', isBinary: true };

/** By content type, as clients write it; Connect understands others as well. */
const PROTOCOLS: ReadonlyMap<string | undefined, WebProtocol> = new Map<string | undefined, WebProtocol>([
  ['application/json', UNARY_JSON],
  ['application/json; charset=utf-8', UNARY_JSON],
  ['application/json;charset=utf-8', UNARY_JSON],
  ['application/proto', { ...UNARY, contentType: 'application/proto', isBinary: true }],
  ['application/connect+json', { ...STREAM, contentType: 'application/connect+json', isBinary: false }],
  ['application/connect+proto', { ...STREAM, contentType: 'application/connect+proto', isBinary: true }],
  ['application/grpc-web', GRPC_WEB_PROTO],
  ['application/grpc-web+proto', GRPC_WEB_PROTO],
  ['application/grpc-web+json', { ...GRPC_WEB, contentType: 'application/grpc-web+json', isBinary: false }],
]);

/** Finds the protocol of a request from its headers; undefined where there is anything about it that is not plain: that is for Connect. */
export function plainProtocol(headers: IncomingHttpHeaders): WebProtocol | undefined {
  const protocol = PROTOCOLS.get(headers['content-type']);
  if (protocol === undefined || !protocol.hasPlainTimeout(headers)) return undefined;
  return headers[protocol.envelopes?.encoding ?? 'content-encoding'] === undefined ? protocol : undefined;
}

/**
 * Returns the coding that an answer in envelopes names because its caller accepts it, though none of its messages is large enough to be
 * compressed; undefined for none.
 */
export function namedCoding({ envelopes }: WebProtocol, headers: IncomingHttpHeaders): string | undefined {
  const accepts = envelopes && headers[envelopes.accepts];
  if (envelopes === undefined || typeof accepts !== 'string') return undefined;
  return compressionNegotiate([MESSAGE_COMPRESSION], null, accepts, envelopes.accepts).response?.name;
}

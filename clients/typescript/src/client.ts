import type { MessageInitShape } from '@bufbuild/protobuf';
import { createClient } from '@connectrpc/connect';
import { createGrpcTransport } from '@connectrpc/connect-node';
import {
  type ChatRequestSchema,
  type ChatResponse,
  type GenerateRequestSchema,
  type GenerateResponse,
  type HealthRequestSchema,
  type HealthResponse,
  type ListModelsRequestSchema,
  type ListModelsResponse,
  LlmService,
  type StreamChatRequestSchema,
  type StreamChatResponse,
} from '../gen/understudy/v1/llm_pb.js';
import { baseUrlOf } from './address.ts';
import { answerStream } from './answer-stream.ts';
import { type CallOptions, connectOptions, sendableTimeoutMs } from './call-options.ts';
import { Connection } from './connection.ts';
import { addHeaders, type HeaderSource } from './headers.ts';

/** The methods of the gateway. */
export type MethodName = 'generate' | 'chat' | 'streamChat' | 'health' | 'listModels';

/** Certificates and keys in PEM. */
export interface TlsOptions {
  /** Authorities to trust instead of Node's own. */
  readonly ca?: string | undefined;
  /** Certificate of this client, for mTLS. */
  readonly cert?: string | undefined;
  /** Private key of this client, for mTLS. */
  readonly key?: string | undefined;
  /** Name that the certificate of the gateway must have. Default: the host of the address. */
  readonly serverName?: string | undefined;
}

/** Options of a client. Everything has a default. */
export interface LlmClientOptions {
  /** For an `https://` address; makes one of an address without a scheme. */
  readonly tls?: TlsOptions | undefined;
  /**
   * Deadlines in milliseconds of calls that set none, per method; 0 for none. Default: 600,000 for `streamChat`, since it
   * covers the whole stream, and 120,000 for the others.
   */
  readonly defaultTimeoutMs?: Readonly<Partial<Record<MethodName, number>>> | undefined;
  /** Metadata of every call, such as `authorization`. A function is asked per call, for credentials that change. */
  readonly headers?: HeaderSource | undefined;
  /** Time without bytes after which a connection with open calls is probed, in milliseconds. Default: 30,000. */
  readonly pingIntervalMs?: number | undefined;
  /** How long the answer to a probe may take, in milliseconds; then the calls end with UNAVAILABLE. Default: 10,000. */
  readonly pingTimeoutMs?: number | undefined;
  /** Largest message that is read, in bytes. Default: 20 MiB, the gateway's own limit. */
  readonly readMaxBytes?: number | undefined;
}

/**
 * Calls a gateway. Requests are plain objects. Calls reject with a ConnectError, which {@link decodeError} reads; none is
 * repeated.
 */
export interface LlmClient {
  /** Answers one prompt. */
  generate(request: MessageInitShape<typeof GenerateRequestSchema>, options?: CallOptions): Promise<GenerateResponse>;
  /** Answers a conversation with one whole message. */
  chat(request: MessageInitShape<typeof ChatRequestSchema>, options?: CallOptions): Promise<ChatResponse>;
  /**
   * Answers a conversation as it is written. The call starts with the first read. Leaving the loop early aborts it, and with
   * it the provider's call, in the same turn. Throws if the stream ends without `finished`. Can be read once.
   */
  streamChat(
    request: MessageInitShape<typeof StreamChatRequestSchema>,
    options?: CallOptions,
  ): AsyncIterableIterator<StreamChatResponse>;
  /** Tells how the targets are doing. Calls no provider. */
  health(request?: MessageInitShape<typeof HealthRequestSchema>, options?: CallOptions): Promise<HealthResponse>;
  /** Lists one page of the models that requests may name. */
  listModels(
    request?: MessageInitShape<typeof ListModelsRequestSchema>,
    options?: CallOptions,
  ): Promise<ListModelsResponse>;
  /** Ends open calls with CANCELLED and closes the connection for good. */
  close(): void;
}

const DEFAULT_TIMEOUT_MS = {
  generate: 120_000,
  chat: 120_000,
  streamChat: 600_000,
  health: 120_000,
  listModels: 120_000,
} satisfies Record<MethodName, number>;

const DEFAULT_PING_INTERVAL_MS = 30_000;
const DEFAULT_PING_TIMEOUT_MS = 10_000;
const DEFAULT_READ_MAX_BYTES = 20 * 1024 * 1024;

/**
 * Makes a client of a gateway over native gRPC. The address is `host:port`, `http://host:port` or `https://host:port`. It
 * connects on the first call, over one HTTP/2 connection that is opened anew after a loss, and repeats no call. Throws a
 * TypeError for an address, and a RangeError for a timeout, that cannot be used.
 */
export function createLlmClient(address: string, options: LlmClientOptions = {}): LlmClient {
  const { tls, headers, pingIntervalMs = DEFAULT_PING_INTERVAL_MS, pingTimeoutMs = DEFAULT_PING_TIMEOUT_MS } = options;
  const timeouts: Record<MethodName, number> = { ...DEFAULT_TIMEOUT_MS, ...options.defaultTimeoutMs };
  for (const timeoutMs of Object.values(timeouts)) sendableTimeoutMs(timeoutMs);
  const baseUrl = baseUrlOf(address, tls !== undefined);
  const connection = new Connection(baseUrl, { pingIntervalMs, pingTimeoutMs }, tls === undefined ? {} : nodeTls(tls));
  const transport = createGrpcTransport({
    baseUrl,
    sessionManager: connection,
    readMaxBytes: options.readMaxBytes ?? DEFAULT_READ_MAX_BYTES,
    acceptCompression: [],
    interceptors: headers === undefined ? [] : [addHeaders(headers)],
  });
  const calls = createClient(LlmService, transport);
  return {
    generate: async (request, call = {}) => calls.generate(request, connectOptions(call, timeouts.generate)),
    chat: async (request, call = {}) => calls.chat(request, connectOptions(call, timeouts.chat)),
    streamChat: (request, call = {}) => {
      const { signal, ...rest } = call;
      const prepared = connectOptions(rest, timeouts.streamChat);
      return answerStream((abort) => calls.streamChat(request, { ...prepared, signal: abort }), signal);
    },
    health: async (request = {}, call = {}) => calls.health(request, connectOptions(call, timeouts.health)),
    listModels: async (request = {}, call = {}) => calls.listModels(request, connectOptions(call, timeouts.listModels)),
    close: () => connection.close(),
  };
}

function nodeTls({ ca, cert, key, serverName }: TlsOptions) {
  return {
    ...(ca === undefined ? {} : { ca }),
    ...(cert === undefined ? {} : { cert }),
    ...(key === undefined ? {} : { key }),
    ...(serverName === undefined ? {} : { servername: serverName }),
  };
}

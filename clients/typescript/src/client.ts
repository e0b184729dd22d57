/// <reference lib="esnext.disposable" preserve="true" />

import type { MessageInitShape } from '@bufbuild/protobuf';
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
  type Model,
  type StreamChatRequestSchema,
} from '../gen/understudy/v1/llm_pb.js';
import { type AnswerStream, answerStream } from './answers/answer-stream.ts';
import type { CallOptions } from './calls/call-options.ts';
import { sendableTimeoutMs } from './calls/call-options.ts';
import type { Caller } from './calls/caller.ts';
import type { HeaderSource, KeySource } from './calls/headers.ts';

/** The methods of a gateway that have a deadline of their own. */
export type MethodName = 'generate' | 'chat' | 'streamChat' | 'health' | 'listModels' | 'check' | 'watch';

/** Deadlines in milliseconds, per method; 0 for none. */
export type Timeouts = Readonly<Record<MethodName, number>>;

/** Options of every client. Everything has a default. */
export interface ClientOptions {
  /**
   * Sent as `Authorization: Bearer …`. A function is asked at each try, for keys that change. Over plaintext to another host
   * than loopback it is refused, unless {@link allowApiKeyWithoutTls}.
   */
  readonly apiKey?: KeySource | undefined;
  /** Whether the key may be sent in plaintext to other hosts, where something else keeps it secret. Default: false. */
  readonly allowApiKeyWithoutTls?: boolean | undefined;
  /** Metadata of every call. A function is asked at each try. */
  readonly headers?: HeaderSource | undefined;
  /**
   * Deadlines in milliseconds of calls that set none, per method; 0 for none. Default: 600,000 for `streamChat`, since it
   * covers the whole stream; 5,000 for `health` and `check`; none for `watch`; 120,000 for the others.
   */
  readonly defaultTimeoutMs?: Partial<Timeouts> | undefined;
  /**
   * How often a call is repeated at most, where that cannot bill twice: the gateway invites to it, or has asked no provider,
   * or was never reached. 0 for never. Default: 2.
   */
  readonly maxRetries?: number | undefined;
  /** Whether calls wait, within their deadline, for a gateway that cannot be reached. Default: false. */
  readonly waitForReady?: boolean | undefined;
}

/** Calls a gateway. Requests are plain objects. Calls reject with a ConnectError, which {@link decodeError} reads. */
export interface LlmClient {
  /** Answers one prompt. */
  generate(request: MessageInitShape<typeof GenerateRequestSchema>, options?: CallOptions): Promise<GenerateResponse>;
  /** Answers a conversation with one whole message. */
  chat(request: MessageInitShape<typeof ChatRequestSchema>, options?: CallOptions): Promise<ChatResponse>;
  /**
   * Answers a conversation as it is written. The call starts with the first read. Leaving the loop early aborts it, and with
   * it the provider's call, in the same turn. Throws if the stream ends without `finished`. Can be read once.
   */
  streamChat(request: MessageInitShape<typeof StreamChatRequestSchema>, options?: CallOptions): AnswerStream;
  /** Tells how the targets are doing. Calls no provider. */
  health(request?: MessageInitShape<typeof HealthRequestSchema>, options?: CallOptions): Promise<HealthResponse>;
  /** Lists one page of the models that requests may name. */
  listModels(
    request?: MessageInitShape<typeof ListModelsRequestSchema>,
    options?: CallOptions,
  ): Promise<ListModelsResponse>;
  /** Lists all models, page after page; the options hold for each page. */
  models(
    request?: MessageInitShape<typeof ListModelsRequestSchema>,
    options?: CallOptions,
  ): AsyncGenerator<Model, void, undefined>;
  /** Ends open calls with CANCELLED and closes all connections for good. */
  close(): void;
  /** Does what {@link close} does, for `using`. */
  [Symbol.dispose](): void;
}

const DEFAULT_TIMEOUT_MS: Timeouts = {
  generate: 120_000,
  chat: 120_000,
  streamChat: 600_000,
  health: 5000,
  listModels: 120_000,
  check: 5000,
  watch: 0,
};

/** Makes the deadlines of a client. Throws a RangeError for one that cannot be used. */
export function timeoutsOf(own: Partial<Timeouts> = {}): Timeouts {
  const timeouts: Timeouts = { ...DEFAULT_TIMEOUT_MS, ...own };
  for (const timeoutMs of Object.values(timeouts)) sendableTimeoutMs(timeoutMs);
  return timeouts;
}

/** Makes the calls of LlmService. */
export function llmCalls(caller: Caller, timeouts: Timeouts): LlmClient {
  const { generate, chat, streamChat, health, listModels } = LlmService.method;
  const client: LlmClient = {
    generate: (request, call = {}) => caller.unary(generate, request, call, timeouts.generate),
    chat: (request, call = {}) => caller.unary(chat, request, call, timeouts.chat),
    streamChat: (request, call = {}) =>
      answerStream((end) => caller.stream(streamChat, request, call, timeouts.streamChat, end)),
    health: (request = {}, call = {}) => caller.unary(health, request, call, timeouts.health),
    listModels: (request = {}, call = {}) => caller.unary(listModels, request, call, timeouts.listModels),
    models: async function* (request = {}, call = {}) {
      for (let pageToken = request.pageToken ?? ''; ;) {
        const page = await client.listModels({ ...request, pageToken }, call);
        yield* page.models;
        if (page.nextPageToken === '') return;
        pageToken = page.nextPageToken;
      }
    },
    close: () => caller.close(),
    [Symbol.dispose]: () => caller.close(),
  };
  return client;
}

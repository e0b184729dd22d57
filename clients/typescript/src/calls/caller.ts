import type {
  DescMessage,
  DescMethodStreaming,
  DescMethodUnary,
  MessageInitShape,
  MessageShape,
} from '@bufbuild/protobuf';
import { Code, ConnectError, type Transport } from '@connectrpc/connect';
import {
  type CallOptions,
  headersOf,
  policyOf,
  type RepeatPolicy,
  sendableTimeoutMs,
  usableRetries,
} from './call-options.ts';
import { CallScope } from './call-scope.ts';
import { CallStream, type OpenedStream } from './call-stream.ts';
import type { Channel } from './channel.ts';
import { type ClientHeaders, headersOfTry } from './headers.ts';
import { wasNotSent } from './not-sent.ts';
import { DEFAULT_MAX_RETRIES, withRepeats } from './repeats.ts';

/** What a caller takes from the options of its client. */
export interface CallerOptions extends ClientHeaders {
  readonly maxRetries?: number | undefined;
  readonly waitForReady?: boolean | undefined;
}

/** What ends a stream, in events. */
export interface StreamEnd<Event> {
  readonly isLast: (event: Event) => boolean;
  readonly unfinished: () => ConnectError | undefined;
}

/** Makes the calls of a client: each with its deadline, its headers and its repeats, over one of the ways of a channel. */
export class Caller {
  readonly #channel: Channel;
  readonly #headers: ClientHeaders;
  readonly #policy: RepeatPolicy;
  readonly #closing = new AbortController();

  constructor(channel: Channel, { maxRetries = DEFAULT_MAX_RETRIES, waitForReady = false, ...headers }: CallerOptions) {
    this.#channel = channel;
    this.#headers = headers;
    this.#policy = { maxRetries: usableRetries(maxRetries), waitForReady };
  }

  /** Makes a unary call. */
  async unary<Input extends DescMessage, Output extends DescMessage>(
    method: DescMethodUnary<Input, Output>,
    request: MessageInitShape<Input>,
    options: CallOptions,
    defaultTimeoutMs: number,
  ): Promise<MessageShape<Output>> {
    const [own, policy] = [headersOf(options), policyOf(options, this.#policy)];
    const scope = this.#begin(options, defaultTimeoutMs);
    try {
      return await withRepeats(scope, policy, () =>
        this.#send(scope, own, async (transport, headers) => {
          const { message } = await transport.unary(method, scope.signal, undefined, headers, request);
          return message;
        }),
      );
    } finally {
      scope.end();
    }
  }

  /** Makes a call that is answered by a stream, once somebody reads it. Throws for options that cannot be used. */
  stream<Input extends DescMessage, Output extends DescMessage>(
    method: DescMethodStreaming<Input, Output>,
    request: MessageInitShape<Input>,
    options: CallOptions,
    defaultTimeoutMs: number,
    end: StreamEnd<MessageShape<Output>>,
  ): CallStream<MessageShape<Output>> {
    const [own, policy] = [headersOf(options), policyOf(options, this.#policy)];
    sendableTimeoutMs(options.timeoutMs ?? defaultTimeoutMs);
    return new CallStream({
      ...end,
      begin: () => this.#begin(options, defaultTimeoutMs),
      open: (scope) =>
        withRepeats(scope, policy, () =>
          this.#send(scope, own, async (transport, headers): Promise<OpenedStream<MessageShape<Output>>> => {
            const { message } = await transport.stream(method, scope.signal, undefined, headers, once(request));
            const rest = message[Symbol.asyncIterator]();
            return { first: await rest.next(), rest };
          }),
        ),
    });
  }

  /** Ends open calls with CANCELLED, and closes all connections for good. */
  close(): void {
    this.#closing.abort(closedError());
    this.#channel.close();
  }

  #begin({ timeoutMs, signal }: CallOptions, defaultTimeoutMs: number): CallScope {
    return new CallScope(sendableTimeoutMs(timeoutMs ?? defaultTimeoutMs), signal, this.#closing.signal);
  }

  /** Sends a try, and at once to the next gateway where this one turns out not to have been reached. */
  async #send<Value>(
    scope: CallScope,
    own: Headers,
    run: (transport: Transport, headers: Headers) => Promise<Value>,
  ): Promise<Value> {
    const headers = await scope.within(headersOfTry(own, this.#headers));
    for (const [name, value] of Object.entries(this.#channel.headers)) {
      if (!headers.has(name)) headers.set(name, value);
    }
    for (let others = this.#channel.size; ; others -= 1) {
      const transport = await scope.within(this.#channel.pick(scope.signal));
      // Told as late as possible, so that the server counts what is left behind the connecting.
      const { remainingMs } = scope;
      if (remainingMs !== Number.POSITIVE_INFINITY) {
        headers.set(...this.#channel.deadlineHeader(Math.max(1, Math.floor(remainingMs))));
      }
      try {
        return await scope.within(run(transport, headers));
      } catch (error) {
        if (others <= 0 || scope.signal.aborted || !wasNotSent(ConnectError.from(error))) throw error;
      }
    }
  }
}

async function* once<Value>(value: Value): AsyncGenerator<Value> {
  yield await Promise.resolve(value);
}

function closedError(): ConnectError {
  return new ConnectError('the client is closed', Code.Canceled);
}

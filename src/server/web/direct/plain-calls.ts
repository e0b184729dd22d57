import type { Message } from '@bufbuild/protobuf';
import { Cohort, type EventLoop, OTHERS_CATCH_UP } from '../../../core/cohort.ts';
import { LiveList } from '../../../core/live-list.ts';
import type { Runtime } from '../../../core/ports.ts';
import { onlyMessage } from '../../http/calls/body-framing.ts';
import type { PlainAnswers } from '../../http/calls/rpc-listener.ts';
import type { WebCall } from '../../http/calls/web-call.ts';
import { answerEnveloped } from './answer-enveloped.ts';
import { answerWhole } from './answer-whole.ts';
import type { PlainMethod } from './plain-method.ts';
import { WebContext } from './web-context.ts';
import { plainProtocol, type WebProtocol } from './web-protocol.ts';

/** What answering plain calls takes. */
export interface PlainCallsOptions {
  readonly runtime: Pick<Runtime, 'setTimer' | 'clearTimer'> & EventLoop;
  /** Ends all calls, with its reason, a ConnectError. */
  readonly shutdownSignal: AbortSignal;
}

/**
 * Answers the calls over HTTP that are as clients make them, without what Connect's handlers cost
 * (`docs/adr/0044-plain-calls-pass-connect-by.md`). The answers are Connect's, and whatever is not plain goes to Connect: other
 * methods of HTTP and content types, compression, what is no request of the contract, what is refused.
 */
export class PlainCalls implements PlainAnswers {
  readonly #methods: ReadonlyMap<string, PlainMethod>;
  readonly #options: PlainCallsOptions;
  readonly #cohort: Cohort;
  readonly #contexts = new LiveList<WebContext>();

  constructor(methods: ReadonlyMap<string, PlainMethod>, options: PlainCallsOptions) {
    const { runtime, shutdownSignal } = options;
    this.#methods = methods;
    this.#options = options;
    this.#cohort = new Cohort(runtime);
    shutdownSignal.addEventListener(
      'abort',
      () => {
        for (const context of this.#contexts.all()) context.abort(shutdownSignal.reason);
      },
      { once: true },
    );
  }

  answer(call: WebCall): Promise<void> | undefined {
    const { request, path } = call;
    const method = request.method === 'POST' ? this.#methods.get(path) : undefined;
    const protocol = method && plainProtocol(request.headers);
    if (method === undefined || protocol === undefined) return undefined;
    return protocol.kind === 'any' || protocol.kind === method.spec.kind
      ? this.#take(method, protocol, call)
      : undefined;
  }

  async #take(method: PlainMethod, protocol: WebProtocol, call: WebCall): Promise<void> {
    const { input } = method.spec.method;
    const received = call.transfer.receive(input);
    let bytes: Uint8Array;
    try {
      bytes = await received;
    } catch {
      return call.answerByConnect(received);
    }
    await new Promise<void>((resolve) => this.#cohort.add(resolve));
    const request = decoded(method, protocol, bytes);
    if (request === undefined) return call.answerByConnect(received);
    await OTHERS_CATCH_UP;
    const { runtime, shutdownSignal } = this.#options;
    const context = new WebContext(method.spec.method, protocol, call, runtime);
    if (shutdownSignal.aborted) context.abort(shutdownSignal.reason);
    const place = this.#contexts.add(context);
    try {
      const answer = protocol.envelopes === undefined ? answerWhole : answerEnveloped;
      await answer(method, protocol, call, context, request);
    } finally {
      this.#contexts.remove(place);
      context.close();
    }
  }
}

/** Decodes a request; undefined where it is none, for Connect to say so. */
function decoded(method: PlainMethod, { isBinary, envelopes }: WebProtocol, bytes: Uint8Array): Message | undefined {
  const message = envelopes === undefined ? bytes : onlyMessage(bytes);
  try {
    return message && method.decode(message, isBinary);
  } catch {
    return undefined;
  }
}

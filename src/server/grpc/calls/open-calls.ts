import type { MethodImplSpec } from '@connectrpc/connect';
import { LiveList } from '../../../core/live-list.ts';
import type { Runtime } from '../../../core/ports.ts';
import { type ContextCall, GrpcContext } from './call-context.ts';

/** What the calls of a service are opened with. */
export interface OpenCallsOptions {
  readonly runtime: Pick<Runtime, 'now' | 'setTimer' | 'clearTimer'>;
  /** Ends all calls, with its reason, a ConnectError. */
  readonly shutdownSignal: AbortSignal;
}

/** A call whose request has not come, or not all of it. */
export interface ComingCall {
  /** Refuses it, since the server ends. */
  readonly shutDown: () => void;
}

/** One call under way. */
export interface OpenCall {
  readonly context: GrpcContext;
  readonly close: () => void;
}

/** The calls of one service; the end of the server aborts those that are under way, and refuses those that are coming. */
export class OpenCalls {
  readonly #options: OpenCallsOptions;
  readonly #contexts = new LiveList<GrpcContext>();
  readonly #coming = new LiveList<ComingCall>();

  constructor(options: OpenCallsOptions) {
    const { shutdownSignal } = options;
    this.#options = options;
    shutdownSignal.addEventListener(
      'abort',
      () => {
        for (const call of this.#coming.all()) call.shutDown();
        for (const context of this.#contexts.all()) context.abort(shutdownSignal.reason);
      },
      { once: true },
    );
  }

  /** Notes a call that is coming; returns what {@link hasCome} takes. Undefined where it is refused, since the server has ended. */
  coming(call: ComingCall): number | undefined {
    if (!this.#options.shutdownSignal.aborted) return this.#coming.add(call);
    call.shutDown();
    return undefined;
  }

  /** Forgets a call that has come, or comes no more; to be called once. */
  hasCome(place: number): void {
    this.#coming.remove(place);
  }

  /** Makes the context of a call that has come; whoever opens it closes it. */
  open({ method }: MethodImplSpec, call: ContextCall): OpenCall {
    const { runtime, shutdownSignal } = this.#options;
    const context = new GrpcContext(method, call, runtime);
    if (shutdownSignal.aborted) context.abort(shutdownSignal.reason);
    const place = this.#contexts.add(context);
    const close = (): void => {
      this.#contexts.remove(place);
      context.close();
    };
    return { context, close };
  }
}

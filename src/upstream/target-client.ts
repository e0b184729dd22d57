import type { Delta, Finish } from '../core/answer.ts';
import { FailureError } from '../core/failure.ts';
import type { AttemptHandle, AttemptSink, Runtime } from '../core/ports.ts';
import type { Adapter, EventReader, WireRequest } from '../providers/port/adapter.ts';
import type { Question, Reply } from './ask.ts';
import { ask } from './ask.ts';
import { openExchange } from './exchange/http-exchange.ts';
import { bearerHeads } from './identity/bearer-heads.ts';
import type { EntraTokens } from './identity/entra-tokens.ts';
import { installedModel } from './installed-model.ts';
import type { HeadTarget } from './port/request-head.ts';
import { createHeadSource } from './head/sdk.ts';
import type { Transport } from '../core/transport.ts';
import { withoutKey } from './exchange/without-key.ts';

/** What a target's calls are made of. */
export interface UpstreamTargetOptions {
  readonly head: HeadTarget;
  /** What it is called with where it has no key. */
  readonly tokens?: EntraTokens | undefined;
  readonly adapter: Adapter;
  readonly transport: Transport;
  readonly runtime: Runtime;
  /** Told of every event and item of an answer that the adapter does not know. */
  readonly onUnknown?: (() => void) | undefined;
}

/** One call, translated. */
export interface UpstreamCall {
  readonly wire: WireRequest;
  readonly model: string;
  readonly stream: boolean;
  /** Headers of this call alone, names and values in turn. */
  readonly ownHeaders?: readonly string[] | undefined;
  /** Put around the reader of the answer. */
  readonly wrapReader: (reader: EventReader) => EventReader;
}

/** A target that can be called: its heads, its connections, its dialect. Nothing is made or opened before the first call. */
export interface UpstreamTarget {
  /** Starts a call. Never calls the sink before it has returned. */
  open(call: UpstreamCall, sink: AttemptSink<Delta, Finish>): AttemptHandle;
  /**
   * Asks something that costs nothing; undefined where nobody answers, or where the signal aborts, which closes the connection
   * in the same turn. Rejects where the base URL is none.
   */
  ask(question: Question, signal: AbortSignal): Promise<Reply | undefined>;
  /** Asks for the first installed model; undefined where there is none or nobody answers. Only Ollama has such a list. */
  installedModel(signal: AbortSignal): Promise<string | undefined>;
  /** Has at hand what the first call needs from elsewhere. Never rejects. */
  prepare(): Promise<void>;
  /** Destroys what is under way and closes all connections. */
  close(): Promise<void>;
}

/** Makes a target that can be called. */
export function createUpstreamTarget(options: UpstreamTargetOptions): UpstreamTarget {
  const { head, tokens, adapter, transport, runtime, onUnknown } = options;
  const heads = tokens === undefined ? createHeadSource(head) : bearerHeads(createHeadSource(head), tokens);
  const guarded = (sink: AttemptSink<Delta, Finish>): AttemptSink<Delta, Finish> =>
    tokens === undefined ? withoutKey(sink, head.apiKey) : withoutToken(sink, tokens);
  const askTarget = async ({ path, body }: Question, signal: AbortSignal): Promise<Reply | undefined> => {
    try {
      return await ask(transport, await heads.head({ path, stream: false, model: '' }), body, signal);
    } catch (error) {
      if (error instanceof FailureError) return undefined;
      throw error;
    }
  };
  return {
    ask: askTarget,
    open: ({ wire, model, stream, ownHeaders, wrapReader }, sink) =>
      openExchange(
        {
          transport,
          adapter,
          head: heads.head({ path: wire.path, stream, model }),
          wire,
          ownHeaders,
          stream,
          wrapReader,
          runtime,
          onUnknown,
        },
        guarded(sink),
      ),
    installedModel: async (signal) => installedModel(await askTarget({ path: '/api/tags' }, signal)),
    prepare: async () => {
      try {
        await tokens?.token();
      } catch {
        // The first call tells why.
      }
    },
    close: async () => {
      await Promise.all([transport.close(), tokens?.close()]);
    },
  };
}

/** Keeps the token out of what is passed on, and learns where it is refused. */
function withoutToken(sink: AttemptSink<Delta, Finish>, tokens: EntraTokens): AttemptSink<Delta, Finish> {
  let used: string | undefined;
  let cleaned = sink;
  return (event) => {
    if (used === undefined && tokens.held !== undefined) {
      used = tokens.held;
      cleaned = withoutKey(sink, used);
    }
    if (event.type === 'headers' && event.status === 401 && used !== undefined) tokens.refused(used);
    cleaned(event);
  };
}

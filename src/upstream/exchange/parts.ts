import type { Runtime } from '../../core/ports.ts';
import type { Adapter, EventReader, WireRequest } from '../../providers/port/adapter.ts';
import { DEFAULT_FRAMING_LIMITS } from './framing.ts';
import type { RequestHead } from '../port/request-head.ts';
import type { BodyLimits } from './response-body.ts';
import type { Transport } from '../../core/transport.ts';

/** Bounds of one exchange. */
export interface ExchangeLimits extends BodyLimits {
  /** Bytes that are read on after the end of an answer, so that the connection can be used again; default 64 Ki. */
  readonly drainBytes: number;
  /** Milliseconds that this may take; default 1,000. */
  readonly drainMs: number;
  /** Milliseconds for the body of an error status to arrive, after which the status alone counts; default 5,000. */
  readonly errorBodyMs: number;
}

/** What one upstream call is made of. */
export interface ExchangeParts {
  readonly transport: Transport;
  readonly adapter: Adapter;
  /** A promise is waited for; the call counts as started all the same. */
  readonly head: RequestHead | Promise<RequestHead>;
  readonly wire: Pick<WireRequest, 'body'>;
  /** Headers of this call alone, names and values in turn. */
  readonly ownHeaders?: readonly string[] | undefined;
  /** Whether a stream was asked for; decides only where the response has no content-type. */
  readonly stream: boolean;
  /** Put around the reader of the answer, whole or streamed: the place for texts that end an answer here (`localStop`). */
  readonly wrapReader?: ((reader: EventReader) => EventReader) | undefined;
  /** Told of every event and item that the adapter does not know. */
  readonly onUnknown?: (() => void) | undefined;
  readonly limits?: Partial<ExchangeLimits> | undefined;
  readonly runtime: Pick<Runtime, 'wall' | 'setTimer' | 'clearTimer'>;
}

/** The limits where nobody sets others. */
export const DEFAULT_LIMITS: ExchangeLimits = {
  ...DEFAULT_FRAMING_LIMITS,
  errorBodyBytes: 64 * 1024,
  jsonBodyBytes: 32 * 1024 * 1024,
  answerBytes: 64 * 1024 * 1024,
  drainBytes: 64 * 1024,
  drainMs: 1_000,
  errorBodyMs: 5_000,
};

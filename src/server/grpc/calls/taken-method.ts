import type { OutgoingHttpHeaders } from 'node:http2';
import type { LiveCalls } from '../../http/live-calls.ts';
import type { FairTurns } from '../../wire/fair-turns.ts';
import type { OpenCalls } from './open-calls.ts';

/** A method whose calls are taken. */
export interface TakenMethod<Call> {
  /** Answers a call whose request has come. */
  readonly handle: (call: Call) => void;
  /** Refuses the calls whose requests have not come when the door closes. */
  readonly openCalls: OpenCalls;
  /** Counts the calls from their first byte to their last, where they have to be waited for. */
  readonly calls?: LiveCalls | undefined;
  /** Lets its calls begin; absent: among all those of the door. */
  readonly turns?: FairTurns | undefined;
  /** What every end of its calls says besides. */
  readonly trailers?: (() => OutgoingHttpHeaders) | undefined;
  /** Bounds how many of its calls are open, where they last. */
  readonly places?: CallPlaces | undefined;
}

/** The places of a method whose calls last. */
export interface CallPlaces {
  /** How a call ends that finds none: gRPC's status and its words, as they stand in trailers. */
  readonly refusal: { readonly 'grpc-status': string; readonly 'grpc-message': string };
  /** Takes one for a caller; returns how it is given back, once, and undefined where none is left. */
  take(callerKey: string): (() => void) | undefined;
}

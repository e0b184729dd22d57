import type { LiveCalls } from '../../http/live-calls.ts';
import type { OpenCalls } from './open-calls.ts';

/** A method whose calls are taken. */
export interface TakenMethod<Call> {
  /** Answers a call whose request has come. */
  readonly handle: (call: Call) => void;
  /** Refuses the calls whose requests have not come when the door closes. */
  readonly openCalls: OpenCalls;
  /** Counts the calls from their first byte to their last, where they have to be waited for. */
  readonly calls?: LiveCalls | undefined;
}

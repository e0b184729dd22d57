/**
 * Why a request was refused as OVERLOADED before it was begun: the process has too much to do, no place in the queue is free, its
 * key has its part of the places, or it has waited for long enough (engine rules A2, A3, A5).
 */
export type RefusalCause = 'overloaded' | 'queue_full' | 'share' | 'wait';

/** How much the engine has to do. */
export interface EngineLoad {
  /** Requests under way, 0 to `maxActive`. */
  readonly active: number;
  readonly maxActive: number;
  /** Requests that wait for a slot, 0 to `maxQueued`. */
  readonly queued: number;
  readonly maxQueued: number;
  /** Requests refused since start. */
  readonly refused: Readonly<Record<RefusalCause, number>>;
  /** For how long, in milliseconds, more than 90 % of the slots have been taken since the last one was; 0 where they are not. */
  readonly fullForMs: number;
  /** Whether the process can take nothing new (engine rule A3). */
  readonly isOverloaded: boolean;
}

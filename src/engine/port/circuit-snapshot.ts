import type { CircuitState } from './call.ts';

/** What a circuit knows, in ages instead of times, so that another process or engine can go on from there (engine rule K10). */
export interface CircuitSnapshot {
  readonly state: CircuitState;
  readonly generation: number;
  /** For how many milliseconds an open circuit still refuses calls, a Retry-After included. */
  readonly reopensInMs?: number | undefined;
  /** Ages of the last failures in milliseconds, the oldest first. */
  readonly failureAgesMs: readonly number[];
  /** Of a half-open circuit: how many of its probes have succeeded. Absent: none. */
  readonly probesSucceeded?: number | undefined;
  /** Of the outage that keeps the circuit from being closed. Absent: nothing is known. */
  readonly outage?: OutageSnapshot | undefined;
  /** How long ago, in milliseconds, the latest attempt that succeeded was started. Absent: none did. */
  readonly successAgeMs?: number | undefined;
  /** Verdicts of the window by age, for the volume guard. */
  readonly successes: readonly AgedEvents[];
  readonly failures: readonly AgedEvents[];
}

/** What was not heard of a target and model, in ages, so that another process or engine can go on from there (engine rule K10). */
export interface SilencesSnapshot {
  /** Suspicious silences in a row; at least 1. */
  readonly inARow: number;
  /** How long ago, in milliseconds, the last of those that began one behind the other has ended. */
  readonly endedAgoMs: number;
  /** From when on silence was suspicious, in milliseconds. */
  readonly suspectAfterMs: number;
  /** How many times the learnt limit probes wait. */
  readonly patience: number;
}

/** Events of about one age, in milliseconds. */
export interface AgedEvents {
  readonly events: number;
  readonly ageMs: number;
}

/** What is known of an outage, in ages, so that another process or engine can go on from there (engine rule K10). */
export interface OutageSnapshot {
  /** How long ago, in milliseconds, the circuit has opened first; 0 where it is closed. */
  readonly ageMs: number;
  /** How many times it has opened since it was closed. */
  readonly openings: number;
  /** For how many milliseconds the provider itself still wants to be left alone. */
  readonly heldForMs: number;
  /** For how many milliseconds one probe at a time goes through. */
  readonly singleForMs: number;
  /** Whether the last free call has found the target down. */
  readonly isDown: boolean;
  /** How many calls may go ahead of their time now; not a whole number. */
  readonly ahead: number;
}

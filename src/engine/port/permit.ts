import type { Verdict } from '../../core/failure.ts';
import type { CircuitState } from './call.ts';

/** What a verdict brings with it. */
export interface SettleInfo {
  /** The provider's wish to be left alone, in milliseconds. */
  readonly retryAfterMs?: number | undefined;
  /** Whether it was silent: another call would cost its caller as much time again (engine rule K3). */
  readonly wasSilent?: boolean | undefined;
  /** Notes a failure of its request at a closed circuit in a generation; false: it does not count (engine rule K1). Absent: it does. */
  readonly counts?: ((circuit: object, generation: number) => boolean) | undefined;
}

/** The right to make one attempt. */
export interface Permit {
  /** Whether a circuit that is not closed has let it through: as a probe, or beside one (engine rules K4, K9). */
  readonly probe: boolean;
  /** Whether its outcome decides on the circuit: that of a probe does, that of one beside it does not (engine rules K6, K9). */
  readonly decides: boolean;
  /** The circuit that gave it, as the attempt found it; undefined where none had a say. */
  readonly circuit: { readonly state: CircuitState; readonly generation: number } | undefined;
  /** Tells how the attempt ended. Only the first call counts; one of an older generation changes nothing (engine rule K5). */
  settle(verdict: Verdict, info?: SettleInfo): void;
  /** Tells that a call which a circuit that is not closed let through has begun to answer (engine rule K9). */
  answers(): void;
  /** Tells that a probe has been answering without a fault for a while: it has succeeded provisionally (engine rule K6). */
  provisionalSuccess(): void;
}

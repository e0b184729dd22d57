import type { FailureReason, StatusName } from '../../core/failure.ts';
import type { OperatorState } from '../../engine/target/operator-switch.ts';

/** What an operator has done, or was refused: for the log. */
export interface OperatorAct {
  readonly method: 'ForceCircuit' | 'ResetTarget';
  /** Who: the address of the connection's other end, `host:port`. Empty where the connection was gone already. */
  readonly peer: string;
  /** Absent where there is no such target: what is not known is not repeated. */
  readonly target?: string | undefined;
  /** The key of the one circuit that was meant. Absent: all, or one that there is not. */
  readonly circuit?: string | undefined;
  /** What its circuits were to be. Absent for ResetTarget, and where it is no state. */
  readonly state?: OperatorState | undefined;
  readonly status: 'OK' | StatusName;
  /** Why it was refused. Absent: it was done. */
  readonly reason?: FailureReason | undefined;
}

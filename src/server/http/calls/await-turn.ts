import { Code, ConnectError } from '@connectrpc/connect';
import type { Runtime, TimerHandle } from '../../../core/ports.ts';
import { endAtDeadline } from '../../handlers/call-deadline.ts';
import type { FairTurns } from '../../wire/fair-turns.ts';

/** A call that waits for its turn. */
interface WaitingCall {
  readonly callerKey: string;
  readonly requestBytes: number;
  /** How long its deadline leaves it, in milliseconds; undefined without one. */
  readonly leftMs: number | undefined;
  /** Makes, and counts, the error of a call whose turn has not come. */
  readonly lateError: () => ConnectError;
  /** Sets who hears, at once where it is so already, that its caller has left; undefined for nobody. */
  readonly whenClosed: (listener: (() => void) | undefined) => void;
}

/**
 * Waits until a call may begin. Rejects where its turn does not come in time, with DEADLINE_EXCEEDED where its deadline passes before, and
 * with CANCELLED where its caller leaves; it then takes no turn.
 */
export function awaitTurn(
  turns: FairTurns,
  { callerKey, requestBytes, leftMs, lateError, whenClosed }: WaitingCall,
  clock: Pick<Runtime, 'setTimer' | 'clearTimer'>,
): Promise<void> {
  return new Promise((resolve, reject) => {
    let isWaiting = true;
    let timer: TimerHandle | undefined;
    const settle = (run: () => void): boolean => {
      if (!isWaiting) return false;
      isWaiting = false;
      if (timer !== undefined) clock.clearTimer(timer);
      whenClosed(undefined);
      run();
      return true;
    };
    const begin = (): boolean => settle(resolve);
    const refuseAsLate = (): void => void settle(() => reject(lateError()));
    const end = (reason: ConnectError): void => void settle(() => reject(reason));
    whenClosed(() => end(new ConnectError('The caller is gone.', Code.Canceled)));
    if (!isWaiting) return;
    turns.add({ callerKey, begin, refuseAsLate }, requestBytes);
    // Most begin at once, and need no timer.
    if (isWaiting) timer = endAtDeadline(clock, leftMs, end);
  });
}

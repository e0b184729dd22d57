import { Code, ConnectError } from '@connectrpc/connect';
import type { Runtime, TimerHandle } from '../../core/ports.ts';

/**
 * Has a call end with DEADLINE_EXCEEDED when its deadline passes, in this turn where it has passed already.
 *
 * @param leftMs until then, in milliseconds; undefined: it has no deadline
 * @returns the timer to clear when the call ends before; undefined where there is none
 */
export function endAtDeadline(
  clock: Pick<Runtime, 'setTimer'>,
  leftMs: number | undefined,
  abort: (reason: ConnectError) => void,
): TimerHandle | undefined {
  if (leftMs === undefined) return undefined;
  const onDeadline = (): void => abort(new ConnectError('The deadline was reached.', Code.DeadlineExceeded));
  if (leftMs > 0) return clock.setTimer(leftMs, onDeadline);
  onDeadline();
  return undefined;
}

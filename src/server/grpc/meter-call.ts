import { Code } from '@connectrpc/connect';
import type { Runtime } from '../../core/ports.ts';
import type { CallMeter } from '../port/observed/call-meter.ts';
import type { CallReply } from './calls/call-reply.ts';

/** Measures a call from now to the end of its stream. One that is cut off without a status counts as cancelled. */
export function meterCall(
  meter: CallMeter,
  path: string,
  reply: Pick<CallReply, 'status' | 'requestBytes' | 'messageBytes' | 'onStreamClosed'>,
  clock: Pick<Runtime, 'now'>,
): void {
  const startedAtMs = clock.now();
  const ended = meter.started(path.slice(1));
  reply.onStreamClosed = () => {
    const { status = Code.Canceled, requestBytes, messageBytes } = reply;
    const durationMs = clock.now() - startedAtMs;
    ended({ status, durationMs, receivedBytes: requestBytes, sentBytes: messageBytes });
  };
}

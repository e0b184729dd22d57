import type { Http2Session } from 'node:http2';
import type { Transfers } from '../wire/transfers.ts';

/** What HTTP/2 lets a client send before it is told to go on, in bytes (RFC 9113, section 6.9.2). */
const NARROW_BYTES = 65_535;

/** A wide window, in bytes: 200 MiB a second over 40 ms, there and back. */
const WIDE_BYTES = 8 * 1024 * 1024;

/** The connections whose windows are wide, and stay so. */
const WIDE = new WeakSet<Http2Session>();

/**
 * Lets the client of a connection send a prompt at once, in place of 64 KiB for each way there and back: no more than one message
 * may take, and where the budget has room for large requests. To be called for whoever may call; does nothing the second time
 * (`docs/adr/0040-windows-are-wide-for-who-may-call.md`).
 */
export function widenWindows(session: Http2Session | undefined, { limits, budget }: Transfers): void {
  if (session === undefined || WIDE.has(session) || session.closed || session.destroyed || budget.isTight) return;
  WIDE.add(session);
  const bytes = Math.min(WIDE_BYTES, limits.maxMessageBytes);
  if (bytes <= NARROW_BYTES) return;
  session.settings({ initialWindowSize: bytes });
  session.setLocalWindowSize(bytes);
}

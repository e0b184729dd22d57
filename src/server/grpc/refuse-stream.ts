import { constants, type OutgoingHttpHeaders, type ServerHttp2Stream } from 'node:http2';
import type { CallStreamOptions } from './calls/call-options.ts';
import { dropInput } from '../http2/unread-input.ts';
import { RefusedRest } from '../wire/refused-rest.ts';
import { HEAD } from './calls/call-reply.ts';

/** Refuses a call before anything is made for it: trailers alone. What its client goes on sending is dropped for a while. */
export function refuseStream(
  stream: ServerHttp2Stream,
  trailers: OutgoingHttpHeaders,
  { transfers, pace }: CallStreamOptions,
): void {
  stream.on('error', () => undefined);
  stream.respond({ ...HEAD, ...trailers }, { endStream: true });
  dropInput(stream, pace);
  const rest = new RefusedRest();
  const check = (nowMs: number): void => {
    if (rest.isOver(nowMs)) stream.close(constants.NGHTTP2_NO_ERROR);
  };
  const watched = transfers.watch.add({ check });
  stream.once('close', () => transfers.watch.remove(watched));
}

import type { ServerHttp2Stream } from 'node:http2';

/** Who hears what comes of a stream. */
export interface StreamHearer {
  /** A piece of the request has come. */
  received(chunk: Buffer): void;
  /** The request has come to its end; also said of a stream that is reset. */
  ended(): void;
  /** The answer has left, and its trailers may be sent. */
  wantsTrailers(): void;
  /** The last that is heard. */
  closed(): void;
}

/**
 * Tells what comes of a stream until it closes, and lets go of who has heard it then: streams outlive their calls, and would drag them
 * along (`docs/adr/0045-streams-let-go-of-their-calls.md`).
 */
export function hearStream(stream: ServerHttp2Stream, hearer: StreamHearer): void {
  const heard: { by: StreamHearer | undefined } = { by: hearer };
  // After an error comes 'close'.
  stream.on('error', IGNORED);
  stream.on('data', (chunk: Buffer) => heard.by?.received(chunk));
  stream.on('end', () => heard.by?.ended());
  stream.on('wantTrailers', () => heard.by?.wantsTrailers());
  stream.on('close', () => {
    heard.by?.closed();
    heard.by = undefined;
  });
}

const IGNORED = (): void => undefined;

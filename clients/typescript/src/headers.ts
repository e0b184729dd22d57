import type { Interceptor } from '@connectrpc/connect';

/** Names and values of HTTP headers. */
export type HeaderValues = Readonly<Record<string, string>>;

/** Headers, or what makes them for each call. */
export type HeaderSource = HeaderValues | (() => HeaderValues | Promise<HeaderValues>);

/**
 * Makes an interceptor that adds headers where a call does not set them itself. The deadline and the signal of the call hold
 * while they are made.
 */
export function addHeaders(source: HeaderSource): Interceptor {
  return (next) => async (request) => {
    const values = typeof source === 'function' ? await beforeAbort(source(), request.signal) : source;
    for (const [name, value] of Object.entries(values)) {
      if (!request.header.has(name)) request.header.set(name, value);
    }
    return next(request);
  };
}

/** Waits for a value, or rejects with the reason of the signal. */
async function beforeAbort<Value>(value: Value | Promise<Value>, signal: AbortSignal): Promise<Value> {
  signal.throwIfAborted();
  let onAbort = (): void => {};
  const aborted = new Promise<never>((_resolve, reject) => {
    onAbort = () => reject(signal.reason);
    signal.addEventListener('abort', onAbort, { once: true });
  });
  try {
    return await Promise.race([value, aborted]);
  } finally {
    signal.removeEventListener('abort', onAbort);
  }
}

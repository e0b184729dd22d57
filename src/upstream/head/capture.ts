import type { RequestHead } from '../port/request-head.ts';

/** Answers of this keep an SDK from parsing, retrying and logging. */
const NOTHING_SENT = 204;

/**
 * Lets an SDK form a request, catches it before it is sent, and takes its head.
 *
 * @param form makes the SDK's client with a `fetch` that sends nothing, and lets it make one request
 * @throws Error where the SDK formed none
 */
export async function captureHead(form: (send: typeof fetch) => PromiseLike<unknown>): Promise<RequestHead> {
  let head: RequestHead | undefined;
  await form(async (input, init) => {
    head = { url: new URL(input instanceof Request ? input.url : input), headers: plainHeaders(init?.headers) };
    return new Response(null, { status: NOTHING_SENT });
  });
  if (head === undefined) throw new Error('the SDK has formed no request');
  return head;
}

function plainHeaders(formed: RequestInit['headers']): Readonly<Record<string, string>> {
  const { 'content-length': _length, ...headers } = Object.fromEntries(new Headers(formed).entries());
  return headers;
}
